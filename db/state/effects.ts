import { shownRoom } from "../access/locked.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Row } from "../driver/statement.ts";
import { FROM_ADMITTED } from "../write/admission.ts";
import type { Step } from "../write/idempotency.ts";
import { chainOf, stepsOf } from "./edit_sql.ts";
import { type Entry, expiryOf, toEntry } from "./entry.ts";
import { putFrom, type PutKind, UPSERT } from "./entry_sql.ts";
import type { Put } from "./explain_refusal.ts";
import { mayKeep, type StateWrite } from "./preconditions.ts";

const SUM = "CAST(CASE WHEN deleted THEN 0 ELSE CAST(value AS INTEGER) END + :delta AS TEXT)";

const EDITED = `
  WITH edited AS MATERIALIZED (SELECT revision, (${chainOf("changed")}) AS value ${FROM_ADMITTED})`;

/** Puts what an edit makes of an entry, unless that is what it is. */
const editWith = (kind: PutKind) =>
  EDITED +
  putFrom(
    { from: "FROM edited WHERE value IS NOT NULL", value: "value", expr: "NULL" },
    "excluded.value",
    kind,
  );

/** Selects the entry that a write has left, for answers that the request does not hold. */
const LEFT = `
  SELECT state.*, (SELECT revision FROM rooms WHERE id = :room) AS room_revision FROM state
   WHERE room_id = :room AND scope = :scope AND key = :key`;
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

/** The answer stores numbers too, since a request does not hold its sums. */
const answerWith = (columns: string[]) => ({
  columns: ["version", "value", ...columns],
  query: `
    SELECT version, CASE WHEN json_type(value) IN ('integer', 'real') THEN value END AS value, expires_at, verified
      FROM state WHERE room_id = :room AND scope = :scope AND key = :key`,
});

/** Makes the SQL of a kind of write, and what is its answer. */
const sqlOf = (kind: PutKind) => {
  const columns = [...kind.expires ? ["expires_at"] : [], ...kind.verifies ? ["verified"] : []];
  return {
    put: `${UPSERT("excluded.value", kind)} RETURNING ${["version", ...columns].join(", ")}`,
    add: `${UPSERT(SUM, kind)} RETURNING ${["version", "value", ...columns].join(", ")}`,
    edit: editWith(kind),
    answer: answerWith(columns),
  };
};

/** By whether it `expires`, and then by whether it `verifies`. */
const KINDS = [false, true].map((expires) => [false, true].map((verifies) => sqlOf({ expires, verifies })));

/** Makes the statements of a write, one of which brings its answer. */
export function effectsOf(
  write: StateWrite,
  { room, nonce, put, now, verifies }: {
    room: string;
    nonce: string;
    put: Put;
    now: Date;
    /** Whether its writer may be secure. */
    verifies: boolean;
  },
): Step[] {
  const { scope, key, expr = null, delta, edit, computed, ttl } = write;
  const { answer, ...sql } = KINDS[Number(ttl !== undefined)]![Number(verifies)]!;
  const entry = { room, scope, key };
  const value = JSON.stringify(delta ?? write.value ?? null);
  const written = { ...entry, nonce, now: now.toISOString(), agent: put.agent ?? null, ...(ttl && { ttl }) };
  const args = { ...written, value, expr };
  if (delta !== undefined) return [{ sql: sql.add, args: { ...args, delta }, single: true, answer }];
  const weight = weightOfJson(value);
  if (!edit && !computed) return [{ sql: sql.put, args, single: true, answer, weight }];
  const left: Step = { sql: LEFT, args: entry, single: true, answer: { columns: OF_LEFT } };
  if (computed) return [...computed === "kept" ? [] : [{ sql: sql.put, args, single: true, weight }], left];
  const steps = JSON.stringify([...stepsOf(edit!), { kind: "end", always: !mayKeep(write) }]);
  const edited = { ...written, steps, max_bytes: put.limits.valueBytes };
  return [{ sql: sql.edit, args: edited, weight: weightOfJson(steps) }, left];
}

/** Makes the entry that a write has left of the row of its answer. */
export function entryOf(
  room: string,
  write: StateWrite,
  row: Row,
  agent: string | undefined,
  now: Date,
): Entry {
  if (write.edit) return toEntry(row);
  return {
    room_id: shownRoom(room),
    scope: write.scope,
    key: write.key,
    value: write.delta === undefined ? write.value ?? null : JSON.parse(row.value as string),
    ...(write.expr === undefined ? {} : { expr: write.expr }),
    version: Number(row.version),
    updated_at: now.toISOString(),
    updated_by: agent ?? null,
    verified_by: Boolean(row.verified),
    expires_at: expiryOf(row),
  };
}
