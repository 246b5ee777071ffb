import type { Database } from "../database.ts";
import { argsOf, type Condition, type Row, type Statement } from "../driver/statement.ts";
import { Refusal } from "../refusal.ts";
import { THERE } from "../release.ts";
import { keyFor } from "../viewer.ts";
import type { IdempotencyKey, Outcome, Step, WriteAs } from "./context.ts";

/**
 * The format of stored outcomes: the rows and columns of each kind of write, in order. A release that changes one
 * raises this number, since keys outlive releases (tests/db/outcomes.test.ts).
 */
const FORMAT = 1;

const OWN = `room_id = :held_scope AND key = :held_key AND nonce = :held_nonce`;

// Deletes more keys than a write adds, so that expired ones cannot accumulate.
const FORGET = `
  DELETE FROM idempotency WHERE rowid IN (
    SELECT rowid FROM idempotency WHERE created_at <= :expired ORDER BY created_at LIMIT 8)`;

/** True where the scope is a deleted room, whose keys are void. */
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

// The outcome is JSON without its end while the steps append to it: to parse and write what is there anew with each step
// took 150 ms for a batch that leaves values of 1 MB.
const END_OF_ROWS = "]}";

const rowsOf = (columns: string[], query: string) =>
  `(
    SELECT json_group_array(json_object(${columns.map((name) => `'${name}', ${name}`).join(", ")}))
      FROM (${query}))`;

/** Appends the rows of a step. `before`: what divides them from those of the step before. */
const STORE_ROWS = (columns: string[], query: string, before: "" | ",") => `
  UPDATE idempotency SET outcome = outcome || '${before}' || ${rowsOf(columns, query)}
   WHERE ${OWN}`;

/** The parts of an outcome, within its batch: no other key has two line feeds (`keyFor`). */
const PARTS = `room_id = :held_scope AND key > :held_key || char(10, 10) AND key < :held_key || char(10, 11)`;

/** Stores the rows of a step as a part, to be appended with all others at once. */
const STORE_PART = (columns: string[], query: string) => `
  INSERT INTO idempotency (room_id, key, fingerprint, nonce, outcome, created_at)
  SELECT room_id, key || char(10, 10) || :held_part, '', nonce, ${rowsOf(columns, query)}, created_at
    FROM idempotency WHERE ${OWN}`;

const ALL_PARTS = `
  (SELECT group_concat(outcome, ',') FROM (SELECT outcome FROM idempotency WHERE ${PARTS} ORDER BY key))`;

const REMOVE_PARTS = `DELETE FROM idempotency WHERE ${PARTS}`;

export const FOUND =
  `FROM idempotency WHERE room_id = :held_scope AND key = :held_key AND created_at > :expired
   AND NOT ${OF_DELETED}`;

const FIND = `SELECT fingerprint, nonce, outcome, created_at ${FOUND}`;

/** The same, but the outcome of an earlier request alone: to bring and parse one of 2.6 MB takes 60 to 100 ms. */
const FIND_EARLIER = `
  SELECT fingerprint, nonce, CASE WHEN nonce <> :held_nonce THEN outcome END AS outcome, created_at ${FOUND}`;

/**
 * Commits a write as one batch. It acquires the idempotency key first, if there is one, and releases it where `refused`
 * is true after the steps. `rows` are those of each step, `answers` of each step with `answer`; `stored` is the outcome
 * under the key, of this request or an earlier one. Where that of this request is large, it has `answers`, and `key` is
 * the key instead. `revision` selects the write's revision, to be stored too. `last` runs after the key is released.
 * Errors: `DatabaseUnavailable`, `idempotency_mismatch`.
 */
export async function commitOnce(
  database: Database,
  { viewer, idempotencyKey: key }: WriteAs,
  { steps, revision, last = [], refused }: {
    steps: Step[];
    revision?: Condition;
    last?: Statement[];
    refused: Condition;
  },
): Promise<{ rows: Row[][]; answers: Row[][]; stored?: Outcome; key?: IdempotencyKey }> {
  const batch = key ? acquire(key) : [];
  const inParts = areStoredInParts(steps);
  let stores = 0;
  const indexes = steps.map((step) => {
    const index = batch.push(step) - 1;
    if (key && step.answer) batch.push(storeAnswer(key, step, stores++, inParts));
    return index;
  });
  // The key is released before the last statements: heartbeats among them change what `refused` reads.
  batch.push(
    ...(key ? [...complete(key, inParts, revision), release(key, refused)] : []),
    ...last,
    ...(key ? [inParts ? findEarlier(key) : find(key)] : []),
  );
  const all = await database.commit(viewer, batch);
  const rows = indexes.map((index) => all[index]!);
  const answers = rows.filter((_, n) => steps[n]!.answer);
  const [found] = key ? all.at(-1)! : [];
  if (found?.outcome === null) return { rows, answers, key };
  return { rows, answers, stored: key && outcomeOf(key, found) };
}

