import type { Database } from "../database.ts";
import type { KeyedRequest, Once, Stored } from "../keyed_request.ts";
import { Refusal } from "../refusal.ts";
import type { Condition, Row, Statement, Value } from "../driver/statement.ts";

/**
 * The format of outcomes: which values and rows they hold for each write, and in which order. It is raised whenever
 * a release changes that, since keys live across releases (tests/db/outcomes.test.ts tells).
 */
const FORMAT = 1;

/** A statement whose rows the answer is made of; a replay gets these columns of them. */
export interface Step extends Statement {
  /** `from` finds the rows again right after the statement, with its arguments; by default it is run once more. */
  kept?: { columns: string[]; from?: string };
}

const OWN = `room_id = :once_scope AND key = :once_key AND nonce = :once_nonce`;

const HELD = `EXISTS (SELECT 1 FROM idempotency WHERE ${OWN})`;

// More than a write adds, so that expired keys cannot pile up.
const FORGET = `
  DELETE FROM idempotency WHERE rowid IN (
    SELECT rowid FROM idempotency WHERE created_at <= :expired ORDER BY created_at LIMIT 8)`;

const TAKE = `
  INSERT INTO idempotency (room_id, key, fingerprint, nonce, outcome, created_at)
  VALUES (:once_scope, :once_key, :fingerprint, :once_nonce, :outcome, :now)
  ON CONFLICT (room_id, key) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    nonce = excluded.nonce,
    outcome = excluded.outcome,
    created_at = excluded.created_at
   WHERE idempotency.created_at <= :expired`;

const KEEP = (columns: string[], from: string) => `
  UPDATE idempotency SET outcome = json_set(outcome, '$.rows[#]', json((
    SELECT json_group_array(json_object(${columns.map((name) => `'${name}', ${name}`).join(", ")}))
      FROM (${from}))))
   WHERE ${OWN}`;

const SETTLE = (revision: string) =>
  `UPDATE idempotency SET outcome = json_set(outcome, '$.revision', (${revision})) WHERE ${OWN}`;

const LET_GO = (condition: string) => `DELETE FROM idempotency WHERE ${OWN} AND ${condition}`;

const FOUND = `FROM idempotency WHERE room_id = :once_scope AND key = :once_key AND created_at > :expired`;

const FIND = `SELECT fingerprint, nonce, outcome, created_at ${FOUND}`;

/** Without the outcome, which may be long. */
const IS_TAKEN = `SELECT 1 ${FOUND}`;

const ADD_LATER = `
  UPDATE idempotency SET outcome = json_insert(outcome, '$.later', :later)
   WHERE room_id = :once_scope AND key = :once_key`;

/** The key was found: this request, or another one, was done under it. */
class AlreadyDone extends Error {
  override readonly name = "AlreadyDone";
  constructor(readonly row: Row) {
    super("There is a stored outcome.");
  }
}

/**
 * Runs a keyed request, or replays it where it was done before. `run` must make its one write by `database`.
 * The batch of the write decides; a refusal that came of a read is believed only after a look for the key.
 * Only what was answered with success is kept. Errors: `idempotency_mismatch`; what `run` throws.
 */
export async function runOnce<T>(
  database: Database,
  request: KeyedRequest,
  run: (database: Database) => Promise<T>,
): Promise<{ result: T; replayed: boolean }> {
  const once: Once = { ...request, nonce: database.unique(), now: await database.time(), unique: [] };
  try {
    return { result: await run(recording(database, once)), replayed: false };
  } catch (error) {
    const row = error instanceof AlreadyDone ? error.row : await findAfter(error, database, once);
    if (row === undefined) throw error;
    if (row.fingerprint !== request.fingerprint) throw mismatch(request.key);
    const stored: Stored = JSON.parse(row.outcome as string);
    if ((stored.format ?? 1) !== FORMAT) throw otherFormat(request.key);
    return { result: await run(replaying(database, { ...once, stored }, row)), replayed: true };
  }
}

function recording(database: Database, once: Once): Database {
  const unique = () => {
    const value = database.unique();
    once.unique.push(value);
    return value;
  };
  return { ...database, once, time: () => Promise.resolve(once.now), unique };
}

function replaying(database: Database, once: Once, row: Row): Database {
  const now = new Date(row.created_at as string);
  const left = [...once.stored!.unique];
  return {
    ...database,
    once,
    time: () => Promise.resolve(now),
    unique: () => left.shift() ?? database.unique(),
  };
}

