import fc from "fast-check";
import { type Condition, expr, source } from "../reference/conditions.ts";
import type { Edit } from "../reference/edits.ts";
import { list, put, putAll, read, remove, type Write } from "../reference/state.ts";
import {
  agent,
  command,
  condition,
  key,
  once,
  optional,
  query,
  revision,
  ttl,
  unless,
  value,
  version,
  view,
} from "./command.ts";

const scope = fc.constantFrom("_shared", "_shared", "ann");
const anyScope = fc.constantFrom("_shared", "_shared", "_view", "ann");
const if_version = optional(version, 4);
const rarely = ttl.filter((ttl) => ttl !== undefined).chain((ttl) => optional(fc.constant(ttl), 2));
/** Edits of what `value` draws and of what they make of it themselves. */
const edit = fc.constantFrom<Edit>(
  ...[{ merge: { x: [1] } }, { merge: { x: null, n: 1 } }, { append: 1 }, { append: { a: 1, b: 2 } }],
  ...[{ append_all: [2, 3] }, { remove: 1 }, { remove: { b: 2, a: 1 } }, { set: { "/x": [] } }, {
    set: { "/0": 7 },
  }],
  ...[{ set: { "/x/-": 2 }, unset: ["/n"] }, { unset: ["/0"] }, { unset: ["/x/0"] }],
);
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ scope, key, value, ttl: rarely, if_version }) },
  {
    weight: 3,
    arbitrary: fc.record({
      scope,
      key,
      increment: fc.constantFrom(-2, -1, 0, 1, 2, 0.5),
      ttl: rarely,
      if_version,
    }),
  },
  { weight: 3, arbitrary: fc.record({ scope, key, edit, ttl: rarely, if_version }) },
  { weight: 1, arbitrary: fc.record({ scope: fc.constant("_view"), key, view, if_version }) },
);
/** The version of an ETag, or 0 for `If-None-Match: *`. */
const etag = optional(version, 8);
const gate = optional(condition, 3);

const bodyOf = ({ view, edit, ...write }: Write) => ({
  ...write,
  ...edit,
  ...(view && { expr: expr(view) }),
});
const guard = (gate?: Condition) => gate ? { if: source(gate) } : {};

function demand(etag?: number): Record<string, string> {
  if (etag === undefined) return {};
  return etag === 0 ? { "If-None-Match": "*" } : { "If-Match": `"${etag}"` };
}

const writes = [
  command(
    "put",
    { write, gate, agent: optional(agent), etag, once },
    ({ write, gate, agent, etag }) => {
      const { if_version, ...plain } = bodyOf(write);
      const body = { ...plain, agent, ...guard(gate), ...(etag === undefined && { if_version }) };
      return { method: "PUT", path: "/state", body, headers: demand(etag) };
    },
    ({ write: { if_version, ...write }, etag, ...rest }, room) =>
      put(room, { ...write, ...(etag === undefined && { if_version }) }, { etag, ...rest }),
  ),
  command(
    "batch",
    { writes: fc.array(write, { minLength: 1, maxLength: 4 }), gate, agent: optional(agent), once },
    ({ writes, gate, agent }) => ({
      method: "PUT",
      path: "/state/batch",
      body: { writes: writes.map(bodyOf), agent, ...guard(gate) },
    }),
    ({ writes, ...demands }, room) => putAll(room, writes, demands),
  ),
  command(
    "delete",
    {
      scope: anyScope,
      key,
      if_version,
      gate,
      agent: optional(agent),
      etag: optional(fc.integer({ min: 1, max: 4 }), 8),
      once,
    },
    ({ scope, key, if_version, gate, agent, etag }) => ({
      method: "DELETE",
      path: "/state",
      body: { scope, key, agent, ...guard(gate), ...(etag === undefined && { if_version }) },
      headers: demand(etag),
    }),
    ({ scope, key, if_version, ...demands }, room) =>
      remove(room, { scope, key, ...(demands.etag === undefined && { if_version }) }, demands),
  ),
];

const reads = [
  command(
    "read",
    { scope: anyScope, key, resolve: fc.boolean(), known: optional(version) },
    ({ scope, key, resolve, known }) => ({
      method: "GET",
      path: `/state${query({ scope, key, resolve })}`,
      headers: unless(known),
    }),
    (asked, room) => read(room, asked),
  ),
  command(
    "list",
    {
      scope: optional(anyScope),
      since: optional(revision),
      prefix: optional(fc.constantFrom("a", "b", "A")),
      resolve: fc.boolean(),
    },
    (asked) => ({ method: "GET", path: `/state${query(asked)}` }),
    (asked, room) => list(room, asked),
  ),
];

export const stateCommands = { writes, reads };
