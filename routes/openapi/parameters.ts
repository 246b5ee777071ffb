import type { z } from "zod";
import { KEY_PATTERN } from "../http/idempotency.ts";
import type { Parts } from "../http/input/schemas.ts";
import { LIMITS } from "../http/limits.ts";

export type Schema = Record<string, unknown>;

/** A schema as JSON Schema, or made with zod. */
type ParameterSchema = Schema | ((parts: Parts) => z.ZodType);

export interface Parameter<Of = ParameterSchema> {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description: string;
  schema: Of;
  /** An empty parameter counts as absent. */
  allowEmptyValue?: true;
  example?: unknown;
}

/** A parameter as the document has it. */
export type DocumentedParameter = Parameter<Schema>;

const text: Schema = { type: "string" };
export const flag: Schema = { type: "boolean", default: false };
export const number = (minimum: number, rules: Schema = {}): Schema => ({
  type: "integer",
  minimum,
  ...rules,
});
export const expression: Schema = { type: "string", minLength: 1, maxLength: LIMITS.expressionLength };
export const id = (parts: Parts) => parts.id;

/** Describes a parameter that must not be empty: it guards a write, or the operation needs it. */
export function guard(name: string, description: string, schema: ParameterSchema): Parameter {
  return { name, in: "query", description, schema };
}

export function query(name: string, description: string, schema: ParameterSchema = text): Parameter {
  return { name, in: "query", description, schema, allowEmptyValue: true };
}

export function header(name: string, description: string, schema: ParameterSchema = text): Parameter {
  return { name, in: "header", description, schema };
}

function path(name: string, description: string, schema: ParameterSchema, example: unknown): Parameter {
  return { name, in: "path", required: true, description, schema, example };
}

/** The parameters of paths, by their name in the path. */
export const PATH_PARAMETERS: Record<string, Parameter> = {
  room: path("room", "The room's id", id, "demo"),
  agent: path("agent", "The agent's id", id, "alice"),
  reservation: path("reservation", "The reservation's id", id, "7f1c24c3-64f8-4f7a-9d0b-0d8d3b2b5b0e"),
  token: path("token", "The token's id", id, "5b0e5d0c-5b5c-4c0e-9a3e-0f6a3c1d2e4f"),
  invite: path("invite", "The invitation's id", id, "5b0e5d0c-5b5c-4c0e-9a3e-0f6a3c1d2e4f"),
  code: path("code", "The join code, in any case, with or without hyphens", text, "7KQ2M-X9D4T"),
  message: path("message", "The message's id", number(1), 4),
};

export const LIMIT = query(
  "limit",
  `Maximum number; a value above ${LIMITS.listLength} counts as that`,
  number(1, { default: LIMITS.listDefault }),
);

export const IF_NONE_MATCH = header(
  "If-None-Match",
  "An `ETag` that you have: 304 without a body if nothing has changed",
);

export const KEY = header(
  "Idempotency-Key",
  "A random UUID: a request that is sent again with its key takes effect once and gets the first answer again. " +
    `1 to ${LIMITS.idempotencyKeyLength} characters of ASCII, in quotes or not`,
  { type: "string", pattern: KEY_PATTERN },
);

/** Describes the `Idempotency-Key` of a request for which it must be hard to guess. `again`: what a repetition does. */
export const secretKey = (again: string) =>
  header(
    KEY.name,
    `A random UUID, at least ${LIMITS.roomlessKeyLength} characters: the same request under it ${again}`,
    { type: "string", pattern: KEY_PATTERN, minLength: LIMITS.roomlessKeyLength },
  );
