import { isLookedUp, knownFacts } from "../access/token.ts";
import type { Database } from "../database.ts";
import { Refusal } from "../refusal.ts";
import type { Viewer } from "../viewer.ts";
import type { IdempotencyKey, KeyedRequest, Outcome, WriteContext } from "./context.ts";
import { at, expiry, find, FOUND, outcomeOf } from "./commit_once.ts";

const STORE_LATER = `
  UPDATE idempotency SET outcome = json_insert(outcome, '$.later', :later)
   WHERE room_id = :held_scope AND key = :held_key`;

/**
 * Returns the owner of a viewer's keys. Those of a token stay when it is rotated, so they belong to its id. Reads a token
 * that this instance has not seen before. Errors: `unauthenticated`, `room_not_found`.
 */
async function ownerOf(database: Database, viewer: Viewer): Promise<Viewer> {
  if (!isLookedUp(viewer)) return viewer;
  if (!knownFacts(viewer)) await database.read(viewer, []);
  return { key: knownFacts(viewer)!.id };
}

/**
 * Makes the write of a keyed request once; all repetitions get the outcome of the first. The batch of the write decides
 * which is first. Only successes are stored. Where `run` throws a refusal, which may be due to an earlier read, but an
 * outcome is stored, that outcome is returned. Errors: `idempotency_mismatch`; those of `run`.
 */
export async function runOnce(
  database: Database,
  request: KeyedRequest,
  run: (context: WriteContext) => Promise<Outcome | undefined>,
): Promise<Outcome> {
  const [owner, now] = [await ownerOf(database, request.viewer), await database.time()];
  const key: IdempotencyKey = { ...request, owner, nonce: database.newId(), now, ids: [] };
  try {
    return await run(contextOf(database, key)) as Outcome; // undefined only with a read set
  } catch (error) {
    if (!(error instanceof Refusal) || FINAL.includes(error.code)) throw error;
    const outcome = await storedOutcome(database, key);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/**
 * Reads the outcome stored under a key; undefined without a key or an outcome. For an operation that may find nothing
 * to write because an earlier request under the key has written it. Errors: `idempotency_mismatch`.
 */
export async function storedOutcome(
  database: Database,
  key: IdempotencyKey | undefined,
): Promise<Outcome | undefined> {
  if (key === undefined) return undefined;
  const [rows] = await database.read(key.viewer, [find(key)]);
  return outcomeOf(key, rows![0]);
}

/** Refusals that stand whatever is stored under the key. */
const FINAL = ["room_not_found", "idempotency_mismatch", "unauthenticated", "forbidden"];

function contextOf(database: Database, idempotencyKey: IdempotencyKey): WriteContext {
  return {
    viewer: idempotencyKey.viewer,
    acts: idempotencyKey.acts,
    time: () => Promise.resolve(idempotencyKey.now),
    newId() {
      const id = database.newId();
      idempotencyKey.ids.push(id);
      return id;
    },
    idempotencyKey,
  };
}

export async function isTaken(
  database: Database,
  key: Omit<KeyedRequest, "fingerprint" | "acts">,
): Promise<boolean> {
  const [owner, now] = [await ownerOf(database, key.viewer), await database.time()];
  const [rows] = await database.read(key.viewer, [{
    sql: `SELECT 1 ${FOUND}`,
    args: { ...at({ ...key, owner }), expired: expiry({ ...key, now }) },
  }]);
  return rows!.length > 0;
}

/**
 * Computes JSON for an answer, after the commit. Under a key, the first result is stored, and returned from then on.
 */
export async function computeOnce<T>(
  database: Database,
  { key, later }: Outcome,
  compute: () => Promise<T>,
): Promise<T> {
  if (later !== undefined) return JSON.parse(later);
  if (key === undefined) return await compute();
  const computed = JSON.stringify(await compute());
  const [, rows] = await database.commit(key.viewer, [
    { sql: STORE_LATER, args: { ...at(key), later: computed } },
    find(key),
  ]);
  const outcome = rows![0]?.outcome;
  return JSON.parse(outcome === undefined ? computed : JSON.parse(outcome as string).later);
}
