import { actorOf } from "../access/actors.ts";
import { foundPrivate, homesOf, isKnownPrivate } from "../access/private.ts";
import { pause } from "../pause.ts";
import type { Database } from "../database.ts";
import { holds } from "../write/read_set.ts";
import { COALESCED_PUTS } from "./coalesced_put.ts";
import { Refusal, served } from "../refusal.ts";
import { effectsOf, entryOf } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { admitPut, keptBy } from "./admission.ts";
import { areForDatabase } from "./edit_sql.ts";
import { explainRefusal, type Put, selectStored, storedArgs } from "./explain_refusal.ts";
import { mayKeep, preconditionsOf, type StateWrite } from "./preconditions.ts";
import type { Row } from "../driver/statement.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Judged, KeyChange, Operation, Outcome, WriteContext } from "../write/context.ts";
import { commit } from "../write/write.ts";

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
 * each write left. Errors: `room_not_found`, `version_conflict`, `not_a_number`, `not_editable`, `too_large`,
 * `limit_reached`.
 */
export function putEntries(database: Database, room: string, put: Put): Operation<Written> {
  return {
    acts: { as: put.agent ?? null, scopes: put.writes.map(({ scope }) => scope) },
    run: (context, judged) => runPut({ database, context, room, put, judged }),
    changes: changesOf(put.writes),
    answer: ({ now, revision, rows }) => ({
      entries: put.writes.map((write, n) => entryOf(room, write, rows[n]![0]!, put.agent, now)),
      revision: revision ?? Number(rows[0]![0]!.room_revision),
    }),
  };
}

/** The changes of writes; undefined with a view or an edit, whose value depends on more. */
function changesOf(writes: StateWrite[]): KeyChange[] | undefined {
  if (writes.some(({ expr, edit }) => expr !== undefined || edit)) return undefined;
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
  const whole = put.writes.every(({ delta = 0 }) => Number.isSafeInteger(delta)) &&
    areForDatabase(put.writes.flatMap(({ edit }) => edit ?? []));
  const outcome = whole ? await tryPut(attempt) : "uncomputed";
  if (outcome !== "uncomputed") return outcome;
  const compute = () => putComputed(attempt);
  return await (judged ? compute() : database.serialize(room, compute)); // a gated write is serialized already
}

/**
 * Puts a single value without preconditions, coalesced with others: a file takes 1.5 times as many of them, a server 4
 * times. Returns undefined for any other put, and where it must go alone.
 */
async function putCoalesced(
  { database, context, room, put, judged }: Attempt,
): Promise<Outcome | undefined> {
  const [{ scope, key, value, delta, expr, edit, ttl, ifVersion }] = put.writes as [StateWrite];
  if (
    put.writes.length > 1 || judged || context.idempotencyKey ||
    [delta, expr, edit, ttl, ifVersion].some((condition) => condition !== undefined)
  ) {
    return;
  }
  const by = actorOf(context.viewer, context.acts, room);
  if (by === undefined) return undefined;
  // Who may not write there takes the way of every scope, whose time tells nothing.
  const sees = by.own || by.token?.facts?.role === "admin";
  if (sees && isKnownPrivate(room, scope)) return undefined;
  const [nonce, now] = [context.newId(), await context.time()];
  const json = JSON.stringify(value);
  const written = { room, scope, key, value: json, agent: put.agent, now: now.toISOString(), nonce, by };
  const item = { ...written, mostKeys: put.limits.keys };
  const result = await database.commitCoalesced(context.viewer, COALESCED_PUTS, item, weightOfJson(json));
  if (!result) return undefined;
  const { revision, version } = result;
  database.announce({ room, part: "state", revision });
  return { now, revision, rows: [[{ version, verified: by.verified }]] };
}

/**
 * Makes one attempt, which the database decides. The database adds whole numbers only, since it does not read every
 * decimal as JSON's double, and makes no edits of some rare values (edit_sql.ts). Returns "uncomputed" for these.
 */
