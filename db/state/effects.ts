import { shownRoom } from "../access/locked.ts";
import { type Homes, isOfAgent } from "../access/private.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Row } from "../driver/statement.ts";
import { stored } from "../json.ts";
import { FROM_ADMITTED } from "../write/admission.ts";
import type { Step } from "../write/context.ts";
import { chainOf, stepsOf } from "./edit_sql.ts";
import { type Entry, expiryOf, eyesOf, toEntry, VIEW_SCOPE } from "./entry.ts";
import { putFrom, type PutKind, UPSERT } from "./entry_sql.ts";
import { mayKeep, type Put, type StateWrite } from "./put.ts";

const SUM = "CAST(CASE WHEN deleted THEN 0 ELSE CAST(value AS INTEGER) END + :delta AS TEXT)";

const editedAt = (home: string | undefined) => `
  WITH edited AS MATERIALIZED (SELECT revision, versions_above, (${
  chainOf("changed", "", home)
}) AS value ${FROM_ADMITTED})`;

/** Puts what an edit makes of an entry, if that differs. */
const editWith = (kind: PutKind) =>
  editedAt(kind.home) +
  putFrom(
    { from: "FROM edited WHERE value IS NOT NULL", value: "value", expr: "NULL" },
    "excluded.value",
    kind,
  );

/** Selects the entry that a write has left, where the request does not have its value. */
const leftAt = (home: string) => `
  SELECT state.*, (SELECT revision FROM rooms WHERE id = :room) AS room_revision FROM state
   WHERE room_id = ${home} AND scope = :scope AND key = :key`;
const OF_LEFT = [
  "room_id",
  "scope",
  "key",
  "value",
  "expr",
  "version",
  "updated_at",
  "updated_by",
  "verified",
  "expires_at",
  "room_revision",
];

/** The weight of a value that is stored under a key, so that few share a batch: it may be of 64 KiB, escaped twice. */
const STORED_WEIGHT = 8;

/** Makes what is stored under a key: the version, and numbers, since a request does not have the sums. */
const answerWith = (columns: string[], home: string) => ({
  columns: ["version", "value", ...columns],
  query: `
    SELECT version, CASE WHEN json_type(value) IN ('integer', 'real') THEN value END AS value, expires_at, verified, eyes
      FROM state WHERE room_id = ${home} AND scope = :scope AND key = :key`,
});

/** Makes the statements of a kind of put, and what is stored under a key as its answer. */
const sqlOf = (kind: PutKind) => {
  const { expires, verifies, defines, home = ":room" } = kind;
  const columns = [
    ...expires ? ["expires_at"] : [],
    ...verifies ? ["verified"] : [],
    ...verifies && defines ? ["eyes"] : [],
  ];
  const returned = [...columns, ...kind.home ? ["room_id <> :room AS hidden"] : []];
  return {
    put: `${UPSERT("excluded.value", kind)} RETURNING ${["version", ...returned].join(", ")}`,
    add: `${UPSERT(SUM, kind)} RETURNING ${["version", "value", ...returned].join(", ")}`,
    edit: editWith(kind),
    left: leftAt(home),
    answer: answerWith(columns, home),
  };
};

const kinds = new Map<string, ReturnType<typeof sqlOf>>();

/** Returns the same from a cache. */
function kindOf(kind: PutKind): ReturnType<typeof sqlOf> {
  const name = JSON.stringify(kind);
  const known = kinds.get(name) ?? sqlOf(kind);
  kinds.set(name, known);
  return known;
}

/** Makes the statements of a write. One of them brings its answer, the row for `entryOf`. */
export function effectsOf(
  write: StateWrite,
  { room, nonce, put, now, verifies, homes }: {
    room: string;
    nonce: string;
    put: Put;
    now: Date;
    /** Whether its writer may be secure. */
    verifies: boolean;
    homes?: Homes;
  },
): Step[] {
  const { scope, key, expr = null, delta, edit, computed, ttl } = write;
  const home = homes && isOfAgent(scope) ? homes : undefined;
  const { answer, ...sql } = kindOf({
    expires: ttl !== undefined,
    verifies,
    defines: scope === VIEW_SCOPE,
    home: home?.of(":scope"),
  });
  const entry = { ...home?.args, room, scope, key };
  const value = write.json ?? JSON.stringify(delta ?? write.value ?? null);
  const written = { ...entry, nonce, now: now.toISOString(), agent: put.agent ?? null, ...(ttl && { ttl }) };
  const args = { ...written, value, expr };
  if (delta !== undefined) return [{ sql: sql.add, args: { ...args, delta }, single: true, answer }];
  const weight = weightOfJson(value);
  if (!edit && !computed) return [{ sql: sql.put, args, single: true, answer, weight }];
  const left: Step = {
    sql: sql.left,
    args: entry,
    single: true,
    answer: { columns: OF_LEFT, weight: STORED_WEIGHT },
  };
  if (computed) return [...computed === "kept" ? [] : [{ sql: sql.put, args, single: true, weight }], left];
  const steps = JSON.stringify([...stepsOf(edit!), { kind: "end", always: !mayKeep(write) }]);
  const edited = { ...written, steps, max_bytes: put.limits.valueBytes };
  return [{ sql: sql.edit, args: edited, weight: weightOfJson(steps) }, left];
}

/** Makes the entry that a write has left, of the row of its answer. Of a batch, edited values stay as they are stored. */
export function entryOf(
  room: string,
  write: StateWrite,
  row: Row,
  { agent, batch }: Put,
  now: Date,
): Entry {
  if (write.edit) return batch ? toEntry(row, stored) : toEntry(row);
  return {
    room_id: shownRoom(room),
    scope: write.scope,
    key: write.key,
    value: write.delta === undefined ? write.value ?? null : JSON.parse(row.value as string),
    ...(write.expr === undefined ? {} : { expr: write.expr, as: eyesOf(row) }),
    version: Number(row.version),
    updated_at: now.toISOString(),
    updated_by: agent ?? null,
    verified_by: Boolean(row.verified),
    expires_at: expiryOf(row),
  };
}
