import { pause } from "../pause.ts";
import type { Database } from "../database.ts";
import { holds } from "../write/read_set.ts";
import type { Step } from "../write/idempotency.ts";
import { COALESCED_PUTS } from "./coalesced_put.ts";
import { Refusal, served } from "../refusal.ts";
import type { Entry } from "./entry.ts";
import { admitPut } from "./admission.ts";
import { explainRefusal, type Put, selectStored, storedArgs } from "./explain_refusal.ts";
import { preconditionsOf, type StateWrite } from "./preconditions.ts";
import type { Row } from "../driver/statement.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Judged, KeyChange, Operation, Outcome, WriteContext } from "../write/context.ts";
import { commit } from "../write/write.ts";
import { UPSERT } from "./entry_sql.ts";

const PUT = `${UPSERT("excluded.value")} RETURNING version`;

const ADD = `${
  UPSERT("CAST(CASE WHEN deleted THEN 0 ELSE CAST(value AS INTEGER) END + :delta AS TEXT)")
} RETURNING version, value`;

// The answer stores numbers too, since a request does not hold its sums.
const ANSWER = {
  columns: ["version", "value"],
  query: `
    SELECT version, CASE WHEN json_type(value) IN ('integer', 'real') THEN value END AS value
      FROM state WHERE room_id = :room AND scope = :scope AND key = :key`,
};

// Only a refusal needs the stored entries; an admitted write would read its own values back.
const NOT_ADMITTED = "admitted IS NOT :nonce";

export interface Written {
  entries: Entry[];
  revision: number;
}

const MAX_ATTEMPTS = 50;
const MAX_PAUSE_MS = 20;

/**
 * Applies the writes in order, each seeing those before it, all or none, as one revision. Answers with the entry that
 * each write left. Errors: `room_not_found`, `version_conflict`, `not_a_number`, `limit_reached`.
 */
export function putEntries(database: Database, room: string, put: Put): Operation<Written> {
  return {
    run: (context, judged) => runPut({ database, context, room, put, judged }),
    changes: changesOf(put.writes),
    answer: ({ now, revision, rows }) => ({
      entries: put.writes.map((write, n) => entryOf(room, write, rows[n]![0]!, put.agent, now)),
      revision: revision!,
    }),
  };
}

/** The changes of writes; undefined with a view, whose value depends on its expression. */
function changesOf(writes: StateWrite[]): KeyChange[] | undefined {
  if (writes.some(({ expr }) => expr !== undefined)) return undefined;
  return writes.map(({ scope, key, delta, value = null }) =>
    delta === undefined ? { scope, key, value } : { scope, key, delta }
  );
}

interface Attempt {
  database: Database;
  context: WriteContext;
  room: string;
  put: Put;
  judged?: Judged;
}

async function runPut(attempt: Attempt): Promise<Outcome | undefined> {
  const { database, room, put, judged } = attempt;
  const plain = await putCoalesced(attempt);
  if (plain) return plain;
  const whole = put.writes.every(({ delta = 0 }) => Number.isSafeInteger(delta));
  const outcome = whole ? await tryPut(attempt) : "fraction";
  if (outcome !== "fraction") return outcome;
  const add = () => putSums(attempt);
  return await (judged ? add() : database.serialize(room, add)); // a gated write is serialized already
}

/**
 * Puts a single value without preconditions, coalesced with others: a file takes 1.5 times as many of them, a server 4
 * times. Returns undefined for any other put, and where it must go alone.
 */
async function putCoalesced(
  { database, context, room, put, judged }: Attempt,
): Promise<Outcome | undefined> {
  const [{ scope, key, value, delta, expr, ifVersion }] = put.writes as [StateWrite];
  if (
    put.writes.length > 1 || judged || context.idempotencyKey ||
    [delta, expr, ifVersion].some((condition) => condition !== undefined)
  ) {
    return;
  }
  const [nonce, now] = [context.newId(), await context.time()];
  const json = JSON.stringify(value);
  const written = { room, scope, key, value: json, agent: put.agent, now: now.toISOString(), nonce };
  const item = { ...written, mostKeys: put.limits.keys };
  const result = await database.commitCoalesced(context.viewer, COALESCED_PUTS, item, weightOfJson(json));
  if (!result) return undefined;
  const { revision, version } = result;
  database.announce({ room, part: "state", revision });
  return { now, revision, rows: [[{ version }]] };
}

