import { isLookedUp, knownFacts } from "../access/token.ts";
import type { Database } from "../database.ts";
import type { IdempotencyKey, KeyedRequest, Outcome, WriteAs, WriteContext } from "./context.ts";
import { Refusal } from "../refusal.ts";
import { THERE } from "../release.ts";
import { keyFor, type Viewer } from "../viewer.ts";
import { argsOf, type Condition, type Row, type Statement } from "../driver/statement.ts";

/**
 * The format of stored outcomes: their values and rows for each write, in order. A release that changes it raises it,
 * since keys outlive releases (tests/db/outcomes.test.ts tells).
 */
const FORMAT = 1;

/** A statement of a write. */
export interface Step extends Statement {
  /**
   * Makes its rows part of the answer. Under a key it stores these columns of `query`, which runs right after the
   * statement with its arguments; the default is the statement itself.
   */
  answer?: { columns: string[]; query?: string };
}

const OWN = `room_id = :held_scope AND key = :held_key AND nonce = :held_nonce`;

// Deletes more than a write adds, so that expired keys cannot accumulate.
const FORGET = `
  DELETE FROM idempotency WHERE rowid IN (
    SELECT rowid FROM idempotency WHERE created_at <= :expired ORDER BY created_at LIMIT 8)`;

/** True where the scope is a deleted room, whose keys count no longer. */
const OF_DELETED = `EXISTS (SELECT 1 FROM rooms WHERE id = :held_scope AND NOT ${THERE})`;

const ACQUIRE = `
  INSERT INTO idempotency (room_id, key, fingerprint, nonce, outcome, created_at)
  VALUES (:held_scope, :held_key, :fingerprint, :held_nonce, :outcome, :now)
  ON CONFLICT (room_id, key) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    nonce = excluded.nonce,
    outcome = excluded.outcome,
    created_at = excluded.created_at
   WHERE idempotency.created_at <= :expired`;

const STORE_ROWS = (columns: string[], query: string) => `
  UPDATE idempotency SET outcome = json_set(outcome, '$.rows[#]', json((
    SELECT json_group_array(json_object(${columns.map((name) => `'${name}', ${name}`).join(", ")}))
      FROM (${query}))))
   WHERE ${OWN}`;

const FOUND = `FROM idempotency WHERE room_id = :held_scope AND key = :held_key AND created_at > :expired
   AND NOT ${OF_DELETED}`;

const FIND = `SELECT fingerprint, nonce, outcome, created_at ${FOUND}`;

const STORE_LATER = `
  UPDATE idempotency SET outcome = json_insert(outcome, '$.later', :later)
   WHERE room_id = :held_scope AND key = :held_key`;

/**
 * Returns whose the keys of a viewer are: those of a token stay when it is rotated, so they count by its id. It looks at
 * a token that this instance has not seen before. Errors: `unauthenticated`, `room_not_found`.
 */
async function ownerOf(database: Database, viewer: Viewer): Promise<Viewer> {
  if (!isLookedUp(viewer)) return viewer;
  if (!knownFacts(viewer)) await database.read(viewer, []);
  return { key: knownFacts(viewer)!.id };
}

/**
 * Makes the write of a keyed request once; all repetitions get the first outcome. The batch of the write decides. A
 * refusal, which may come of an earlier read, stands only if no outcome is stored under the key. Only successes are
 * stored. Errors: `idempotency_mismatch`; those of `run`.
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
 * Reads the outcome stored under a key, if there is a key and an outcome: for an operation that may find nothing to
 * write because an earlier request of the same key has written it. Errors: `idempotency_mismatch`.
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

/**
 * Commits statements as one batch; returns the rows of each step, and of those with `answer`. It acquires an
 * idempotency key first and releases it if the write is refused. `stored` is the outcome under the key, of this request
 * or an earlier one. Errors: `DatabaseUnavailable`, `idempotency_mismatch`.
 */
