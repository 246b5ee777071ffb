import { z } from "zod";
import { STATUSES } from "../db/presence.ts";
import { SHARED_SCOPE } from "../db/state/entry.ts";
import type { Json } from "../db/json.ts";
import { idFault, NO_AGENT_ID, NO_ID, TEXT_PATTERN, textFault } from "./http/ids.ts";
import { FIELD_PATTERN, INCLUDE, INCLUDE_PATTERN } from "./include.ts";
import { LIMITS } from "./http/limits.ts";
import { MISSING } from "./http/input/wordings.ts";

/** `rules` are for the API's document, which cannot see into `faultOf`: the same in the words of JSON Schema. */
function textSchema(faultOf: (text: string) => string | undefined, rules: Record<string, unknown>) {
  return z.string().superRefine((text, context) => {
    const message = faultOf(text);
    if (message) context.addIssue({ code: "custom", message });
  }).meta({ minLength: 1, pattern: TEXT_PATTERN, ...rules });
}

const NO_CONTROLS = "no control characters, not only spaces";

const idSchema = textSchema(idFault, {
  maxLength: LIMITS.idLength,
  not: { pattern: NO_ID },
  description: `An id: ${NO_CONTROLS}, not . or ..`,
});
/** Ids of agents, and scopes of one's own. */
const ownIdSchema = textSchema(
  (text) => text.startsWith("_") ? "must not begin with _" : idFault(text),
  {
    maxLength: LIMITS.idLength,
    not: { pattern: NO_AGENT_ID },
    description: `An id: ${NO_CONTROLS}, not . or .., not beginning with _`,
  },
);
/** Keys, and what is named freely: names, roles, kinds. */
const keySchema = textSchema((text) => textFault(text, LIMITS.keyLength), {
  maxLength: LIMITS.keyLength,
  description: `A key or a name: ${NO_CONTROLS}`,
});

/** For the API's document. */
export const TEXTS = { id: idSchema, ownId: ownIdSchema, key: keySchema };

const any = z.custom<Json>((value) => value !== undefined, MISSING);
const object = z.record(z.string(), z.custom<Json>(), "must be a JSON object").refine((value) =>
  !Array.isArray(value)
);
const expression = z.string("must be a CEL expression, as text")
  .meta({ maxLength: LIMITS.expressionLength, description: "A CEL expression" });

/**
 * An optional member: typed clients send null for what they leave out. `withoutNulls` takes it away again; a
 * transform of each member would cost a message a tenth of its throughput.
 */
export function absent<Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> {
  return schema.nullish() as unknown as z.ZodOptional<Schema>;
}

/**
 * `absent`, and in the API's document what counts then. It stands inside, beside null: generators of clients require
 * a member that has a default itself.
 */
export function defaulting<Schema extends z.ZodType>(schema: Schema, value: unknown): z.ZodOptional<Schema> {
  return absent(schema.meta({ default: value }));
}

const about = (description: string) => ({ description });

/** Members of which null is a value. */
const NULLABLE = ["value", "body"];

/** A parsed body without the members that are null for being absent. */
export function withoutNulls<Body extends object>(body: Body): Body {
  const members = body as Record<string, unknown>;
  for (const name in members) {
    if (members[name] === null && !NULLABLE.includes(name)) delete members[name];
  }
  if (Array.isArray(members.writes)) members.writes.forEach(withoutNulls);
  return body;
}

/** Says that a guard is null: whoever sends it means to be guarded, and would write unguarded. */
function guardFault(message: string): { error: z.core.$ZodErrorMap } {
  return {
    error: ({ input }) =>
      input === null ? "must not be null: leave it out to write whatever is there" : message,
  };
}

const gate = z.string(guardFault("must be a CEL expression, as text")).meta({
  maxLength: LIMITS.expressionLength,
  description: "CEL that must hold in the very state that the write changes, else 409",
}).optional();
const ifVersion = z.int(guardFault("must be a whole number, 0 or more")).min(0)
  .meta(about("Only if the entry has this version, else 409; 0: only if it does not exist")).optional();
const writer = absent(idSchema).meta(
  about("Who writes: `self` in the gate; the write counts as its heartbeat"),
);
const meta = defaulting(object, {});
const aboutMeta = `A JSON object of at most ${LIMITS.valueBytes} bytes`;

export const roomBody = z.strictObject({
  id: absent(idSchema).meta(about("A random UUID unless said")),
  meta: meta.meta(about(aboutMeta)),
});

const KEPT = "Stays as it is where an agent is updated without it";

export const agentBody = z.strictObject({
  id: absent(ownIdSchema).meta(about("A random UUID unless said")),
  name: keySchema,
  role: defaulting(keySchema, "agent").meta(about(KEPT)),
  meta: meta.meta(about(`${aboutMeta}. ${KEPT}`)),
  if_new: absent(z.boolean("must be true or false"))
    .meta(about("`true`: only if no agent has this id, else 409")),
});

export const heartbeatBody = z.strictObject({ status: defaulting(z.enum(STATUSES), "active") });

const from = absent(idSchema);

export const messageBody = z.strictObject({
  from: from.meta(about("Who sends; need not be registered")),
  to: from.meta(about("Whom it is for: an address, not a lock")),
  kind: defaulting(keySchema, "message"),
  body: any.meta(about(`Any JSON of at most ${LIMITS.valueBytes} bytes`)),
  reply_to: absent(z.int("must be a message's id, a whole number from 1 on").min(1))
    .meta(about("The id of the message of this room that is answered")),
  from_agent: from.meta(about("Another name of `from`, as answers have it; not another value beside it")),
  to_agent: from.meta(about("Another name of `to`, as answers have it; not another value beside it")),
});

export const claimBody = z.strictObject({ agent: idSchema });

const place = { scope: defaulting(idSchema, SHARED_SCOPE), key: keySchema };

const write = {
  ...place,
  value: z.custom<Json>().optional(),
  if_version: ifVersion,
  increment: absent(z.union([z.boolean(), z.number()], "must be true, false or a number")),
  expr: absent(expression),
};

const stateWrite = z.strictObject(write);

export type StateWriteBody = z.infer<typeof stateWrite>;

export const stateBody = z.strictObject({ ...write, if: gate, agent: writer });

export const batchBody = z.strictObject({
  writes: z.array(stateWrite)
    .min(1, "must hold at least one write")
    .max(LIMITS.batchWrites, `must hold at most ${LIMITS.batchWrites} writes`),
  if: gate,
  agent: writer,
});

export const deleteBody = z.strictObject({ ...place, if_version: ifVersion, if: gate, agent: writer });

export const evalBody = z.strictObject({
  expr: expression,
  agent: absent(idSchema).meta(about("`self` in the expression; need not be registered")),
});

export const waitBody = z.strictObject({
  condition: expression,
  agent: absent(idSchema).meta(about("Who waits; shown to others if it is registered")),
  timeout: defaulting(z.int("must be milliseconds, a whole number from 0 on").min(0), LIMITS.waitMs)
    .meta(about(`Milliseconds; what is above ${LIMITS.waitMs} counts as that, 0 looks once`)),
  include: absent(z.union(
    [
      z.string().meta({ pattern: INCLUDE_PATTERN }),
      z.array(z.string().meta({ pattern: FIELD_PATTERN })).max(LIMITS.includeFields),
    ],
    `must be a text, or an array of at most ${LIMITS.includeFields} texts`,
  )).meta(about(INCLUDE)),
});