async function tryPut(
  { database, context, room, put, judged }: Attempt,
): Promise<Outcome | undefined | "uncomputed"> {
  const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
  const { writes, limits } = put;
  const preconditions = preconditionsOf(writes);
  const mayKeepAll = writes.every(mayKeep);
  const unchanged = holds(judged?.guard);
  const homes = homesOf(context.viewer, writes.map(({ scope }) => scope));
  const { outcome, reads } = await commit(database, context, {
    room,
    part: "state",
    also: homes && "private",
    nonce,
    now,
    admission: admitPut(preconditions, limits, {
      unchanged,
      mayKeep: mayKeepAll,
      ttl: firstOf(writes),
      homes,
    }),
    effects: writes.flatMap((write) =>
      effectsOf(write, {
        room,
        nonce,
        put,
        now,
        verifies: context.viewer.token !== undefined && put.agent !== undefined,
        homes,
      })
    ),
    reads: [{
      sql: selectStored(homes, unchanged.sql, NOT_ADMITTED),
      args: { ...storedArgs(room, preconditions, homes), nonce, ...unchanged.args },
    }],
    heartbeatOf: put.agent,
    granted: mayKeepAll ? keptBy(preconditions, limits, { unchanged, homes }) : undefined,
  });
  if (outcome.revision !== undefined || outcome.replayed) {
    for (const [n, { scope }] of writes.entries()) {
      if (outcome.rows[n]?.[0]?.hidden) foundPrivate(room, scope);
    }
    return outcome;
  }
  const rows = reads[0]!;
  checkRoom(rows);
  if (!rows[0]!.unchanged) return undefined;
  const result = explainRefusal(put, rows);
  if (result instanceof Refusal) throw result;
  const isGranted = mayKeepAll && (outcome.key !== undefined || !context.idempotencyKey);
  return isGranted && result.every(({ changed }) => !changed) ? outcome : "uncomputed";
}

/** Refusals after which the values are computed again. */
const MOVED = ["version_conflict", "limit_reached"];

/** Computes the values here, fractions as doubles: reads, and writes the values if the entries are unchanged. */
async function putComputed(attempt: Attempt): Promise<Outcome | undefined> {
  const { database, context, room, put } = attempt;
  const homes = homesOf(context.viewer, put.writes.map(({ scope }) => scope));
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const [rows] = await database.read(context.viewer, [{
      sql: selectStored(homes),
      args: storedArgs(room, put.writes, homes),
    }]);
    checkRoom(rows!);
    const results = explainRefusal(put, rows!);
    if (results instanceof Refusal) throw results;
    const writes = put.writes.map(({ delta: _, edit, ...write }, n): StateWrite => {
      const { found, value, changed } = results[n]!;
      const computed = edit && (changed ? "changed" : "kept");
      return { ...write, value, computed, ifVersion: found.live ? found.version : 0 };
    });
    try {
      const outcome = await tryPut({ ...attempt, put: { ...put, writes } });
      if (outcome !== "uncomputed") return outcome && withValues(outcome, writes);
    } catch (error) {
      if (!(error instanceof Refusal && MOVED.includes(error.code))) throw error;
    }
    await pause(Math.random() * MAX_PAUSE_MS);
  }
  throw new Refusal("unavailable", { why: "value_moved" });
}

/** Puts the values into an outcome, as if the database had computed them; a replayed one has them. */
function withValues(outcome: Outcome, writes: StateWrite[]): Outcome {
  const rows = outcome.rows.map(([row], n) => [{ value: JSON.stringify(writes[n]!.value), ...row }]);
  return { ...outcome, rows };
}

/** Checks the rows of `selectStored`. Errors: `room_not_found`, `unavailable`. */
function checkRoom([row]: Row[]): void {
  if (row === undefined) throw new Refusal("room_not_found", {});
  served(row.room_revision);
}

/** The least `ttl` of writes, if one has any. */
function firstOf(writes: StateWrite[]): number | undefined {
  const all = writes.flatMap(({ ttl }) => ttl ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}
