import { z } from "zod";
import { type ErrorCode, ERRORS, type Row } from "../../errors.ts";
import { MESSAGE_STATUSES } from "../../db/messages/message.ts";
import { docsOf } from "../http/errors.ts";
import * as parts from "../http/input/schema_parts.ts";
import { RESERVATIONS } from "../reservations.ts";
import { STATE } from "../state/operations.ts";
import { answersOf } from "./operations.ts";
import type { Schema } from "./parameters.ts";

const { count, json, time } = parts;

/** The schemas of the further members that errors have, by their names in the table of errors. */
const ERROR_MEMBERS: Record<string, z.ZodType> = {
  issues: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  index: count.describe("The index of the refused write in its batch"),
  expression: z.string(),
  position: count,
  cause: z.object({ code: z.string(), message: z.string(), position: count.optional() }),
  current: z.union(STATE.answers(parts).EntryOrView.options).nullable().describe("The present entry"),
  path: z.string().describe("The JSON pointer that names nothing; empty if the value has the wrong type"),
  evaluated: json,
  claimed: z.literal(false),
  claimed_by: z.string().nullable(),
  claimed_at: time,
  claimed_until: time.nullable(),
  blocked_by: z.array(z.int().min(1)).describe("The needs that are not done yet"),
  status: z.enum(MESSAGE_STATUSES),
  done_at: time,
  fence: count.nullable(),
  conflicts: z.array(RESERVATIONS.answers(parts).ReservationConflict),
  more: z.literal(true),
  agent: z.string().nullable(),
  expires_at: time.nullable(),
};

/** Names an error's schema: `VersionConflict` for `version_conflict`. */
export function errorName(code: string): string {
  return code.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
}).describe("RFC 9457, if `Accept` asks for it: the members of the error, and these");

function errorSchema(code: ErrorCode): z.ZodType {
  const { members = [] }: Row = ERRORS[code];
  return z.object({
    error: z.literal(code),
    message: z.string(),
    hint: z.string().optional(),
    docs: z.literal(docsOf(code)),
    ...Object.fromEntries(members.map(memberOf)),
  });
}

/** A further member by its name in the table. */
function memberOf(told: string): [name: string, schema: z.ZodType] {
  const name = told.replace("?", "");
  const schema = ERROR_MEMBERS[name]!;
  return [name, name === told ? schema : schema.optional()];
}

/**
 * Converts the schemas of bodies, answers and errors for the document. Bodies have the schemas that validate them; no
 * validating middleware makes the document, since its rules (Content-Type, the order of refusals, the shape of an
 * error) are not the contract's.
 */
export function schemasOf(
  bodies: Record<string, z.ZodType>,
  errors: ErrorCode[] = Object.keys(ERRORS) as ErrorCode[],
): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  const ofErrors = Object.fromEntries(errors.map((code) => [errorName(code), errorSchema(code)]));
  const all = { ...bodies, ...answersOf(parts), ...ofErrors, Problem };
  for (const [id, schema] of Object.entries(all)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input", // open objects: members may be added to what is answered
    unrepresentable: "any",
    uri: (id) => `#/components/schemas/${id}`,
    override({ jsonSchema }) {
      const { propertyNames: names } = jsonSchema;
      if (typeof names !== "object" || names.pattern === undefined) delete jsonSchema.propertyNames; // says that names are texts
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map((
      [name, { $schema: _, $id: __, ...schema }],
    ) => [name, name in bodies ? withFilled(schema) : schema]),
  );
}

/** The member of bodies that a token fills in where it is left out (callers/own_agent.ts). */
export const FILLED = "agent";
const FILLED_BY = "filled in by a token that is bound to an agent, else required";

/** Requires no member that a token fills in. */
function withFilled(schema: Schema): Schema {
  const { required = [], properties, ...rest } = schema as {
    required?: string[];
    properties: Record<string, Schema>;
  };
  if (!required.includes(FILLED)) return schema;
  const { description, ...agent } = properties[FILLED]!;
  const others = required.filter((name) => name !== FILLED);
  return {
    ...rest,
    properties: { ...properties, [FILLED]: { ...agent, description: `${description} (${FILLED_BY})` } },
    ...others.length > 0 && { required: others },
  };
}
