import { privateRoomsIn, selectPrivate } from "../access/private.ts";
import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import { SERVED } from "../release.ts";
import { type Row, type Statement, statementOf } from "../driver/statement.ts";
import type { Coalescer } from "../batching/groups.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { ADMITTED, advance, NEW_REVISION } from "./admission.ts";
import { depart, FORGET_DEPARTURES } from "./departed.ts";
import {
  CLAIMS_OF_LEAVING,
  FINISH_DEPARTURE,
  FIRST_LEFT_OF_LEAVING,
  RESERVATIONS_OF_LEAVING,
} from "./departures.ts";
import { DUE, type Due, dueOf, type Ending, ENDS, timeOf } from "./due.ts";
import { LEASES } from "./leases.ts";

/** Clears marks of waits whose leases expire (db/agents/marks.ts): the agents show their own status again. */
const MARKS: Ending = {
  part: "agents",
  table: "waits",
  until: "until",
  effects: (dueFirst) => [
    `UPDATE agents SET revision = ${NEW_REVISION}
      WHERE room_id = :room AND id IN (${dueFirst("agent_id")}) AND ${ADMITTED}`,
    `DELETE FROM waits WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
  ],
};

const ENTRIES: Ending = {
  part: "state",
  kind: "entries",
  table: "state",
  until: "expires_at",
  counts: (dueFirst) => [`key_count = key_count - (SELECT COUNT(*) FROM (${dueFirst("1")}))`],
  effects: (dueFirst) => [
    `UPDATE state SET
       value = 'null', deleted = 1, version = version + 1, updated_at = ${
      timeOf("expires_at")
    }, updated_by = NULL, verified = 0,
       expires_at = NULL, revision = ${NEW_REVISION}
      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
  ],
};

const PRIVATE_ROOMS = privateRoomsIn(selectPrivate(":room"));

/** Deletes keys that expire in private scopes, which the room does not count. */
const PRIVATE_ENTRIES: Ending = {
  part: "private",
  kind: "private",
  table: "state",
  until: { where: `room_id IN (${PRIVATE_ROOMS}) AND expires_at <= :moment`, inAnyOrder: true },
  effects: ENTRIES.effects,
};
// The first end of each scope is found by its index. One MIN over all scopes would pass all their keys.
const FIRST_LEFT_OF_PRIVATE = `
  SELECT MIN((SELECT MIN(expires_at) FROM state WHERE state.room_id = own.id AND expires_at IS NOT NULL)) AS until
    FROM (${PRIVATE_ROOMS}) AS own`;

