import { homesOf } from "../access/private.ts";
import type { Database } from "../database.ts";
import { pause } from "../pause.ts";
import { Refusal } from "../refusal.ts";
import { refusalOf } from "../write/acts.ts";
import type { Computed, KeyChange, Operation, Outcome } from "../write/context.ts";
import { holds } from "../write/read_set.ts";
import { putCoalesced } from "./coalesced_put.ts";
import { compute } from "./compute.ts";
import { areForDatabase } from "./edit_sql.ts";
import { entryOf } from "./effects.ts";
import type { Entry } from "./entry.ts";
import { explainRefusal } from "./explain_refusal.ts";
import type { Put, StateWrite } from "./put.ts";
import { selectStored, storedArgs } from "./stored.ts";
import { type Attempt, checkRoom, tryPut } from "./write_attempt.ts";

const MAX_ATTEMPTS = 50;
const MAX_PAUSE_MS = 20;

interface Written {
  entries: Entry[];
  revision: number;
}

/**
 * Applies the writes in order, each seeing those before it: all or none, as one revision. `entries` are those that the
 * writes left, one each. Errors: `room_not_found`, `unauthenticated`, `forbidden`, `version_conflict`, `not_a_number`,
 * `not_editable`, `too_large`, `limit_reached`.
 */
export function putEntries(database: Database, room: string, put: Put): Operation<Written> {
  return {
    acts: { as: put.agent ?? null, scopes: put.writes.map(({ scope }) => scope) },
    run: (context, judged) => runPut({ database, context, room, put, judged }),
    changes: changesOf(put),
    answer: ({ now, revision, rows }) => ({
      entries: put.writes.map((write, n) => entryOf(room, write, rows[n]![0]!, put, now)),
      revision: revision ?? Number(rows[0]![0]!.room_revision),
    }),
  };
}

/** Returns the changes of writes. Undefined of views, whose values depend on more. */
function changesOf({ writes, limits }: Put): KeyChange[] | undefined {
  if (writes.some(({ expr }) => expr !== undefined)) return undefined;
  const plain = writes.every(({ delta = 0, edit }) => !edit && Number.isSafeInteger(delta));
  return writes.map((write) => {
    const { scope, key, delta, edit, value = null } = write;
    if (!edit && delta === undefined) return { scope, key, value };
    if (!edit && plain) return { scope, key, delta: delta! };
    return {
      scope,
      key,
      edit(found) {
        const result = compute(write, found, limits);
        return typeof result === "function" ? undefined : result;
      },
    };
  });
}

/** Writes the shortest way that suits: coalesced, in one attempt by the database, or computed here. */
async function runPut(attempt: Attempt): Promise<Outcome | undefined> {
  const { database, room, put, judged } = attempt;
  const plain = await putCoalesced(attempt);
  if (plain) return plain;
  if (judged?.computed) return await tryComputed(attempt, judged.computed);
  const whole = put.writes.every(({ delta = 0 }) => Number.isSafeInteger(delta)) &&
    areForDatabase(put.writes.flatMap(({ edit }) => edit ?? []));
  const outcome = whole ? await tryPut(attempt) : "uncomputed";
  if (outcome !== "uncomputed") return outcome;
  const onceMore = () => putComputed(attempt);
  return await (judged ? onceMore() : database.serialize(room, onceMore)); // a gated write is serialized already
}

/** Makes one attempt with values that were computed from the state that the guard proves unchanged. */
async function tryComputed(attempt: Attempt, computed: Computed[]): Promise<Outcome | undefined> {
  const { put } = attempt;
  const writes = put.writes.map((write, n) => asComputed(write, computed[n]!));
  const outcome = await tryPut({ ...attempt, put: { ...put, writes } });
  return outcome === "uncomputed" ? undefined : outcome && withValues(outcome, writes);
}

function asComputed(
  { delta: _, edit, ...write }: StateWrite,
  { value, json, changed }: Computed,
): StateWrite {
  return { ...write, value, json, computed: edit && (changed ? "changed" : "kept") };
}

/** The refusals after which the values are computed again. */
const MOVED = ["version_conflict", "limit_reached"];

/**
 * Computes the values here, with fractions as doubles: reads the entries, and writes the values if the entries have not
 * changed, until that succeeds. Returns undefined where the guard of a gate no longer holds. Errors: those of
 * `putEntries`, `unavailable`.
 */
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
    const results = await explainRefusal(put, rows!);
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

/** Adds the values to an outcome that lacks them, as if the database had computed them. */
function withValues(outcome: Outcome, writes: StateWrite[]): Outcome {
  const rows = outcome.rows.map(([row], n) => [
    row?.value === undefined ? { ...row, value: writes[n]!.json ?? JSON.stringify(writes[n]!.value) } : row,
  ]);
  return { ...outcome, rows };
}
