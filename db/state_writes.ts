import type { Database } from "./database.ts";
import { type BoundGuard, type Guard, guardOf } from "./guard.ts";
import type { Row, Statement, Value } from "./lane.ts";
import { touch } from "./presence.ts";
import { roomNotFound } from "./refusal.ts";
import { type Entry, VIEW_SCOPE } from "./state.ts";
import {
  explainRefusal,
  type StateLimits,
  type StateWrite,
  type Target,
  targetsOf,
} from "./state_targets.ts";
import { commit, FROM_ADMITTED } from "./write.ts";

const ENTRY = (n: number) => `state WHERE room_id = :room AND scope = :scope${n} AND key = :key${n}`;
const LIVE = (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted)`;

/** What one target demands of its entry (state_targets.ts), as conditions on what is stored. */
const DEMANDS = {
  absent: (n: number) => `NOT ${LIVE(n)}`,
  current: (n: number) => `EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND version = :current${n})`,
  base: (n: number) => `COALESCE((SELECT version FROM ${ENTRY(n)}), 0) = :base${n}`,
  number: (n: number) =>
    `NOT EXISTS (SELECT 1 FROM ${ENTRY(n)} AND NOT deleted AND NOT (
       json_type(value) IN ('integer', 'real') AND CAST(value AS REAL) BETWEEN :least${n} AND :most${n}))`,
  present: LIVE,
  never: () => "FALSE",
};

/** Admits a write of these targets; `views` are the places of those that are computed views. */
const ADMIT_PUT = (targets: number, views: number[], conditions: string[]) => {
  const fresh = (places: number[]) => places.map((n) => `(NOT ${LIVE(n)})`).join(" + ");
  const all = fresh(Array.from({ length: targets }, (_, n) => n));
  const within = (count: string, added: string, most: string) =>
    `(${count} + ${targets} <= ${most} OR ${count} + ${added} <= ${most})`;
  const viewed = views.length === 0 ? { set: "", conditions: [] } : {
    set: `views_revision = revision + 1, view_count = view_count + ${fresh(views)},`,
    conditions: [within("view_count", fresh(views), ":most_views")],
  };
  return `
  UPDATE rooms SET
    revision = revision + 1,
    state_revision = revision + 1,
    key_count = key_count + ${all}, ${viewed.set}
    admitted = :nonce
   WHERE ${
    ["id = :room", within("key_count", all, ":most_keys"), ...viewed.conditions, ...conditions].join(
      "\n     AND ",
    )
  }
  RETURNING revision`;
};

const UPSERT = `
  INSERT INTO state (room_id, scope, key, value, expr, version, revision, updated_at, updated_by, deleted)
  SELECT :room, :scope, :key, :value, :expr, 1, revision, :now, :agent, 0 ${FROM_ADMITTED}
  ON CONFLICT (room_id, scope, key) DO UPDATE SET
    expr = excluded.expr,
    version = version + 1,
    revision = excluded.revision,
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by,
    deleted = 0,`;

const PUT = `${UPSERT} value = excluded.value RETURNING version`;

// 17 digits bring the same double back; "5.0" is JSON for 5.
const ADD = `${UPSERT}
    value = printf('%!.17g', CASE WHEN deleted THEN 0.0 ELSE CAST(value AS REAL) END + :delta)
  RETURNING version, value`;

// Only a refusal reads what is stored; an admitted write would carry its own values back in vain.
const REFUSED = (unmoved: string) => `
  SELECT rooms.revision AS room_revision, key_count, view_count, ${unmoved} AS unmoved, entry.*
    FROM rooms
    CROSS JOIN json_each(:targets) AS target
    LEFT JOIN state AS entry
      ON entry.room_id = :room AND entry.scope = target.value ->> 0 AND entry.key = target.value ->> 1
   WHERE rooms.id = :room AND admitted IS NOT :nonce`;

export interface Put {
  writes: StateWrite[];
  /** Who writes: `updated_by`, and a sign of its life where it is registered. */
  agent?: string;
  guard?: Guard;
  limits: StateLimits;
  /** A refusal names the failing write's `index`. */
  batch: boolean;
}

/**
 * Applies the writes in order, each seeing those before it, all or none, as one revision. The entries come back
 * as each write left them. Undefined where the guard does not hold any more.
 * Errors: `room_not_found`; `version_conflict`, `not_a_number`, `limit_reached`.
 */
export async function putEntries(
  database: Database,
  room: string,
  put: Put,
): Promise<{ entries: Entry[]; revision: number } | undefined> {
  const [nonce, now] = [database.unique(), database.now()];
  const targets = targetsOf(put.writes);
  const guard = guardOf(put.guard);
  const places = JSON.stringify(targets.map(({ scope, key }) => [scope, key]));
  const outcome = await commit(database, {
    room,
    part: "state",
    admission: admission(room, nonce, targets, put.limits, guard),
    effects: [
      ...put.writes.map((write) => effect(room, nonce, write, put.agent ?? null, now)),
      ...touch(room, put.agent, now),
    ],
    reads: [{ sql: REFUSED(guard.unmoved), args: { room, nonce, targets: places, ...guard.args } }],
  });
  if (outcome.revision === undefined) return refuse(put, outcome.reads[0]!);
  const entries = put.writes.map((write, index) =>
    writtenEntry(room, write, outcome.effects[index]![0]!, put.agent, now)
  );
  return { entries, revision: outcome.revision };
}

function admission(
  room: string,
  nonce: string,
  targets: Target[],
  limits: StateLimits,
  guard: BoundGuard,
): Statement {
  const args: Record<string, Value> = { room, nonce, most_keys: limits.keys };
  const conditions: string[] = [];
  const views: number[] = [];
  for (const [n, target] of targets.entries()) {
    Object.assign(args, { [`scope${n}`]: target.scope, [`key${n}`]: target.key });
    if (target.scope === VIEW_SCOPE) views.push(n);
    for (const [demand, bounds] of Object.entries(target.demands)) {
      conditions.push(DEMANDS[demand as keyof typeof DEMANDS](n));
      for (const name in bounds) args[name + n] = bounds[name]!;
    }
  }
  if (views.length > 0) args.most_views = limits.views;
  if (guard.guarded) conditions.push(guard.unmoved);
  return { sql: ADMIT_PUT(targets.length, views, conditions), args: { ...args, ...guard.args } };
}

function effect(room: string, nonce: string, write: StateWrite, agent: string | null, now: Date): Statement {
  const { scope, key, expr = null, delta } = write;
  const value = JSON.stringify(delta ?? write.value ?? null);
  const args = { room, nonce, scope, key, value, expr, now: now.toISOString(), agent };
  return delta === undefined ? { sql: PUT, args } : { sql: ADD, args: { ...args, delta } };
}

function writtenEntry(
  room: string,
  write: StateWrite,
  row: Row,
  agent: string | undefined,
  now: Date,
): Entry {
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

function refuse(put: Put, rows: Row[]): undefined {
  if (rows.length === 0) throw roomNotFound();
  if (!rows[0]!.unmoved) return undefined;
  throw explainRefusal(put, rows);
}
