import { LIMITS } from "../limits.ts";

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description: string;
  schema: Record<string, unknown>;
  example?: unknown;
}

const text = { type: "string" };
const number = (minimum: number) => ({ type: "integer", minimum });

function query(name: string, description: string, schema: Record<string, unknown> = text): Parameter {
  return { name, in: "query", description, schema };
}

function header(name: string, description: string): Parameter {
  return { name, in: "header", description, schema: text };
}

const path = (name: string, description: string, example: string): Parameter => ({
  name,
  in: "path",
  required: true,
  description,
  schema: text,
  example,
});

/** The parameters of paths, by their name in the path. */
export const PATH_PARAMETERS: Record<string, Parameter> = {
  room: path("room", "The room's id", "demo"),
  agent: path("agent", "The agent's id", "alice"),
  message: path("message", "The message's id", "4"),
};

export const LIMIT = query(
  "limit",
  `How many at the most: ${LIMITS.listDefault} unless said; what is above ${LIMITS.listLength} counts as that`,
  number(1),
);

export const ROOM_FILTERS = [
  LIMIT,
  query("before", "Only rooms created before this time"),
  query("before_id", "Between rooms of one moment, as the `Link` of an answer has it"),
];

export const MESSAGE_FILTERS = [
  query("after", "Only messages whose id is greater", number(0)),
  query("from", "Only messages of this sender"),
  query("to", "Only messages to this receiver"),
  query("kind", "Only messages of this kind"),
  query("thread", "This message and every reply below it", number(0)),
  query("unclaimed", "`true`: only messages that nobody has claimed"),
  LIMIT,
  query("last", `The newest that match, at most ${LIMITS.listLength}; \`limit\` is then ignored`, number(1)),
];

export const STATE_FILTERS = [
  query("scope", "Only this scope; with `key` it is `_shared` unless said"),
  query("key", "This one entry, in place of a list"),
  query("prefix", "Only keys that begin so"),
  query("since", "Only what changed after this revision, deleted keys included", number(0)),
  query("resolve", "`true`: views with their present values"),
];

export const DELETE_MEMBERS = [
  query("scope", "The scope of the key: `_shared` unless said"),
  query("key", "The key to delete"),
  query("if_version", "Only if the entry has this version", number(0)),
  query("if", "CEL that must hold in the very state that the delete changes, URL-encoded"),
  query("agent", "Who deletes: `self` in the gate"),
];

export const AFTER_REVISION = query("after", "What changed after this revision", number(0));

export const LAST_EVENT = header("Last-Event-ID", "Where a reader that comes back goes on");

export const WAIT_PARAMETERS = [
  { ...query("condition", "The CEL expression to wait for, URL-encoded"), required: true },
  query("agent", "Who waits; shown to others if it is registered"),
  query(
    "timeout",
    `Milliseconds; ${LIMITS.waitMs} unless said, and at the most; 0 looks once`,
    number(0),
  ),
  query(
    "include",
    "Comma-separated: `state`, `state.<scope>`, `agents`, `messages`, `messages:after:<id>`, `changes:after:<revision>`",
  ),
];

export const PAGE_PARAMETERS = [query("room", "The room whose live page is shown; without it, the guide")];

export const IF_NONE_MATCH = header(
  "If-None-Match",
  "An `ETag` that you have: 304 without a body while it is still right",
);

export const IF_MATCH = header(
  "If-Match",
  "The `ETag` that the entry must still have, weak or not, else 412; the same as `if_version`",
);

export const CREATE_ONLY = header(
  "If-None-Match",
  "`*`: only if the key does not exist, else 412; the same as `if_version: 0`",
);

export const IDEMPOTENCY_KEY = header(
  "Idempotency-Key",
  "A random UUID of yours: the same request sent again with it is done once, and answered the same",
);
