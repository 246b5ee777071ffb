import { isObject, type Json } from "../json.ts";
import type { Change, Edit } from "./edit.ts";

/*
 * Edits in SQL. A stored value is a text as JSON.stringify makes it, and every edit leaves such a text: its first
 * character tells its type, equal lists and scalars have equal texts, and lists can be joined as texts.
 */

/** A step of the writes of one key, for `chainOf`. */
export type Step =
  | { kind: "put" | "append" | "merge" | "remove" | "remove_alike"; text: string }
  | { kind: "add"; delta: number }
  /** Enters a member, or an item, of what the steps before entered. */
  | { kind: "enter"; label: string; at: number | null }
  | { kind: "set"; label: string; at: number | null; name: string; text: string }
  | { kind: "unset"; label: string; at: number | null }
  /** Ends a write, which counts `always`, or only if it has changed the value. */
  | { kind: "end"; always: boolean }
  /** Requires a version after the writes before. */
  | { kind: "version"; version: number };

/** The maximum number of items that `remove` takes from a list in SQL. */
const MAX_REMOVED = 8;

/**
 * Selects what `remove` leaves of a list; nothing where it takes too many items. Numbers are compared as texts, since
 * SQLite reads some numbers as their neighbours. Objects are equal that have the same values at all paths and the same
 * length.
 */
const WITHOUT = `
  WITH found (path) AS (
      SELECT '$[' || member.key || ']' FROM json_each(done.value) AS member
       WHERE member.type = json_type(step.text) AND CASE
         WHEN member.type NOT IN ('array', 'object') THEN CASE
           WHEN member.atom IS step.text ->> '$' THEN done.value -> member.key = step.text END
         WHEN member.value = step.text THEN TRUE
         WHEN step.kind = 'remove_alike' AND octet_length(member.value) = octet_length(step.text) THEN NOT EXISTS (
           SELECT fullkey, type, atom FROM json_tree(member.value)
           EXCEPT SELECT fullkey, type, atom FROM json_tree(step.text)) END
       LIMIT ${MAX_REMOVED + 1}),
    paths (list) AS (SELECT json_group_array(path) FROM found)
  SELECT json_remove(done.value, ${
  Array.from({ length: MAX_REMOVED }, (_, n) => `COALESCE(list ->> ${MAX_REMOVED - 1 - n}, '$[#]')`).join(
    ", ",
  )
}) FROM paths WHERE list ->> ${MAX_REMOVED} IS NULL`;

/** Selects the object that a step has entered, with one more member at its end. */
const WITH_MEMBER = `
  SELECT substr(text, 1, length(text) - 1) || CASE text WHEN '{}' THEN '' ELSE ',' END || step.name || ':' || step.text || '}'
    FROM (SELECT done.value -> done.path AS text)`;

const SUM = "CAST(done.value AS INTEGER) + step.delta";
const LABELLED = "done.path || step.label";
const PLACED = "done.path || '[' || step.at || ']'";
const TYPE = "json_type(done.value, done.path)";
const LENGTH = "json_array_length(done.value, done.path)";
const HAS_LABEL = `json_type(done.value, ${LABELLED}) IS NOT NULL`;
const IS = (kind: string, ...conditions: string[]) => [`step.kind = '${kind}'`, ...conditions].join(" AND ");

// SQLite ends a label at a NUL, so it does not look into objects that have one.
const NAMED = `instr(done.value, '\\u0000') = 0`;
const OBJECT = `${TYPE} = 'object' AND ${NAMED}`;
const LIST = `${TYPE} = 'array' AND ${NAMED}`;

/**
 * The value that a step leaves, by the first condition that is true; null where none is. Cheap conditions come first.
 */