/**
 * Makes one attempt, which the database decides. The database adds whole numbers only, since it does not read every
 * decimal as JSON's double. Returns "fraction" where the stored number is one.
 */
async function tryPut(
  { database, context, room, put, judged }: Attempt,
): Promise<Outcome | undefined | "fraction"> {
  const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
  const preconditions = preconditionsOf(put.writes);
  const unchanged = holds(judged?.guard);
  const { outcome, reads } = await commit(database, context, {
    room,
    part: "state",
    nonce,
    now,
    admission: admitPut(preconditions, put.limits, unchanged),
    effects: put.writes.map((write) => effect(room, nonce, write, put.agent ?? null, now)),
    reads: [{
      sql: selectStored(unchanged.sql, NOT_ADMITTED),
      args: { ...storedArgs(room, preconditions), nonce, ...unchanged.args },
    }],
    heartbeatOf: put.agent,
  });
  if (outcome.revision !== undefined) return outcome;
  const rows = reads[0]!;
  checkRoom(rows);
  if (!rows[0]!.unchanged) return undefined;
  const result = explainRefusal(put, rows);
  if (result instanceof Refusal) throw result;
  return "fraction";
}

/** Refusals after which the sums are computed again. */
const MOVED = ["version_conflict", "limit_reached"];

/** Adds fractions as doubles: reads, adds here, and writes the sums if the entries are unchanged. */
async function putSums(attempt: Attempt): Promise<Outcome | undefined> {
  const { database, context, room, put } = attempt;
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const [rows] = await database.read(context.viewer, [{
      sql: selectStored(),
      args: storedArgs(room, put.writes),
    }]);
    checkRoom(rows!);
    const results = explainRefusal(put, rows!);
    if (results instanceof Refusal) throw results;
    const writes = put.writes.map(({ delta: _, ...write }, n) => {
      const { found, value } = results[n]!;
      return { ...write, value, ifVersion: found.live ? found.version : 0 };
    });
    try {
      const outcome = await tryPut({ ...attempt, put: { ...put, writes } });
      if (outcome !== "fraction") return outcome && withSums(outcome, writes);
    } catch (error) {
      if (!(error instanceof Refusal && MOVED.includes(error.code))) throw error;
    }
    await pause(Math.random() * MAX_PAUSE_MS);
  }
  throw new Refusal("unavailable", { why: "number_moved" });
}

/** Puts the sums into an outcome, as if the database had added; a replayed one has them. */
function withSums(outcome: Outcome, writes: StateWrite[]): Outcome {
  const rows = outcome.rows.map(([row], n) => [{ value: JSON.stringify(writes[n]!.value), ...row }]);
  return { ...outcome, rows };
}

/** Checks the rows of `selectStored`. Errors: `room_not_found`, `unavailable`. */
function checkRoom([row]: Row[]): void {
  if (row === undefined) throw new Refusal("room_not_found", {});
  served(row.room_revision);
}

function effect(room: string, nonce: string, write: StateWrite, agent: string | null, now: Date): Step {
  const { scope, key, expr = null, delta } = write;
  const value = JSON.stringify(delta ?? write.value ?? null);
  const args = { room, nonce, scope, key, value, expr, now: now.toISOString(), agent };
  return delta === undefined
    ? { sql: PUT, args, single: true, answer: ANSWER, weight: weightOfJson(value) }
    : { sql: ADD, args: { ...args, delta }, single: true, answer: ANSWER };
}

function entryOf(room: string, write: StateWrite, row: Row, agent: string | undefined, now: Date): Entry {
  return {
    room_id: room,
    scope: write.scope,
    key: write.key,
    value: write.delta === undefined ? write.value ?? null : JSON.parse(row.value as string),
    ...(write.expr === undefined ? {} : { expr: write.expr }),
    version: Number(row.version),
    updated_at: now.toISOString(),
    updated_by: agent ?? null,
  };
}
