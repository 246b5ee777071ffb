import { z } from "zod";
import { ONE_TAG } from "../http/etags.ts";
import { KEY_PATTERN } from "../http/idempotency.ts";
import { INCLUDE, INCLUDE_PATTERN } from "../include.ts";
import { LIMITS } from "../http/limits.ts";
import { TEXTS } from "../schemas.ts";
import { deletableScope } from "../state/schemas.ts";

type Schema = Record<string, unknown>;

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description: string;
  schema: Schema;
  /** An empty one is as if absent. */
  allowEmptyValue?: true;
  example?: unknown;
}

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean", default: false };
const number = (minimum: number, rules: Schema = {}): Schema => ({ type: "integer", minimum, ...rules });
const expression: Schema = { type: "string", minLength: 1, maxLength: LIMITS.expressionLength };

/** A schema of bodies, for what stands in a path or a query. */
function as(schema: z.ZodType): Schema {
  const { $schema: _, description: __, ...rules } = z.toJSONSchema(schema, { io: "input" });
  return rules;
}

const id = as(TEXTS.id);

function guard(name: string, description: string, schema: Schema): Parameter {
  return { name, in: "query", description, schema };
}

function query(name: string, description: string, schema = text): Parameter {
  return { name, in: "query", description, schema, allowEmptyValue: true };
}

function header(name: string, description: string, schema = text): Parameter {
  return { name, in: "header", description, schema };
}

function path(name: string, description: string, schema: Schema, example: unknown): Parameter {
  return { name, in: "path", required: true, description, schema, example };
}

/** The parameters of paths, by their name in the path. */
export const PATH_PARAMETERS: Record<string, Parameter> = {
  room: path("room", "The room's id", id, "demo"),
  agent: path("agent", "The agent's id", id, "alice"),
  message: path("message", "The message's id", number(1), 4),
};

export const LIMIT = query(
  "limit",
  `How many at the most; what is above ${LIMITS.listLength} counts as that`,
  number(1, { default: LIMITS.listDefault }),
);

export const ROOM_FILTERS = [
  LIMIT,
  query("before", "Only rooms created before this time", { type: "string", format: "date-time" }),
  query("before_id", "Between rooms of one moment, as the `Link` of an answer has it"),
];

export const MESSAGE_FILTERS = [
  query("after", "Only messages whose id is greater", number(0, { default: 0 })),
  query("from", "Only messages of this sender"),
  query("to", "Only messages to this receiver"),
  query("kind", "Only messages of this kind"),
  query("thread", "This message and every reply below it", number(0)),
  query("unclaimed", "`true`: only messages that nobody has claimed", flag),
  LIMIT,
  query("last", `The newest that match, at most ${LIMITS.listLength}; \`limit\` is then ignored`, number(1)),
];

export const STATE_FILTERS = [
  query("scope", "Only this scope; with `key` it is `_shared` unless said"),
  query("key", "This one entry, in place of a list"),
  query("prefix", "Only keys that begin so"),
  query(
    "since",
    "Only what changed after this revision, deleted keys included; all, where the room has not come so far",
    number(0),
  ),
  query("resolve", "`true`: views with their present values", flag),
];

export const DELETE_MEMBERS = [
  query("scope", "The scope of the key: `_shared` unless said", as(deletableScope)),
  query("key", "The key to delete", as(TEXTS.key)),
  guard("if_version", "Only if the entry has this version, else 409", number(0)),
  guard("if", "CEL that must hold in the very state that the delete changes, URL-encoded", expression),
  query("agent", "Who deletes: `self` in the gate", id),
];

export const AFTER_REVISION = query(
  "after",
  "What changed after this revision; all, with `reset`, where the room has not come so far",
  number(0, { default: 0 }),
);
export const FOLLOW_AFTER = query(
  "after",
  "What changed after this revision; what comes unless said",
  number(0),
);

export const LAST_EVENT = header(
  "Last-Event-ID",
  "Where a reader that comes back goes on; `after` then does not count",
  number(0),
);

export const WAIT_PARAMETERS = [
  { ...guard("condition", "The CEL expression to wait for, URL-encoded", expression), required: true },
  query("agent", "Who waits; shown to others if it is registered", as(TEXTS.ownId)),
  query(
    "timeout",
    `Milliseconds; what is above ${LIMITS.waitMs} counts as that, 0 looks once`,
    number(0, { default: LIMITS.waitMs }),
  ),
  query("include", INCLUDE, { type: "string", pattern: INCLUDE_PATTERN }),
];

export const PAGE_PARAMETERS = [
  query("room", "The room whose live page is shown; without it, the guide"),
  query("expr", "A CEL expression that the room's page evaluates"),
  query("agent", "Who evaluates: `self` in it"),
];

export const IF_NONE_MATCH = header(
  "If-None-Match",
  "An `ETag` that you have: 304 without a body while it is still right",
);

export const IF_MATCH = header(
  "If-Match",
  "The `ETag` that the entry must still have, weak or not, else 412; the same as `if_version`",
  { type: "string", pattern: ONE_TAG.source },
);

export const CREATE_ONLY = header(
  "If-None-Match",
  "`*`: only if the key does not exist, else 412; the same as `if_version: 0`",
  { type: "string", enum: ["*"] },
);

export const KEY = header(
  "Idempotency-Key",
  "A random UUID of yours: the same request sent again with it is done once, and answered the same. " +
    `1 to ${LIMITS.idempotencyKeyLength} characters of ASCII, in quotes or not`,
  { type: "string", pattern: KEY_PATTERN },
);

/** The same where it may stand for a room that has no id yet. */
export const ROOM_KEY = {
  ...KEY,
  description: `${KEY.description}; at least ${LIMITS.roomlessKeyLength} where the room's id is not given`,
};