const RESULTS: Array<[condition: string, value: string]> = [
  [IS("put"), "step.text"],
  [IS("end", "octet_length(done.value) <= :max_bytes"), "done.value"],
  [IS("version", "(SELECT version FROM stored) + done.written = step.version"), "done.value"],
  [IS("append", "COALESCE(done.value, '[]') = '[]'"), "'[' || step.text || ']'"],
  [IS("append", "substr(done.value, 1, 1) = '['", "step.text = ''"), "done.value"],
  [
    IS("append", "substr(done.value, 1, 1) = '['"),
    "substr(done.value, 1, length(done.value) - 1) || ',' || step.text || ']'",
  ],
  [IS("merge", "done.value IS NULL"), "json_patch('{}', step.text)"],
  [IS("merge", "substr(done.value, 1, 1) = '{'", NAMED), "json_patch(done.value, step.text)"],
  [`step.kind IN ('remove', 'remove_alike') AND substr(done.value, 1, 1) = '['`, `(${WITHOUT})`],
  [IS("add", "done.value IS NULL"), "CAST(step.delta AS TEXT)"],
  [
    IS(
      "add",
      "json_type(done.value) = 'integer'",
      `${SUM} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`,
    ),
    `CAST(${SUM} AS TEXT)`,
  ],
  [IS("enter", OBJECT, HAS_LABEL), "done.value"],
  [IS("enter", LIST, `step.at BETWEEN 0 AND ${LENGTH} - 1`), "done.value"],
  [IS("set", OBJECT, HAS_LABEL), `json_replace(done.value, ${LABELLED}, json(step.text))`],
  [IS("set", OBJECT), `json_replace(done.value, done.path, json((${WITH_MEMBER})))`],
  [
    IS("set", LIST, `step.at IN (-1, ${LENGTH})`),
    `json_insert(done.value, done.path || '[#]', json(step.text))`,
  ],
  [IS("set", LIST, `step.at < ${LENGTH}`), `json_replace(done.value, ${PLACED}, json(step.text))`],
  [IS("unset", OBJECT, HAS_LABEL), `json_remove(done.value, ${LABELLED})`],
  [IS("unset", LIST, `step.at BETWEEN 0 AND ${LENGTH} - 1`), `json_remove(done.value, ${PLACED})`],
];

/** The columns of `chainOf`: how many of the writes count, and the value that they leave if any counts. */
const COLUMNS = { written: "written", changed: "CASE WHEN written > 0 THEN value END" };

const COLUMNS_OF_STEP = ["kind", "text", "delta", "label", "at", "name", "always", "version"];

/**
 * Selects one column of what the steps `:steps<n>` leave of the entry of `:scope<n>` and `:key<n>`, whose `room_id` is
 * `home`. Selects nothing where one of them is refused, or is not for the database to judge. The statement is flat,
 * since the parser takes no deeper one.
 *
 * Columns of `done`: `value`, null where the key is absent or a step has failed; `path`, what has been entered;
 * `before`, the value before the write; `written`, the writes that count so far.
 */
export const chainOf = (column: keyof typeof COLUMNS, n: number | "" = "", home = ":room") => `
  WITH RECURSIVE
    step (n, ${COLUMNS_OF_STEP.join(", ")}) AS MATERIALIZED (
      SELECT key, ${
  COLUMNS_OF_STEP.map((name) => `value ->> '${name}'`).join(", ")
} FROM json_each(:steps${n})),
    stored (value, version) AS MATERIALIZED (
      SELECT CASE WHEN NOT deleted THEN value END, version FROM state
       WHERE room_id = ${home} AND scope = :scope${n} AND key = :key${n}),
    done (n, value, path, before, written) AS (
      SELECT 0, (SELECT value FROM stored), '$', (SELECT value FROM stored), 0
      UNION ALL
      SELECT
        done.n + 1,
        CASE ${
  RESULTS.map(([condition, value]) => `WHEN ${condition} THEN ${value}`).join("\n             ")
} END,
        CASE WHEN ${IS("enter", `${TYPE} = 'object'`)} THEN ${LABELLED} WHEN ${
  IS("enter")
} THEN ${PLACED} ELSE '$' END,
        CASE step.kind WHEN 'end' THEN done.value ELSE done.before END,
        done.written + (step.kind = 'end' AND (step.always OR done.value IS NOT done.before))
      FROM done JOIN step ON step.n = done.n
      WHERE done.n = 0 OR done.value IS NOT NULL)
  SELECT ${COLUMNS[column]} FROM done WHERE n = (SELECT COUNT(*) FROM step) AND value IS NOT NULL`;