export async function commitOnce(
  database: Database,
  { viewer, idempotencyKey: key }: WriteAs,
  { steps, last = [], refused }: { steps: Step[]; last?: Statement[]; refused: Condition },
): Promise<{ rows: Row[][]; answers: Row[][]; stored?: Outcome }> {
  const batch = key ? acquire(key) : [];
  const indexes = steps.map((step) => {
    const index = batch.push(step) - 1;
    if (key) batch.push(...storeAnswer(key, step));
    return index;
  });
  // Heartbeats among the last would refuse a write that was granted: they change what its conditions read.
  batch.push(...(key ? [release(key, refused)] : []), ...last, ...(key ? [find(key)] : []));
  const all = await database.commit(viewer, batch);
  const rows = indexes.map((index) => all[index]!);
  const answers = rows.filter((_, n) => steps[n]!.answer);
  return { rows, answers, stored: key && outcomeOf(key, all.at(-1)![0]) };
}

/** Acquires the key, at the beginning of a batch. */
function acquire(key: IdempotencyKey): Statement[] {
  const { fingerprint, ids, now } = key;
  const expired = expiry(key);
  // Earlier releases make their answers with the ids of the first request.
  const outcome = JSON.stringify({ format: FORMAT, unique: ids, revision: null, rows: [] });
  const args = { ...own(key), fingerprint, outcome, now: now.toISOString(), expired };
  return [{ sql: FORGET, args: { expired } }, { sql: ACQUIRE, args }];
}

/** True while this request holds the key. */
export function held(key: IdempotencyKey): Condition {
  return { sql: `EXISTS (SELECT 1 FROM idempotency WHERE ${OWN})`, args: own(key) };
}

/** Stores the answer of a step. */
function storeAnswer(key: IdempotencyKey, { sql, args, answer }: Step): Statement[] {
  if (answer === undefined) return [];
  const query = answer.query ?? sql;
  return [{ sql: STORE_ROWS(answer.columns, query), args: { ...argsOf(query, args), ...own(key) } }];
}

/** Stores the revision of the write, which the query selects. */
export function storeRevision(key: IdempotencyKey, { sql, args }: Condition): Statement {
  const store = `UPDATE idempotency SET outcome = json_set(outcome, '$.revision', (${sql})) WHERE ${OWN}`;
  return { sql: store, args: { ...args, ...own(key) } };
}

/** Releases the key if the write was refused. */
function release(key: IdempotencyKey, { sql, args }: Condition): Statement {
  return { sql: `DELETE FROM idempotency WHERE ${OWN} AND (${sql})`, args: { ...args, ...own(key) } };
}

/** Selects the row for `outcomeOf`, at the end of a batch. */
function find(key: IdempotencyKey): Statement {
  return { sql: FIND, args: { ...at(key), expired: expiry(key) } };
}

/** True of a write of which the first row of a step, its `n`th with an answer, denies one of these. */
export function deniedBy(n: number, columns: string[]): Condition {
  const all = columns.map((column) => `outcome ->> '$.rows[${n}][0].${column}'`).join(" AND ");
  return { sql: `NOT COALESCE(${all}, FALSE)`, args: {} };
}

/** Reads the outcome stored under the key, if any. Errors: `idempotency_mismatch`. */
function outcomeOf(key: IdempotencyKey, row: Row | undefined): Outcome | undefined {
  if (row === undefined) return undefined;
  if (row.fingerprint !== key.fingerprint) {
    throw new Refusal("idempotency_mismatch", { key: key.key, by: "another request" });
  }
  const { format = 1, revision, rows, later } = JSON.parse(row.outcome as string);
  if (format !== FORMAT) {
    throw new Refusal("idempotency_mismatch", { key: key.key, by: "another release" });
  }
  const now = new Date(row.created_at as string);
  return { now, revision: revision ?? undefined, rows, later, key, replayed: row.nonce !== key.nonce };
}

/** Returns whether an outcome is stored under the key. */
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

/** Computes JSON for an answer after the commit. Under a key, the first result is stored for all. */
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

function own(key: IdempotencyKey) {
  return { ...at(key), held_nonce: key.nonce };
}

function at({ owner, scope, key }: Pick<IdempotencyKey, "owner" | "scope" | "key">) {
  return { held_scope: scope, held_key: keyFor(owner, key) };
}

function expiry({ now, lifetime }: Pick<IdempotencyKey, "now" | "lifetime">): string {
  return new Date(now.getTime() - lifetime).toISOString();
}
