import { z } from "zod";
import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import { LIMITS } from "../http/limits.ts";
import {
  absent,
  batchBody,
  defaulting,
  deleteBody,
  evalBody,
  messageBody,
  stateBody,
  TEXTS,
} from "../schemas.ts";

/*
 * A write is parsed as one object, and `writeOf` then judges which members go together: that is faster, and can say
 * what to do instead. Here its kinds stand apart, made of the same members, for clients that are generated. A test
 * holds that both take the same.
 */

const { key, if_version, if: gate, agent } = stateBody.shape;

/** Scopes of one's own, and those of the system that are named. */
const scopesOf = (...names: string[]) => z.union([z.enum(names), TEXTS.ownId]);
const about = "Of those that begin with _ only what is named: the others are the system's";
const scopeIn = (scopes: z.ZodType) => defaulting(scopes, SHARED_SCOPE).meta({ description: about });

const place = { scope: scopeIn(scopesOf(SHARED_SCOPE)), key, if_version };
const noIncrement = { increment: absent(z.literal(false)) };

/** Null alone is taken; as a type openapi-fetch would refuse that, so it is a text that is none. */
const nullAlone = z.string().nullish().meta({ not: { type: "string" } });
const noView = { expr: nullAlone };

/** The kinds of a write, each with what is sent `beside` it. */
function kindsOf(beside: z.ZodRawShape) {
  return z.union([
    z.strictObject({ ...place, value: messageBody.shape.body, ...noIncrement, ...noView, ...beside })
      .meta({ title: "Store a value" }),
    z.strictObject({
      ...place,
      increment: z.literal(true),
      value: z.number().optional().meta({ description: "What is added; 1 unless said" }),
      ...noView,
      ...beside,
    }).meta({ title: "Add a value to a number" }),
    z.strictObject({
      ...place,
      increment: z.number().meta({ description: "What is added" }),
      ...noView,
      ...beside,
    }).meta({ title: "Add to a number" }),
    z.strictObject({
      ...place,
      scope: z.literal(VIEW_SCOPE),
      expr: evalBody.shape.expr.meta({
        description:
          `The CEL expression of the view; a room's views have at most ${LIMITS.viewBytes} bytes in all`,
      }),
      value: nullAlone.meta({ description: "Refused but for null: `expr` gives the value" }),
      ...noIncrement,
      ...beside,
    }).meta({ title: "Define a view" }),
  ]);
}

export const stateRequest = kindsOf({ if: gate, agent });

export const batchWrite = kindsOf({});

export const batchRequest = batchBody.extend({ writes: z.array(batchWrite).min(1).max(LIMITS.batchWrites) });

export const deletableScope = scopesOf(SHARED_SCOPE, VIEW_SCOPE);

/** What a delete's body holds where the query names the rest. */
export const deleteRequest = deleteBody.extend({ scope: scopeIn(deletableScope) }).partial();