const RESERVATIONS: Ending = {
  part: "reservations",
  kind: "reservations",
  table: "reservations",
  until: "expires_at",
  effects: (dueFirst) => [
    depart("reservations", dueFirst("id")),
    `DELETE FROM reservations WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
    ...FORGET_DEPARTURES,
  ],
};

const ENDINGS = [
  CLAIMS_OF_LEAVING,
  RESERVATIONS_OF_LEAVING,
  MARKS,
  LEASES,
  ENTRIES,
  PRIVATE_ENTRIES,
  RESERVATIONS,
];

/** The maximum number of things that end in one revision. */
const THINGS = 100;
/**
 * The revisions of each kind in the first round trip, which nearly always suffices, and in each further one. `weight`
 * is that of each statement: many endings get a batch of their own (db/batching/next_batch.ts).
 */
const FIRST = { revisions: 3, weight: 4 };
const FURTHER = { revisions: 10, weight: 16 };
/** The revisions of each kind in a further round trip where private scopes are looked through: it takes 2 ms each. */
const WITH_PRIVATE = 3;
/** The maximum of one kind that ends in the first round trip. */
export const MAX_IN_FIRST = FIRST.revisions * THINGS;

const dueOfKind = ({ table, until }: Ending): { from: string; order: string } =>
  typeof until === "string"
    ? {
      from: `${table} WHERE room_id = :room AND ${until} <= :moment`,
      order: `ORDER BY ${until}, rowid`,
    }
    : { from: `${table} WHERE ${until.where}`, order: until.inAnyOrder ? "" : "ORDER BY rowid" };

/** Selects the places of the heavy things among those due first. */
const HEAVY_PLACES = ({ heavy, ...ending }: Ending) => {
  const { from, order } = dueOfKind(ending);
  return `SELECT place FROM (
    SELECT row_number() OVER () AS place, heavy FROM (
      SELECT ${heavy} AS heavy FROM ${from} ${order} LIMIT ${THINGS}))
    WHERE heavy`;
};

const DUE_FIRST = (ending: Ending) => (columns: string) => {
  const { from, order } = dueOfKind(ending);
  const limit = ending.heavy ? `COALESCE((${HEAVY_PLACES(ending)} LIMIT 1), ${THINGS})` : THINGS;
  return `SELECT ${columns} FROM ${from} ${order} LIMIT ${limit}`;
};

const IS_DUE = (ending: Ending) => `EXISTS (SELECT 1 FROM ${dueOfKind(ending).from})`;

const ADMIT = (ending: Ending) => `
  ${advance(ending.part, ending.counts?.(DUE_FIRST(ending)))}
   WHERE id = :room AND ${SERVED} AND ${IS_DUE(ending)}`;
const RETURNING = " RETURNING revision";

/** The statements of one revision of each kind. `again`: admits it in a batch that has one of the kind already. */
const REVISION_OF = ENDINGS.map((ending) => ({
  part: ending.part,
  bit: ending.kind && ENDS[ending.kind],
  admit: ADMIT(ending) + RETURNING,
  again: ADMIT(ending) + (ending.heavy ? ` AND NOT EXISTS (${HEAVY_PLACES(ending)})` : "") + RETURNING,
  effects: ending.effects(DUE_FIRST(ending)),
}));

const FIRST_LEFT = ENDINGS.flatMap(({ table, until }) =>
  typeof until === "string"
    ? `SELECT MIN(${until}) AS until FROM ${table} WHERE room_id = :room AND ${until} IS NOT NULL`
    : []
).concat(FIRST_LEFT_OF_LEAVING).join(" UNION ALL ");

/** Sets `due` to the first end that is left, unless a trigger or a later write has moved it past the moment. */
const settleBy = (left: string) => `
  UPDATE rooms SET due = (SELECT MIN(until) FROM (${left})) WHERE id = :room AND due <= :moment`;
const SETTLE = settleBy(FIRST_LEFT);
const SETTLE_PRIVATE = settleBy(`${FIRST_LEFT} UNION ALL ${FIRST_LEFT_OF_PRIVATE}`);

/**
 * Ends what is due, as ordinary changes of the room, then runs `statements` and returns their rows, all in one round
 * trip. A thing ends once, however many instances try. What exceeds `size` stays due. Errors: `DatabaseUnavailable`.
 */
export async function makeEndings(
  database: Database,
  viewer: Viewer,
  { room, moment, ends }: Due,
  statements: Statement[] = [],
  size = FIRST,
): Promise<Row[][]> {
  const kinds = REVISION_OF.filter(({ bit }) => bit === undefined || ends & bit);
  const revisions = ends & ENDS.private ? Math.min(size.revisions, WITH_PRIVATE) : size.revisions;
  const all = Array.from({ length: revisions }, () => kinds).flat();
  const groups = all.map(({ admit: first, again, effects }, n) => {
    const admit = n < kinds.length ? first : again;
    const args = { room, moment, nonce: database.newId() };
    return [
      { ...statementOf(admit, args), single: true },
      ...effects.map((sql) => ({ ...statementOf(sql, args), weight: size.weight })),
    ];
  });
  const finish = ends & ENDS.departures ? [{ sql: FINISH_DEPARTURE, args: { room } }] : [];
  const settle = [...finish, { sql: ends & ENDS.private ? SETTLE_PRIVATE : SETTLE, args: { room, moment } }];
  const rows = await database.commit(viewer, [...groups.flat(), ...settle, ...statements]);
  for (const [n, { part }] of all.entries()) {
    const [admitted] = rows.splice(0, groups[n]!.length)[0]!;
    if (admitted) database.announce({ room, part, revision: Number(admitted.revision) });
  }
  return rows.slice(settle.length);
}

type RoomsUnderWay = Map<string, Promise<unknown>>;

/** What requests of this instance have found due and are ending, by room. */
const underWay = new WeakMap<Database, RoomsUnderWay>();

function roomsUnderWay(database: Database): RoomsUnderWay {
  const rooms = underWay.get(database) ?? new Map<string, Promise<unknown>>();
  underWay.set(database, rooms);
  return rooms;
}

/** Keeps `ending` among those under way until it is done. */
function underWayIn<Result>(rooms: RoomsUnderWay, room: string, ending: Promise<Result>): Promise<Result> {
  const own = ending.finally(() => {
    if (rooms.get(room) === own) rooms.delete(room);
  });
  rooms.set(room, own);
  return own;
}

/**
 * Ends what a write has found due in a room, or waits until that is done for another request which has found it: of many
 * at once each would send the same. Something may be due still. Errors: `DatabaseUnavailable`.
 */
export async function endBeforeWrite(database: Database, due: Due): Promise<void> {
  const rooms = roomsUnderWay(database);
  const { room } = due;
  const others = rooms.get(room);
  if (others === undefined) return void await underWayIn(rooms, room, makeEndings(database, SERVICE, due));
  await others.catch((error) => {
    if (error instanceof DatabaseUnavailable) throw error;
  });
}

/** Ends all that is due in a room, in as many round trips as that takes. Errors: `DatabaseUnavailable`. */
export async function makeAllEndings(database: Database, viewer: Viewer, first: Due): Promise<void> {
  const { room } = first;
  const look = { sql: `SELECT ${DUE} FROM rooms WHERE id = :room`, args: { room } };
  let size = FIRST;
  for (let due: Due | undefined = first; due; size = FURTHER) {
    const [rooms] = await makeEndings(database, viewer, due, [look], size);
    due = dueOf(room, rooms![0]);
  }
}

/**
 * Reads as `database.read` does. The first statement must select a room's row with `DUE`. Where something is due, ends
 * that and reads again in the same round trip. Where the database takes no writes, as with a full disk, shows what is
 * due as if it had not ended, since each end is a revision.
 */
export async function readCurrent(
  database: Database,
  viewer: Viewer,
  statements: Statement[],
): Promise<Row[][]> {
  const room = statements[0]!.args.room as string;
  return await current(
    database,
    room,
    () => database.read(viewer, statements),
    ([rooms]) => rooms![0],
    (due, size) => makeEndings(database, viewer, due, statements, size),
  );
}

/**
 * Reads as `database.readCoalesced` does. The row of an item must have the column `due` (`DUE_NOW`). Where something is
 * due, ends that and reads the item again, by itself, in the same round trip.
 */
export async function readCoalescedCurrent<Item>(
  database: Database,
  viewer: Viewer,
  kind: Coalescer<Item, Row | undefined>,
  room: string,
  item: Item,
  weight?: number,
): Promise<Row | undefined> {
  return await current(
    database,
    room,
    () => database.readCoalesced(viewer, kind, item, weight),
    (row) => row,
    async (due, size) => {
      const statements = kind.statements([item]).map((statement) => ({ ...statement, weight }));
      const rows = await makeEndings(database, viewer, due, statements, size);
      return kind.results([item], rows)[0];
    },
  );
}

/**
 * Reads again for as long as the room's row tells that something is due: with `endAndRead`, or with `read` once that is
 * done which another request of this instance is ending. Of many reads at once each would send the same ends.
 */
async function current<Read>(
  database: Database,
  room: string,
  read: () => Promise<Read>,
  rowOf: (read: Read) => Row | undefined,
  endAndRead: (due: Due, size: typeof FIRST) => Promise<Read>,
): Promise<Read> {
  const rooms = roomsUnderWay(database);
  let found = await read();
  let size = FIRST;
  let joins = true;
  for (let due = dueOf(room, rowOf(found)); due; due = dueOf(room, rowOf(found))) {
    const others: Promise<unknown> | undefined = joins ? rooms.get(room) : undefined;
    if (others) {
      joins = await others.then(() => true, () => false); // what the others read may have failed
      found = await read();
      continue;
    }
    try {
      found = await underWayIn(rooms, room, endAndRead(due, size));
    } catch (error) {
      if (error instanceof DatabaseUnavailable) break;
      throw error;
    }
    size = FURTHER;
  }
  return found;
}