async function findAfter(error: unknown, database: Database, once: Once): Promise<Row | undefined> {
  if (!(error instanceof Refusal) || error.code === "room_not_found") return undefined;
  const [rows] = await database.read([find(once)]);
  return rows![0];
}

function mismatch(key: string): Refusal {
  return new Refusal(
    "idempotency_mismatch",
    `Another request was made under the key ${JSON.stringify(key)} in this room.`,
    { hint: "A key belongs to one request, to the letter, for 24 hours. Take a new key for a new request." },
  );
}

function otherFormat(key: string): Refusal {
  return new Refusal(
    "idempotency_mismatch",
    `The request under the key ${
      JSON.stringify(key)
    } was done by another release, which answered it otherwise.`,
    { hint: "It took effect: read what is there. Take a new key only to do it once more." },
  );
}

/** The statements with which a keyed batch begins. */
export function takeKey(once: Once): Statement[] {
  const expired = expiry(once);
  const outcome = JSON.stringify({ format: FORMAT, unique: once.unique, revision: null, rows: [] });
  const { fingerprint } = once;
  return [
    { sql: FORGET, args: { expired } },
    { sql: TAKE, args: { ...own(once), fingerprint, outcome, now: once.now.toISOString(), expired } },
  ];
}

/** True while the key belongs to this request. */
export function held(once: Once): Condition {
  return { sql: HELD, args: own(once) };
}

/** Keeps the rows of a step for replays. */
export function keepRows(once: Once, { sql, args, kept }: Step): Statement[] {
  if (kept === undefined) return [];
  const from = kept.from ?? sql;
  return [{ sql: KEEP(kept.columns, from), args: { ...used(from, args), ...own(once) } }];
}

/** Keeps the revision of the write, as a query for it has it. */
export function keepRevision(once: Once, query: string, args: Record<string, Value>): Statement {
  return { sql: SETTLE(query), args: { ...args, ...own(once) } };
}

/** Gives the key back where the write was refused. */
export function letGo(once: Once, condition: string, args: Record<string, Value>): Statement {
  return { sql: LET_GO(condition), args: { ...used(condition, args), ...own(once) } };
}

/** The statement with which a keyed batch ends; its rows are for `checkTaken`. */
export function find(once: Once): Statement {
  return { sql: FIND, args: { once_scope: once.scope, once_key: once.key, expired: expiry(once) } };
}

/** Whether a request was done under the key. */
export async function isTaken(
  database: Database,
  scope: string,
  key: string,
  lifetime: number,
): Promise<boolean> {
  const expired = new Date((await database.time()).getTime() - lifetime).toISOString();
  const [rows] = await database.read([{
    sql: IS_TAKEN,
    args: { once_scope: scope, once_key: key, expired },
  }]);
  return rows!.length > 0;
}

/** Ends the run where the key was not this request's. */
export function checkTaken(once: Once, [row]: Row[]): void {
  if (row !== undefined && row.nonce !== once.nonce) throw new AlreadyDone(row);
}

/** The rows of each step at the first run; none for those that keep none. */
export function storedRows(steps: Step[], { rows }: Stored): Row[][] {
  const left = [...rows];
  return steps.map(({ kept }) => kept ? left.shift() ?? [] : []);
}

/** JSON that an answer needs and that is computed after the commit: the first to come is kept for all. */
export async function computeOnce<T>(database: Database, compute: () => Promise<T>): Promise<T> {
  const { once } = database;
  if (once === undefined) return await compute();
  if (once.stored?.later !== undefined) return JSON.parse(once.stored.later);
  const later = JSON.stringify(await compute());
  const [, rows] = await database.commit([
    { sql: ADD_LATER, args: { once_scope: once.scope, once_key: once.key, later } },
    find(once),
  ]);
  const outcome = rows![0]?.outcome;
  return JSON.parse(outcome === undefined ? later : JSON.parse(outcome as string).later);
}

function own({ scope, key, nonce }: Once) {
  return { once_scope: scope, once_key: key, once_nonce: nonce };
}

function expiry({ now, lifetime }: Once): string {
  return new Date(now.getTime() - lifetime).toISOString();
}

/** The arguments that the SQL names. */
export function used(sql: string, args: Record<string, Value>): Record<string, Value> {
  const names = new Set(sql.match(/:\w+/g));
  return Object.fromEntries(Object.entries(args).filter(([name]) => names.has(`:${name}`)));
}
