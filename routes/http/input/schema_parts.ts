import { z } from "zod";
import { isObject, type Json, type JsonObject } from "../../../db/json.ts";
import {
  idFault,
  NO_AGENT_ID,
  NO_ID,
  NO_NAME,
  placeholderFault,
  PLAIN,
  plainFault,
  TEXT_PATTERN,
  textFault,
} from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { EXAMPLE_TIME, MISSING } from "./wordings.ts";

/*
 * What the schemas of bodies and answers are made of. `schemas.ts` loads it when it is first needed.
 */

export { z };

/** `rules` state `faultOf` as JSON Schema, for the OpenAPI document. */
function textSchema(faultOf: (text: string) => string | undefined, rules: Record<string, unknown>) {
  return z.string().superRefine((text, context) => {
    const message = faultOf(text) ?? placeholderFault(text);
    if (message) context.addIssue({ code: "custom", message });
  }).meta({ minLength: 1, pattern: TEXT_PATTERN, ...rules });
}

const NO_CONTROLS = "no control characters, not only spaces";

export const id = textSchema(idFault, {
  maxLength: LIMITS.idLength,
  not: { pattern: NO_ID },
  description: `An id: ${NO_CONTROLS}, not . or ..`,
});
const ownFault = (text: string) => text.startsWith("_") ? "must not begin with _" : idFault(text);
const OWN = {
  maxLength: LIMITS.idLength,
  not: { pattern: NO_AGENT_ID },
  description: `An id: ${NO_CONTROLS}, not . or .., not beginning with _`,
};
/** Ids of agents, and scopes of one's own. */
export const ownId = textSchema(ownFault, OWN);
/** Ids of agents that are secure, or become so. */
export const secureId = textSchema((text) => ownFault(text) ?? plainFault(text), {
  ...OWN,
  description: `${OWN.description}; ${PLAIN}`,
});
/** Keys, and what is named freely: names, roles, kinds. */
export const key = textSchema((text) => textFault(text, LIMITS.keyLength), {
  maxLength: LIMITS.keyLength,
  not: { pattern: NO_NAME },
  description: `A key or a name: ${NO_CONTROLS}`,
});

/** A note for people: any text that a column of the database returns as it was. */
export const note = z.string().max(LIMITS.tokenNote).superRefine((text, context) => {
  if (text.isWellFormed() && !text.includes("\0")) return;
  context.addIssue({ code: "custom", message: "must be well-formed Unicode without NUL" });
}).meta({ pattern: String.raw`^[^\u0000]*$` });

/** What is sent as a value: any JSON, and it must be there. */
export const value = z.custom<Json>((value) => value !== undefined, MISSING);
export const expression = z.string("must be a CEL expression, as text")
  .meta({ maxLength: LIMITS.expressionLength, description: "A CEL expression" });

/**
 * Makes a member optional, or null, which typed clients send for absent members. `withoutNulls` removes the nulls: a
 * transform of each member would cost messages a tenth of their throughput.
 */
export function absent<Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> {
  return schema.nullish() as unknown as z.ZodOptional<Schema>;
}

/**
 * Like `absent`, with a default for the OpenAPI document. The default stands inside, beside null: client generators
 * require a member that itself has a default.
 */
export function defaulting<Schema extends z.ZodType>(schema: Schema, value: unknown): z.ZodOptional<Schema> {
  return absent(schema.meta({ default: value }));
}

export const milliseconds = z.int("must be milliseconds, a whole number from 0 on").min(0);

/** Makes the `ttl` of what ends by itself. */
export const secondsUpTo = (max: number) => z.int(`must be whole seconds, from 1 to ${max}`).min(1).max(max);

/** An object with members of any name: `z.record` drops `__proto__`. */
export const jsonObject = z.custom<JsonObject>(isObject, "must be a JSON object").meta({
  type: "object",
  additionalProperties: {},
});

/** Makes the `meta` of a room or an agent. `more` continues its description. */
export const metaOf = (more = "") =>
  defaulting(jsonObject, {}).describe(`A JSON object of at most ${LIMITS.valueBytes} bytes${more}`);

// Of answers.
export const json = z.unknown().describe("Any JSON");
export const object = z.record(z.string(), z.unknown());
export const count = z.int().min(0);
export const revision = count.describe("A revision of the room");
export const time = z.string().meta({ format: "date-time", example: EXAMPLE_TIME });
/** The notice to who acts as an agent that is not registered. */
export const notice = z.literal("agent_not_registered").optional()
  .describe("The agent is not registered: it is not among the agents of the room");
/** Why something has no value. */
export const failure = z.object({
  code: z.string(),
  message: z.string(),
  position: count.optional(),
  hint: z.string().optional(),
});