/** Makes the statements that acquire the key, at the beginning of a batch. */
function acquire(key: IdempotencyKey): Statement[] {
  const { fingerprint, ids, now } = key;
  const expired = expiry(key);
  // Earlier releases make their answers with the ids of the request that acquired the key.
  const outcome = JSON.stringify({ format: FORMAT, unique: ids, rows: [] }).slice(0, -END_OF_ROWS.length);
  const args = { ...own(key), fingerprint, outcome, now: now.toISOString(), expired };
  return [{ sql: FORGET, args: { expired } }, { sql: ACQUIRE, args }];
}

export function held(key: IdempotencyKey): Condition {
  return { sql: `EXISTS (SELECT 1 FROM idempotency WHERE ${OWN})`, args: own(key) };
}

/**
 * Whether the answers of a write are stored in parts: each time that something is appended, all that is there is written
 * anew, which for twenty values of 64 KiB takes two to three times as long.
 */
function areStoredInParts(steps: Step[]): boolean {
  return steps.filter(({ answer }) => answer?.weight !== undefined).length > 1;
}

/** Makes the statement that stores the answer of a step. `n`: how many come before it. */
function storeAnswer(
  key: IdempotencyKey,
  { sql, args, answer }: Step,
  n: number,
  inParts: boolean,
): Statement {
  const { columns, query = sql, weight } = answer!;
  const held = { ...argsOf(query, args), ...own(key) };
  if (!inParts) return { sql: STORE_ROWS(columns, query, n === 0 ? "" : ","), args: held, weight };
  return { sql: STORE_PART(columns, query), args: { ...held, held_part: partOf(n) }, weight };
}

/** Returns the name of a part, by which parts are in order. */
const partOf = (n: number) => String(n).padStart(6, "0");

/** Makes the statements that end the stored outcome, with the write's revision where a query selects it. */
function complete(key: IdempotencyKey, inParts: boolean, revision?: Condition): Statement[] {
  const rows = inParts ? `outcome || ${ALL_PARTS}` : "outcome";
  const end = revision ? `'],"revision":' || COALESCE((${revision.sql}), 'null') || '}'` : `'${END_OF_ROWS}'`;
  const sql = `UPDATE idempotency SET outcome = ${rows} || ${end} WHERE ${OWN}`;
  return [
    { sql, args: { ...revision?.args, ...own(key) } },
    ...inParts ? [{ sql: REMOVE_PARTS, args: at(key) }] : [],
  ];
}

function release(key: IdempotencyKey, { sql, args }: Condition): Statement {
  return { sql: `DELETE FROM idempotency WHERE ${OWN} AND (${sql})`, args: { ...args, ...own(key) } };
}

/** Selects the row for `outcomeOf`, at the end of a batch. */
export function find(key: IdempotencyKey): Statement {
  return { sql: FIND, args: { ...at(key), expired: expiry(key) }, single: true };
}

function findEarlier(key: IdempotencyKey): Statement {
  return { sql: FIND_EARLIER, args: { ...own(key), expired: expiry(key) }, single: true };
}

/** True where, in the first row stored of the `n`th step with an answer, one of these columns is not true. */
export function deniedBy(n: number, columns: string[]): string {
  const all = columns.map((column) => `outcome ->> '$.rows[${n}][0].${column}'`).join(" AND ");
  return `NOT COALESCE(${all}, FALSE)`;
}

/** Reads the outcome stored under the key, if any. Errors: `idempotency_mismatch`. */
export function outcomeOf(key: IdempotencyKey, row: Row | undefined): Outcome | undefined {
  if (row === undefined) return undefined;
  if (row.fingerprint !== key.fingerprint) {
    throw new Refusal("idempotency_mismatch", { by: "another request" });
  }
  const { format = 1, revision, rows, later } = JSON.parse(row.outcome as string);
  if (format !== FORMAT) {
    throw new Refusal("idempotency_mismatch", { by: "another release" });
  }
  const now = new Date(row.created_at as string);
  return { now, revision: revision ?? undefined, rows, later, key, replayed: row.nonce !== key.nonce };
}

function own(key: IdempotencyKey) {
  return { ...at(key), held_nonce: key.nonce };
}

export function at({ owner, scope, key }: Pick<IdempotencyKey, "owner" | "scope" | "key">) {
  return { held_scope: scope, held_key: keyFor(owner, key) };
}

export function expiry({ now, lifetime }: Pick<IdempotencyKey, "now" | "lifetime">): string {
  return new Date(now.getTime() - lifetime).toISOString();
}