/** Makes the steps of an edit. */
export function stepsOf(edit: Edit): Step[] {
  switch (edit.kind) {
    case "merge":
      return [{ kind: "merge", text: JSON.stringify(edit.patch) }];
    case "append":
      return [{ kind: "append", text: JSON.stringify(edit.items).slice(1, -1) }];
    case "remove":
      return [{ kind: isOrdered(edit.item) ? "remove_alike" : "remove", text: JSON.stringify(edit.item) }];
    case "change":
      return edit.changes.flatMap(stepsOfChange);
  }
}

function stepsOfChange({ tokens, value }: Change): Step[] {
  const steps = tokens.map((token) => ({ label: labelOf(token), at: indexAt(token) }));
  const last = steps.pop()!;
  const leaf: Step = value === undefined
    ? { kind: "unset", ...last }
    : { kind: "set", ...last, name: JSON.stringify(tokens.at(-1)), text: JSON.stringify(value) };
  return [...steps.map((step): Step => ({ kind: "enter", ...step })), leaf];
}

/** Makes the part of a path that names a member: in it, a quote would end the name and a backslash begin an escape. */
function labelOf(token: string): string {
  const escaped = JSON.stringify(token).slice(1, -1)
    .replace(/\\["\\]/g, (escape) => escape === '\\"' ? "\\u0022" : "\\u005c");
  return `."${escaped}"`;
}

/** Indexes of lists. Longer ones are beyond any list. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** Reads a token of a pointer as the index of an item, -1 for the end of a list; null where it is none. */
function indexAt(token: string): number | null {
  if (token === "-") return -1;
  return INDEX.test(token) ? Number(token) : null;
}

/** Characters that SQL does not store unchanged: NUL and lone surrogates, as JSON.stringify escapes them. */
const UNHELD = /\\u(0000|d[89a-f])/;

/**
 * Limits the database's work for the edits of one write or batch, during which it serves nobody else: some 70 ms with
 * the largest values. Costs are in units of 40 microseconds with a value of 64 KiB.
 */
const MAX_COST = 1_000;
const COSTS = { merge: 2, append: 10, remove: 350, remove_alike: 400, step: 30 };
/** The maximum number of characters of an item whose members are compared by their paths. */
const MAX_ALIKE = 4_096;

/** Whether the database can make these edits exactly, and in bounded time. */
export function areForDatabase(edits: Edit[]): boolean {
  return edits.reduce((sum, edit) => sum + costOf(edit), 0) <= MAX_COST;
}

function costOf(edit: Edit): number {
  if (UNHELD.test(JSON.stringify(edit))) return Infinity;
  switch (edit.kind) {
    case "merge":
      return COSTS.merge * membersIn(edit.patch);
    case "append":
      return COSTS.append;
    case "remove": {
      const { item } = edit;
      if (!isOrdered(item)) return COSTS.remove;
      return JSON.stringify(item).length > MAX_ALIKE || !isExact(item) ? Infinity : COSTS.remove_alike;
    }
    case "change":
      return edit.changes.reduce((sum, { tokens }) => sum + COSTS.step * (1 + tokens.length / 4), 0);
  }
}

const childrenOf = (value: Json): Json[] =>
  value !== null && typeof value === "object" ? Object.values(value) : [];

/** Counts the members of all objects in a value. */
function membersIn(value: Json): number {
  const children = childrenOf(value);
  return children.reduce(
    (sum: number, child) => sum + membersIn(child),
    isObject(value) ? children.length : 0,
  );
}

/** Whether a value has an object with several members, so that an equal value may have another text. */
function isOrdered(value: Json): boolean {
  return isObject(value) && Object.keys(value).length > 1 || childrenOf(value).some(isOrdered);
}

/** Whether SQLite reads each number of a value exactly. */
function isExact(value: Json): boolean {
  return typeof value === "number" ? Number.isSafeInteger(value) : childrenOf(value).every(isExact);
}
