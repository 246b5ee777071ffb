import { isObject, type Json } from "../json.ts";
import type { Change, Edit } from "./edit.ts";

/*
 * Edits in SQL. A stored value is the text that JSON.stringify makes, and every edit leaves such a text: its first
 * character tells its type, equal lists and scalars have equal texts, and lists are joined as texts.
 */

/** A step of the writes of one key, which `chainOf` takes. */
export type Step =
  | { kind: "put" | "append" | "merge" | "remove" | "remove_alike"; text: string }
  | { kind: "add"; delta: number }
  /** Enters a member, or an item, of what the steps before have entered. */
  | { kind: "enter"; label: string; at: number | null }
  | { kind: "set"; label: string; at: number | null; name: string; text: string }
  | { kind: "unset"; label: string; at: number | null }
  /** Ends a write, which is one `always`, or if it changed the value. */
  | { kind: "end"; always: boolean }
  /** Requires a version after the writes before. */
  | { kind: "version"; version: number };

/** Items that `remove` takes from a list in SQL. */
const MAX_REMOVED = 8;

/**
 * Selects what `remove` leaves of a list: nothing where it takes too many items. A number's own text decides, since
 * SQLite reads some numbers as their neighbours. Objects are alike that have the same at every path and one length.
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

/** What a step makes of a value, by the first condition that holds; null where none does. The cheap ones stand first. */
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

/** Columns of `chainOf`: how many of the writes are some, and the value that they leave if any of them is. */
const COLUMNS = { written: "written", changed: "CASE WHEN written > 0 THEN value END" };

const COLUMNS_OF_STEP = ["kind", "text", "delta", "label", "at", "name", "always", "version"];

/**
 * Selects one column of what the steps `:steps<n>` make of the entry `:scope<n>` and `:key<n>`, which is stored under
 * `home`. Selects nothing where one of them is refused, or is not for the database to judge. It is flat, since the
 * parser takes no deeper statement.
 *
 * Columns of `done`: `value` null where there is no entry, or where a step has failed; `path` what has been entered;
 * `before` the value before the write; `written` the writes so far.
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
  const steps = tokens.map((token) => ({ label: labelOf(token), at: placeOf(token) }));
  const last = steps.pop()!;
  const leaf: Step = value === undefined
    ? { kind: "unset", ...last }
    : { kind: "set", ...last, name: JSON.stringify(tokens.at(-1)), text: JSON.stringify(value) };
  return [...steps.map((step): Step => ({ kind: "enter", ...step })), leaf];
}

/** Makes a path's part that names a member: a quote would end it, and a backslash begins an escape. */
function labelOf(token: string): string {
  const escaped = JSON.stringify(token).slice(1, -1)
    .replace(/\\["\\]/g, (escape) => escape === '\\"' ? "\\u0022" : "\\u005c");
  return `."${escaped}"`;
}

/** Longer indexes are beyond any list. */
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** Reads a token as the index of an item, -1 for the end of a list. */
function placeOf(token: string): number | null {
  if (token === "-") return -1;
  return INDEX.test(token) ? Number(token) : null;
}

/** Characters that SQL text does not hold unchanged: NUL and lone surrogates, as JSON.stringify escapes them. */
const UNHELD = /\\u(0000|d[89a-f])/;

/**
 * Limits what the database does for the edits of one write or batch, which keeps others from it: some 70 ms with the
 * largest values. Each cost is in units of 40 microseconds with a value of 64 KiB.
 */
const MAX_COST = 1_000;
const COSTS = { merge: 2, append: 10, remove: 150, remove_alike: 400, step: 25 };
/** Characters of an item up to which its members are compared by their paths. */
const MAX_ALIKE = 4_096;

/** Whether the database may make these edits: it does so exactly, and in bounded time. */
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

/** Whether an object with several members is in a value, so that equal ones may have other texts. */
function isOrdered(value: Json): boolean {
  return isObject(value) && Object.keys(value).length > 1 || childrenOf(value).some(isOrdered);
}

/** Whether SQLite reads each number of a value as no other. */
function isExact(value: Json): boolean {
  return typeof value === "number" ? Number.isSafeInteger(value) : childrenOf(value).every(isExact);
}
