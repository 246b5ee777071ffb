import type { Coalescer } from "../batching/groups.ts";
import type { Database } from "../database.ts";
import { DatabaseUnavailable } from "../driver/faults.ts";
import type { Row, Statement } from "../driver/statement.ts";
import { SERVICE, type Viewer } from "../viewer.ts";
import { type Due, dueOf } from "./due.ts";
import { makeEndings, type RoundTrip } from "./endings.ts";

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
    (due, roundTrip) => makeEndings(database, viewer, due, statements, roundTrip),
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
    async (due, roundTrip) => {
      const statements = kind.statements([item]).map((statement) => ({ ...statement, weight }));
      const rows = await makeEndings(database, viewer, due, statements, roundTrip);
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
  endAndRead: (due: Due, roundTrip: RoundTrip) => Promise<Read>,
): Promise<Read> {
  const rooms = roomsUnderWay(database);
  let found = await read();
  let roundTrip: RoundTrip = "first";
  let joins = true;
  for (let due = dueOf(room, rowOf(found)); due; due = dueOf(room, rowOf(found))) {
    const others: Promise<unknown> | undefined = joins ? rooms.get(room) : undefined;
    if (others) {
      joins = await others.then(() => true, () => false); // what the others read may have failed
      found = await read();
      continue;
    }
    try {
      found = await underWayIn(rooms, room, endAndRead(due, roundTrip));
    } catch (error) {
      if (error instanceof DatabaseUnavailable) break;
      throw error;
    }
    roundTrip = "further";
  }
  return found;
}
