import { named, type Row } from "./row.ts";

/** A refused write of a batch: its index, and the version that earlier writes of the batch gave the key. */
interface RefusedWrite {
  index?: number;
  after?: number;
}

const isAfter = (after?: number) => after === undefined ? "" : "After the earlier writes of this batch, ";

/** What each edit needs of a value. */
const EDITS = {
  merge: ["merge", "an object"],
  append: ["append", "a list"],
  remove: ["remove", "a list"],
  change: ["set or unset", "an object or a list"],
};

const TYPES = {
  null: "null",
  boolean: "a boolean",
  number: "a number",
  string: "a text",
  array: "a list",
  object: "an object",
};

/** The path of a key, as expressions write it. */
const PATH = /^(?:state\.)?_(?:shared|view)\./;

/** Errors of reads and writes of state. */
export const STATE = {
  key_not_found: {
    status: 404,
    cause: "Nobody wrote this key, or it was deleted.",
    cure: "Write it, or wait for it: `has(state._shared.key)`.",
    // Either is "" if the caller's text cannot be one.
    say: ({ scope, key }: { scope: string; key: string }) =>
      scope === "" || key === ""
        ? {
          message: "There is no such key in this room.",
          hint:
            "A key has 1 to 256 characters, a scope 1 to 128, without control characters and not only spaces.",
        }
        : {
          message: `There is no key ${JSON.stringify(key)} in scope ${JSON.stringify(scope)}.`,
          hint: PATH.test(key)
            ? "A key is named without its scope: send a path such as `_shared.turn` as `scope` _shared, `key` turn."
            : "Write it with PUT /rooms/:id/state, or wait for it with has(...).",
        },
  },
  version_conflict: {
    status: 409,
    cause: "`if_version` is not the entry's version: somebody wrote in between.",
    cure: "Decide again from `current`, and send the write with its version.",
    members: ["current", "index?"],
    say: ({ scope, key, expected, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      expected: number;
      /** The stored entry. A refused batch stores nothing. */
      current: { version: number } | null;
    }) => {
      const version = after ?? current?.version;
      const is = version === undefined
        ? `does not exist, so it is not at version ${expected}`
        : expected === 0
        ? `exists, at version ${version}`
        : `is at version ${version}, not ${expected}`;
      const hint = after === undefined
        ? "Decide again from `current`, and send its version as if_version (0: must not exist)."
        : "A write sees those before it: write the key once, or leave if_version to its first write.";
      return { message: `${isAfter(after)}${named(key, scope)} ${is}.`, index, current, hint };
    },
  },
  etag_mismatch: {
    status: 412,
    cause: "`If-Match` or `If-None-Match` does not match: somebody wrote in between.",
    cure: "Decide again from `current`, and send the write with its version as the `ETag`.",
    members: ["current"],
    say: ({ current }: { current: object | null }) => ({
      message: "The entry does not match the ETag.",
      current,
      hint: "Decide again from `current`, and send its version as the ETag.",
    }),
  },
  precondition_failed: {
    status: 409,
    cause: "The gate `if` was not true of the state that the write would have changed.",
    cure:
      "Wait until it is true, with the same expression as `condition`. `cause` says why it failed, such as a missing key.",
    members: ["expression", "evaluated", "cause?"],
    say: ({ failure, byNobody, ...members }: {
      expression: string;
      evaluated: unknown;
      failure?: { code: string; message: string; hint?: string };
      /** It reads `self`, and the request names no agent. */
      byNobody: boolean;
    }) =>
      failure
        ? {
          message: `The gate could not be evaluated: ${failure.message}`,
          ...members,
          cause: { code: failure.code, message: failure.message },
          hint: failure.hint,
        }
        : {
          message: "The gate is not true in the room's present state.",
          ...members,
          hint: byNobody
            ? "`self` is null: send the `agent` that writes."
            : "Wait until it is true, with the same expression as `condition`, and write again.",
        },
  },
  not_a_number: {
    status: 409,
    cause: "The value to be incremented is not a number, or the sum is out of range.",
    cure: "Write a number first, or use another key.",
    members: ["current", "index?"],
    say: ({ scope, key, delta, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      delta: number;
      current: object | null;
    }) => ({
      message: `${isAfter(after)}${named(key, scope)} cannot be incremented by ${delta}.`,
      index,
      current,
      hint: "Write a number as its `value` first. The sum must lie within ±(2^53 - 1).",
    }),
  },
  not_editable: {
    status: 409,
    cause:
      "The value is not of the type that the edit needs (`path` is empty), or `path` names nothing in it. Nothing was changed.",
    cure: "Look at `current`. Write the whole value, or first create what the pointer leads through.",
    members: ["current", "path", "index?"],
    // `found`: the type of what the edit finds, undefined where there is no value.
    say: ({ scope, key, edit, path, found, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      edit: keyof typeof EDITS;
      path: string;
      found?: keyof typeof TYPES;
      current: object | null;
    }) => {
      const [name, type] = EDITS[edit];
      const members = { index, current, path };
      if (path !== "") {
        return {
          message: `${isAfter(after)}${JSON.stringify(path)} names nothing in the value of ${
            named(key, scope)
          }.`,
          ...members,
          hint:
            "A pointer can only lead through what exists. `set` creates its last member; an index may be at most the list's length, which `-` stands for.",
        };
      }
      return found === undefined
        ? {
          message: `${named(key, scope)} does not exist, so there is nothing to ${name}.`,
          ...members,
          hint: "Write its value first. Only merge, append and append_all make a key that is missing.",
        }
        : {
          message: `${isAfter(after)}${named(key, scope)} is ${TYPES[found]}, and ${name} needs ${type}.`,
          ...members,
          hint: "Use an edit for its type, or write the whole value.",
        };
    },
  },
} satisfies Record<string, Row>;
