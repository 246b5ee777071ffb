import { foundPrivate, homesOf } from "../access/private.ts";
import type { Database } from "../database.ts";
import type { Row } from "../driver/statement.ts";
import { Refusal, served } from "../refusal.ts";
import type { Judged, Outcome, WriteContext } from "../write/context.ts";
import { holds } from "../write/read_set.ts";
import { commit, type Write } from "../write/write.ts";
import { admitPut, keptBy } from "./admission.ts";
import { effectsOf } from "./effects.ts";
import { explainRefusal } from "./explain_refusal.ts";
import { mayKeep, type Put, type StateWrite } from "./put.ts";
import { selectStored, storedArgs } from "./stored.ts";
import { preconditionsOf } from "./preconditions.ts";

/** A put, by whom it is made, and what a gate allowed before. */
export interface Attempt {
  database: Database;
  context: WriteContext;
  room: string;
  put: Put;
  judged?: Judged;
}

// Only a refusal needs the stored entries. An admitted write would read its own values back.
const NOT_ADMITTED = "admitted IS NOT :nonce";

/**
 * Makes one attempt, which the database decides. Returns undefined where the guard of a gate no longer holds, and
 * "uncomputed" where the values must be computed here: the database adds whole numbers only, since it does not read
 * every decimal as JSON's double, and leaves edits of some rare values (edit_sql.ts).
 */
export async function tryPut(attempt: Attempt): Promise<Outcome | undefined | "uncomputed"> {
  const { database, context, room, put, judged } = attempt;
  const { writes } = put;
  const [nonce, now] = [judged?.nonce ?? context.newId(), await context.time()];
  const { outcome, reads } = await commit(database, context, writeOf(attempt, nonce, now));
  if (outcome.revision !== undefined || outcome.replayed) {
    for (const [n, { scope }] of writes.entries()) {
      if (outcome.rows[n]?.[0]?.hidden) foundPrivate(room, scope);
    }
    return outcome;
  }
  const rows = reads[0]!;
  checkRoom(rows);
  if (!rows[0]!.unchanged) return undefined;
  const result = await explainRefusal(put, rows);
  if (result instanceof Refusal) throw result;
  const isGranted = writes.every(mayKeep) && (outcome.key !== undefined || !context.idempotencyKey);
  return isGranted && result.every(({ changed }) => !changed) ? outcome : "uncomputed";
}

function writeOf({ context, room, put, judged }: Attempt, nonce: string, now: Date): Write {
  const { writes, limits, agent } = put;
  const preconditions = preconditionsOf(writes);
  const mayKeepAll = writes.every(mayKeep);
  const unchanged = holds(judged?.guard);
  const homes = homesOf(context.viewer, writes.map(({ scope }) => scope));
  const verifies = context.viewer.token !== undefined && agent !== undefined;
  const ttl = shortestOf(writes);
  return {
    room,
    part: "state",
    also: homes && "private",
    nonce,
    now,
    admission: admitPut(preconditions, limits, { unchanged, mayKeep: mayKeepAll, ttl, homes }),
    effects: writes.flatMap((write) => effectsOf(write, { room, nonce, put, now, verifies, homes })),
    reads: [{
      sql: selectStored(homes, unchanged.sql, NOT_ADMITTED),
      args: { ...storedArgs(room, preconditions, homes), nonce, ...unchanged.args },
    }],
    heartbeatOf: agent,
    granted: mayKeepAll ? keptBy(preconditions, limits, { unchanged, homes }) : undefined,
  };
}

/** Checks the rows of `selectStored`. Errors: `room_not_found`, `unavailable`. */
export function checkRoom([row]: Row[]): void {
  if (row === undefined) throw new Refusal("room_not_found", {});
  served(row.room_revision);
}

function shortestOf(writes: StateWrite[]): number | undefined {
  const all = writes.flatMap(({ ttl }) => ttl ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}
