import { z } from "zod";
import type { Path } from "../http/errors.ts";
import { LIMITS } from "../http/limits.ts";
import { READS, REPLACES } from "./annotations.ts";
import { agent, anyJson, gate, ownMembers, repetition, room, version } from "./arguments.ts";
import { partOf } from "./rest.ts";
import type { Tools } from "./tools.ts";
import { members } from "./understood.ts";

const entryKey = {
  scope: z.string().optional().describe("_shared by default"),
  key: z.string().describe("The entry's name"),
};

const WRITE = {
  ...entryKey,
  value: anyJson("Any JSON; a text stays text").optional(),
  // Each has a description, else zod makes a list of types, which some clients drop.
  increment: z.union(
    [z.number().describe("So much"), z.boolean().describe("true: 1")],
    "must be true, false or a number",
  ).optional().describe("Add this instead of writing a value"),
  merge: ownMembers("Merge patch of an object; null removes").optional(),
  append: anyJson("Append it to a list").optional(),
  append_all: z.array(z.unknown()).optional().describe("Append each to a list"),
  remove: anyJson("Remove all equal items of a list").optional(),
  set: ownMembers('JSON pointers with values: {"/a/b/0": 1}').optional(),
  unset: z.array(z.string()).optional().describe("JSON pointers to remove"),
  ttl: z.int().min(1).optional().describe("Seconds until the key is deleted"),
  if_version: version.optional(),
  expr: z.string().optional().describe("CEL of a computed view, in scope _view"),
};

export function registerStateTools(tools: Tools): void {
  tools.register("get_state", {
    description: "Read one entry (key) or a list (a scope, a prefix, or all), with versions.",
    shape: {
      room,
      scope: z.string().optional().describe("With key _shared by default"),
      key: z.string().optional().describe("This one entry"),
      prefix: z.string().optional().describe("Only keys with this prefix"),
    },
    annotations: READS,
    rest({ scope = "_shared", key }) {
      const inScope = `state[${JSON.stringify(scope)}]`;
      if (key !== undefined) return `Ask for a part: ${partOf(`${inScope}[${JSON.stringify(key)}]`)}.`;
      return `Ask for less: get_state with scope, prefix or key; evaluate with expr ${inScope}.map(k, k) names the keys.`;
    },
    act: ({ room, ...query }, { api }) =>
      api.call("GET", ["rooms", room, "state"], { query: { ...query, resolve: true } }),
  });

  tools.register("write_state", {
    description:
      "Write or edit values, all or none. Each write has one of value, increment, merge, append, append_all, remove, set " +
      "(with unset), expr. On version_conflict look at current and decide again.",
    shape: {
      room,
      writes: z.array(members(WRITE)).min(1).max(LIMITS.batchWrites).describe("Made in this order"),
      if: gate.optional(),
      agent,
      idempotency_key: repetition,
    },
    annotations: REPLACES,
    rest: "Nothing more was done than this says. The values: get_state with scope and key.",
    act({ room, writes, idempotency_key: key, ...rest }, { api }) {
      const [first, ...others] = writes;
      const path = ["rooms", room, "state"];
      if (others.length > 0) {
        return api.call("PUT", [...path, "batch"], { body: { writes, ...rest }, key });
      }
      return api.call("PUT", path, { body: { ...first, ...rest }, key, named: ofFirstWrite });
    },
  });

  tools.register("delete_state", {
    description: "Delete a key.",
    shape: {
      room,
      ...entryKey,
      if_version: version.optional(),
      if: gate.optional(),
      agent,
      idempotency_key: repetition,
    },
    annotations: { ...REPLACES, idempotentHint: true },
    isOwn: () => true,
    rest: "The value: get_state with scope and key.",
    act: ({ room, idempotency_key: key, ...body }, { api }) =>
      api.call("DELETE", ["rooms", room, "state"], { body, key }),
  });
}

/** Maps a member of a single write to its path in the tool's arguments. */
function ofFirstWrite(path: Path): Path {
  return String(path[0]) in WRITE ? ["writes", 0, ...path] : path;
}
