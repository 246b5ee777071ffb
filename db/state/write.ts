import { actorOf } from "../access/actors.ts";
import { foundPrivate, homesOf, isKnownPrivate, isOfAgent } from "../access/private.ts";
import { pause } from "../pause.ts";
import type { Database } from "../database.ts";
import { holds } from "../write/read_set.ts";
import { COALESCED_PUTS } from "./coalesced_put.ts";
import { Refusal, served } from "../refusal.ts";
import { effectsOf, entryOf } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { admitPut, keptBy } from "./admission.ts";
import { applyEdit, type Edit } from "./edit.ts";
import { areForDatabase } from "./edit_sql.ts";
import {
  bytesOf,
  explainRefusal,
  type Put,
  selectStored,
  type StateLimits,
  storedArgs,
} from "./explain_refusal.ts";
import { add, mayKeep, preconditionsOf, type StateWrite } from "./preconditions.ts";
import type { Row } from "../driver/statement.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Json } from "../json.ts";
import type { Computed, Judged, KeyChange, Operation, Outcome, WriteContext } from "../write/context.ts";
import { refusalOf } from "../write/acts.ts";
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
    changes: changesOf(put),
    answer: ({ now, revision, rows }) => ({
      entries: put.writes.map((write, n) => entryOf(room, write, rows[n]![0]!, put.agent, now)),
      revision: revision ?? Number(rows[0]![0]!.room_revision),
    }),
  };
}

/**
 * The changes of writes; undefined with a view, whose value depends on more, and with what is computed in the scope of an
 * agent: it may become private.
 */
function changesOf({ writes, limits }: Put): KeyChange[] | undefined {
  if (writes.some(({ expr }) => expr !== undefined)) return undefined;
  const plain = writes.every(({ delta = 0, edit }) => !edit && Number.isSafeInteger(delta));
  if (!plain && writes.some(({ scope }) => isOfAgent(scope))) return undefined;
  return writes.map(({ scope, key, delta, edit, value = null }) => {
    if (edit) return { scope, key, edit: (found) => edited(found, edit, limits) };
    if (delta === undefined) return { scope, key, value };
    return plain ? { scope, key, delta } : { scope, key, edit: (found) => added(found, delta) };
  });
}

function edited(found: Json | undefined, edit: Edit, { valueBytes }: StateLimits): Computed | undefined {
  const result = applyEdit(found, edit);
  return "path" in result || bytesOf(JSON.stringify(result.value)) > valueBytes ? undefined : result;
}

function added(found: Json | undefined, delta: number): Computed | undefined {
  const value = add(found === undefined ? 0 : found, delta);
  return value === undefined ? undefined : { value, changed: true };
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
  if (judged?.computed) return await tryComputed(attempt, judged.computed);
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

/** Makes one attempt with values that were computed from what the guard proves. */
async function tryComputed(attempt: Attempt, computed: Computed[]): Promise<Outcome | undefined> {
  const { put } = attempt;
  const writes = put.writes.map((write, n) => asComputed(write, computed[n]!));
  const outcome = await tryPut({ ...attempt, put: { ...put, writes } });
  return outcome === "uncomputed" ? undefined : outcome && withValues(outcome, writes);
}

function asComputed({ delta: _, edit, ...write }: StateWrite, { value, changed }: Computed): StateWrite {
  return { ...write, value, computed: edit && (changed ? "changed" : "kept") };
}

/** Refusals after which the values are computed again. */
const MOVED = ["version_conflict", "limit_reached"];

/** Computes the values here, fractions as doubles: reads, and writes the values if the entries are unchanged. */
async function putComputed(attempt: Attempt): Promise<Outcome | undefined> {
  const { database, context, room, put, judged } = attempt;
  const homes = homesOf(context.viewer, put.writes.map(({ scope }) => scope));
  const unchanged = holds(judged?.guard);
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const [rows] = await database.read(context.viewer, [{
      sql: selectStored(homes, unchanged.sql),
      args: { ...storedArgs(room, put.writes, homes), ...unchanged.args },
    }]);
    checkRoom(rows!);
    if (!rows![0]!.unchanged) return undefined;
    const results = explainRefusal(put, rows!);
    if (results instanceof Refusal) {
      const barred = rows![0]!.guarded && await refusalOf(database, context, room, { writes: true });
      throw barred || results;
    }
    const writes = put.writes.map((write, n): StateWrite => {
      const { found } = results[n]!;
      return { ...asComputed(write, results[n]!), ifVersion: found.live ? found.version : 0 };
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
