import { z } from "zod";
import { STATUSES } from "../db/presence.ts";
import type { Json } from "../db/json.ts";
import { idFault, textFault } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { MISSING } from "./wordings.ts";

/** `description` and the length are for the API's document, which cannot see into `faultOf`. */
function textSchema(faultOf: (text: string) => string | undefined, maxLength: number, description: string) {
  return z.string().superRefine((text, context) => {
    const message = faultOf(text);
    if (message) context.addIssue({ code: "custom", message });
  }).meta({ minLength: 1, maxLength, description });
}

const NO_CONTROLS = "no control characters, not only spaces";

const idSchema = textSchema(idFault, LIMITS.idLength, `An id: ${NO_CONTROLS}, not . or ..`);
const agentIdSchema = textSchema(
  (text) => text.startsWith("_") ? "must not begin with _" : idFault(text),
  LIMITS.idLength,
  `An agent's id: ${NO_CONTROLS}, not . or .., not beginning with _`,
);
/** Keys, and what is named freely: names, roles, kinds. */
const keySchema = textSchema(
  (text) => textFault(text, LIMITS.keyLength),
  LIMITS.keyLength,
  `A key or a name: ${NO_CONTROLS}`,
);

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
function absent<Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> {
  return schema.nullish() as unknown as z.ZodOptional<Schema>;
}

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

const gate = z.string(guardFault("must be a CEL expression, as text"))
  .meta({ maxLength: LIMITS.expressionLength, description: "A CEL expression" }).optional();
const ifVersion = z.int(guardFault("must be a whole number, 0 or more")).min(0).optional();
const writer = absent(idSchema);

export const roomBody = z.strictObject({ id: absent(idSchema), meta: absent(object) });

export const agentBody = z.strictObject({
  id: absent(agentIdSchema),
  name: keySchema,
  role: absent(keySchema),
  meta: absent(object),
  if_new: absent(z.boolean("must be true or false"))
    .meta({ description: "`true`: only if no agent has this id, else 409" }),
});

export const heartbeatBody = z.strictObject({ status: absent(z.enum(STATUSES)) });

const otherName = (name: string) =>
  writer.meta({ description: `Another name of \`${name}\`, as answers have it` });

export const messageBody = z.strictObject({
  from: writer,
  to: writer,
  kind: absent(keySchema),
  body: any,
  reply_to: absent(z.int("must be a message's id, a whole number from 1 on").positive()),
  from_agent: otherName("from"),
  to_agent: otherName("to"),
});

export const claimBody = z.strictObject({ agent: idSchema });

const place = { scope: absent(idSchema), key: keySchema };

const write = {
  ...place,
  value: z.custom<Json>().optional(),
  if_version: ifVersion,
  increment: absent(z.union([z.boolean(), z.number()], "must be true, false or a number")),
  expr: absent(expression.meta({
    maxLength: LIMITS.expressionLength,
    description:
      `The CEL expression of a view; a room's views have at most ${LIMITS.viewBytes} bytes of UTF-8 in all`,
  })),
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

/** What a delete's body holds where the query names the rest. */
export const deleteRequest = deleteBody.partial();

export const evalBody = z.strictObject({ expr: expression, agent: writer });

export const waitBody = z.strictObject({
  condition: expression,
  agent: writer,
  timeout: absent(z.int("must be milliseconds, a whole number from 0 on").min(0)),
  include: absent(z.union(
    [z.string(), z.array(z.string()).max(LIMITS.includeFields)],
    `must be a text, or an array of at most ${LIMITS.includeFields} texts`,
  )),
});
