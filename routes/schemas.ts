import { z } from "zod";
import { STATUSES } from "../db/presence.ts";
import type { Json } from "../db/json.ts";
import { idFault, textFault } from "./ids.ts";
import { LIMITS } from "./limits.ts";

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

const any = z.custom<Json>((value) => value !== undefined, "is required");
const object = z.record(z.string(), z.custom<Json>(), "must be a JSON object").refine((value) =>
  !Array.isArray(value)
);
const version = z.int("must be a whole number").min(0);
const expression = z.string("must be a CEL expression")
  .meta({ maxLength: LIMITS.expressionLength, description: "A CEL expression" });
// Typed clients send null for what they leave out.
const writer = idSchema.nullish();

export const roomBody = z.object({ id: idSchema.optional(), meta: object.optional() });

export const agentBody = z.object({
  id: agentIdSchema.optional(),
  name: keySchema,
  role: keySchema.optional(),
  meta: object.optional(),
});

export const heartbeatBody = z.object({ status: z.enum(STATUSES).optional() });

export const messageBody = z.object({
  from: idSchema.nullish(),
  to: idSchema.nullish(),
  kind: keySchema.optional(),
  body: any,
  reply_to: z.int("must be a message's id").positive().nullish(),
});

export const claimBody = z.object({ agent: idSchema });

const place = { scope: idSchema.optional(), key: keySchema };

const stateWrite = z.object({
  ...place,
  value: z.custom<Json>().optional(),
  if_version: version.optional(),
  increment: z.union([z.boolean(), z.number()], "must be true, false or a number").optional(),
  expr: expression.meta({
    maxLength: LIMITS.expressionLength,
    description:
      `The CEL expression of a view; a room's views have at most ${LIMITS.viewBytes} bytes of UTF-8 in all`,
  }).optional(),
});

export type StateWriteBody = z.infer<typeof stateWrite>;

export const stateBody = stateWrite.extend({ if: expression.optional(), agent: writer });

export const batchBody = z.object({
  writes: z.array(
    stateWrite.extend({
      if: z.undefined("a gate belongs to the whole batch: put `if` beside `writes`").optional()
        .meta({ not: {}, description: "Not here: put it beside `writes`" }),
    }),
  )
    .min(1, "must hold at least one write")
    .max(LIMITS.batchWrites, `must hold at most ${LIMITS.batchWrites} writes`),
  if: expression.optional(),
  agent: writer,
});

export const deleteBody = z.object({
  ...place,
  if_version: version.optional(),
  if: expression.optional(),
  agent: writer,
});

export const evalBody = z.object({ expr: expression, agent: writer });

export const waitBody = z.object({
  condition: expression,
  agent: writer,
  timeout: z.int("must be milliseconds").min(0).optional(),
  include: z.union(
    [z.string(), z.array(z.string()).max(LIMITS.includeFields)],
    `must be a text, or an array of at most ${LIMITS.includeFields} texts`,
  ).optional(),
});
