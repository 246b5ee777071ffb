import { pause } from "../pause.ts";
import type { Database } from "../database.ts";
import { type ReadSetAt, unchangedSince } from "../write/read_set.ts";
import type { Step } from "../write/idempotency.ts";
import { COALESCED_PUTS } from "./coalesced_put.ts";
import { Refusal, roomNotFound, served } from "../refusal.ts";
import type { Entry } from "./entry.ts";
import { admitPut } from "./admission.ts";
import { explainRefusal, selectStored, storedArgs, type Writes } from "./explain_refusal.ts";
import { preconditionsOf, type StateWrite } from "./preconditions.ts";
import type { Row } from "../driver/statement.ts";
import { weightOf } from "../batching/coalesce.ts";
import { FROM_ADMITTED } from "../write/admission.ts";
import { commit } from "../write/write.ts";
import { INSERT_ENTRY, orReplace } from "./entry_sql.ts";

const UPSERT = (value: string) => `
  ${INSERT_ENTRY}
  SELECT :room, :scope, :key, :value, :expr, 1, revision, :now, :agent, 0 ${FROM_ADMITTED}
  ${orReplace(value)}`;

const PUT = `${UPSERT("excluded.value")} RETURNING version`;

const ADD = `${
  UPSERT("CAST(CASE WHEN deleted THEN 0 ELSE CAST(value AS INTEGER) END + :delta AS TEXT)")
} RETURNING version, value`;

// Numbers are kept too: a sum is not in the request.
const KEPT = {
  columns: ["version", "value"],
  from: `
    SELECT version, CASE WHEN json_type(value) IN ('integer', 'real') THEN value END AS value
      FROM state WHERE room_id = :room AND scope = :scope AND key = :key`,
};

// Only a refusal reads what is stored; an admitted write would carry its own values back in vain.
const NOT_ADMITTED = "admitted IS NOT :nonce";

export interface Put extends Writes {
  /** Who writes: `updated_by`, and a sign of its life where it is registered. */
  agent?: string;
  readSet?: ReadSetAt;
}

export interface Written {
  entries: Entry[];
  revision: number;
}

const MOST_ATTEMPTS = 50;
const MOST_PAUSE_MS = 20;

/**
 * Applies the writes in order, each seeing those before it, all or none, as one revision. The entries come back
 * as each write left them. Undefined where what a gate has read has changed.
 * Errors: `room_not_found`, `version_conflict`, `not_a_number`, `limit_reached`.
 */
export async function putEntries(database: Database, room: string, put: Put): Promise<Written | undefined> {
  const plain = await putCoalesced(database, room, put);
  if (plain) return plain;
  if (database.once?.stored) return await tryPut(database, room, put) as Written;
  const whole = put.writes.every(({ delta = 0 }) => Number.isSafeInteger(delta));
  const outcome = whole ? await tryPut(database, room, put) : "fraction";
  if (outcome !== "fraction") return outcome;
  const add = () => putSums(database, room, put);
  return await (put.readSet ? add() : database.serialize(room, add)); // a gated write is serialized already
}

/** A single value without conditions travels with others of its kind. Undefined where it is none, or must go alone. */
async function putCoalesced(database: Database, room: string, put: Put): Promise<Written | undefined> {
  const [write] = put.writes;
  const { scope, key, delta, expr, ifVersion } = write!;
  if (
    put.writes.length > 1 || put.readSet || database.once ||
    [delta, expr, ifVersion].some((demand) => demand !== undefined)
  ) {
    return;
  }
  const now = await database.time();
  const value = JSON.stringify(write!.value);
  const plain = {
    room,
    scope,
    key,
    value,
    agent: put.agent,
    now: now.toISOString(),
    nonce: database.unique(),
  };
  const result = await database.commitCoalesced(
    COALESCED_PUTS,
    { ...plain, mostKeys: put.limits.keys },
    weightOf(value),
  );
  if (!result) return undefined;
  database.announce({ room, part: "state", revision: result.revision });
  return {
    entries: [entryOf(room, write!, { version: result.version }, put.agent, now)],
    revision: result.revision,
  };
}

/**
 * One attempt, decided by the database. It adds whole numbers only: it does not read every decimal as the double
 * that JSON means, and where the stored number is a fraction this says so.
 */
async function tryPut(database: Database, room: string, put: Put): Promise<Written | undefined | "fraction"> {
  const [nonce, now] = [database.unique(), await database.time()];
  const preconditions = preconditionsOf(put.writes);
  const unchanged = unchangedSince(put.readSet);
  const outcome = await commit(database, {
    room,
    part: "state",
    admission: admitPut(nonce, preconditions, put.limits, unchanged),
    effects: put.writes.map((write) => effect(room, nonce, write, put.agent ?? null, now)),
    reads: [{
      sql: selectStored(unchanged.sql, NOT_ADMITTED),
      args: { ...storedArgs(room, preconditions), nonce, ...unchanged.args },
    }],
    heartbeat: { agent: put.agent, now },
  });
  if (outcome.revision !== undefined) {
    const rows = outcome.effects.map(([row]) => row!);
    return {
      entries: put.writes.map((write, n) => entryOf(room, write, rows[n]!, put.agent, now)),
      revision: outcome.revision,
    };
  }
  const rows = outcome.reads[0]!;
  checkRoom(rows);
  if (!rows[0]!.unchanged) return undefined;
  const result = explainRefusal(put, rows);
  if (result instanceof Refusal) throw result;
  return "fraction";
}

/** Adds fractions as doubles: reads, adds here, and writes the sums if what they started from has not moved. */
async function putSums(database: Database, room: string, put: Put): Promise<Written | undefined> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const [rows] = await database.read([{ sql: selectStored(), args: storedArgs(room, put.writes) }]);
    checkRoom(rows!);
    const results = explainRefusal(put, rows!);
    if (results instanceof Refusal) throw results;
    const writes = put.writes.map(({ delta: _, ...write }, n) => {
      const { found, value } = results[n]!;
      return { ...write, value, ifVersion: found.live ? found.version : 0 };
    });
    try {
      const written = await tryPut(database, room, { ...put, writes });
      if (written !== "fraction") return written;
    } catch (error) {
      if (!(error instanceof Refusal) || ["room_not_found", "unavailable"].includes(error.code)) throw error;
    }
    await pause(Math.random() * MOST_PAUSE_MS);
  }
  throw new Refusal("unavailable", "The number changed each time before it could be added to.", {
    hint: "Nothing was written. Try again.",
  });
}

/** Errors: `room_not_found`, `unavailable`. */
function checkRoom([row]: Row[]): void {
  if (row === undefined) throw roomNotFound();
  served(row.room_revision);
}

function effect(room: string, nonce: string, write: StateWrite, agent: string | null, now: Date): Step {
  const { scope, key, expr = null, delta } = write;
  const value = JSON.stringify(delta ?? write.value ?? null);
  const args = { room, nonce, scope, key, value, expr, now: now.toISOString(), agent };
  return delta === undefined
    ? { sql: PUT, args, single: true, kept: KEPT, weight: weightOf(value) }
    : { sql: ADD, args: { ...args, delta }, single: true, kept: KEPT };
}

function entryOf(
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
