import { type Agent, toAgent } from "../agents/agent.ts";
import { isHidden, type Newest, newestOf, toWait, type Viewpoint } from "../agents/waits.ts";
import type { Database } from "../database.ts";
import { readInLanes } from "../consistent_read/lanes.ts";
import { PAGE_BYTES } from "../consistent_read/listing.ts";
import { lengthOf, type Row, type Statement } from "../driver/statement.ts";
import { stored } from "../json.ts";
import { type Message, toMessage } from "../messages/message.ts";
import { Refusal, served } from "../refusal.ts";
import { type Reservation, toReservation } from "../reservations/read.ts";
import { revisionOf, type Room, ROOM_CURRENT, toRoom } from "../rooms/room.ts";
import { type Entry, toListed, type Tombstone } from "../state/entry.ts";
import type { Viewer } from "../viewer.ts";
import { readCurrent } from "../write/current.ts";
import { isBusy, mapYielding, yieldToOthers } from "../yield.ts";
import { type ChangesQuery, selectChanges, selectIdentities, selectPart } from "./changes_sql.ts";

interface Changed {
  revision: number;
}

interface Left {
  id: string;
  left: true;
}

interface Ended {
  id: string;
  ended: true;
}

/** What changed in a room between two revisions: each thing once, in its latest form. */
export interface Changes {
  /** The revision to follow from: this answer and those before it have all changes up to it. */
  revision: number;
  state: Array<(Entry | Tombstone) & Changed>;
  agents: Array<(Agent | Left) & Changed>;
  messages: Array<Message & Changed>;
  reservations: Array<(Reservation | Ended) & Changed>;
  /** The room itself, if its `meta` changed; its `revision` is that of this change. */
  room?: Room;
  /** Whether more has changed after `revision`. If not, all answers together are the room at `revision`. */
  more: boolean;
  /**
   * Set where the room is below the revision asked for, as after a restored copy, or has forgotten what left it since.
   * The changes then begin at the start.
   */
  reset?: true;
}

/** A page of changes. `began` is for the query of the next page, where these belong to a walk from the start. */
export interface ChangesPage {
  changes: Changes;
  began?: number;
  /** Whether the room has forgotten departures, so that a walk needs `began`. */
  forgets: boolean;
}

/**
 * Reads what changed after a revision, in one round trip that costs as much as the changes. A full page cuts it before
 * the limit. Errors: `room_not_found`, `unauthenticated`.
 */
export async function readChanges(
  database: Database,
  viewer: Viewer,
  room: string,
  query: ChangesQuery,
): Promise<ChangesPage> {
  const page = await readCurrent(database, viewer, selectChanges(viewer, room, query));
  const results = await withLong(database, viewer, room, page);
  if (isBusy()) await yieldToOthers();
  const { changes } = await toChanges(results);
  const begins = query.after === 0 || changes.reset;
  const row = results[0]![0]!;
  const began = begins ? Number(row.revision) : query.began;
  return { changes, began, forgets: Number(row.forgotten) > 0 };
}

/** The changes of a room, and how the waits in it see them. */
interface SeenChanges {
  changes: Changes;
  /** The agent of a wait where the wait sees it otherwise, since its own mark is hidden from it. */
  own(viewpoint: Viewpoint): (Agent & Changed) | undefined;
}

/**
 * Adds to the rows of `selectChanges` those of a first revision that is too long for one answer of the database. Reads
 * them in parts: a row comes as the revision left it, unless it has changed since and belongs to a later revision.
 * Errors: `room_not_found`, `unauthenticated`, `unavailable`.
 */
export async function withLong(
  database: Database,
  viewer: Viewer,
  room: string,
  page: Row[][],
): Promise<Row[][]> {
  const [[found], ...before] = page as [Row[], ...Row[][]];
  if (!found?.long || before.some((rows) => rows.length > 0)) return page;
  const at = Number(found.edge);
  const current = { sql: ROOM_CURRENT, args: { room } };

  async function read(statements: Statement[]): Promise<Row[][]> {
    const [rooms, ...results] = await readCurrent(database, viewer, [current, ...statements]);
    revisionOf(rooms!);
    return results;
  }

  const all: Row[][] = before.map(() => []);
  const [identities] = await read([selectIdentities(viewer, room, at)]);
  const parts = partsOf(identities!);
  let length = 0;

  /** Reads the next part, and returns whether there is none after it. */
  async function next(): Promise<boolean> {
    const part = parts.shift();
    if (part === undefined) return true;
    const results = await read(selectPart(viewer, room, at, part));
    for (const [n, rows] of results.entries()) all[n]!.push(...rows);
    length += lengthOf(results);
    await yieldToOthers();
    return parts.length === 0;
  }

  await readInLanes(database, room, next, () => length);
  return [[{ ...found, long: 0 }], ...all];
}

/** Divides the rows of `selectIdentities` into parts of the size of a page, each by table. */
function partsOf(identities: Row[]): Array<Record<string, unknown[]>> {
  const parts: Array<Record<string, unknown[]>> = [];
  let left = 0;
  for (const { source, identity, size } of identities) {
    if (left <= 0) parts.push({}), left = PAGE_BYTES;
    (parts.at(-1)![source as string] ??= []).push(identity);
    left -= Number(size);
  }
  return parts;
}

/** Reads the rows of `selectChanges`, with those of a long revision (`withLong`). Errors: `room_not_found`, `unavailable`. */
export async function toChanges(
  [rooms, state, agents, messages, marks, reservations, departed]: Row[][],
): Promise<SeenChanges> {
  const [room] = rooms!;
  if (room === undefined) throw new Refusal("room_not_found", {});
  const now = new Date(Number(room.now));
  const present = served(room.revision);
  // A page ends before a long revision.
  const edge = Number(room.edge) - Number(room.long);
  const more = room.edge !== null && Number(room.moved) > edge;
  const revision = more ? edge : present;
  const goneAs = <Mark>(table: string, mark: Mark) =>
    departed!.filter(({ kind }) => kind === table)
      .map((row) => ({ id: row.id as string, ...mark, ...changed(row) }));
  const waits = marks!.map(toWait);
  const newest = newestOf(waits);
  const agentOf = (row: Row, shown: Newest) => ({ ...toAgent(row, shown, now), ...changed(row) });
  const changes: Changes = {
    revision,
    state: await mapYielding(state!, (row) => ({ ...toListed(row, stored), ...changed(row) })),
    agents: merged(
      await mapYielding(agents!, (row) => agentOf(row, newest)),
      goneAs("agents", { left: true } as const),
    ),
    messages: await mapYielding(messages!, (row) => ({ ...toMessage(row, stored), ...changed(row) })),
    reservations: merged(
      await mapYielding(reservations!, (row) => ({ ...toReservation(row), ...changed(row) })),
      goneAs("reservations", { ended: true } as const),
    ),
    ...changedRoom(room, revision),
    more,
    ...(room.reset ? { reset: true as const } : {}),
  };
  const ofAgents = Map.groupBy(waits, ({ agent_id }) => agent_id);
  return {
    changes,
    own(viewpoint) {
      const own = ofAgents.get(viewpoint.self ?? "") ?? [];
      const shown = own.filter((wait) => !isHidden(wait, viewpoint));
      if (shown.length === own.length) return undefined;
      return agentOf(agents!.find(({ id }) => id === viewpoint.self)!, newestOf(shown));
    },
  };
}

/** Merges what is there and what is gone, in the order of their changes. */
function merged<There extends Changed, Gone extends Changed>(
  there: There[],
  gone: Gone[],
): Array<There | Gone> {
  return gone.length === 0 ? there : [...there, ...gone].sort((a, b) => a.revision - b.revision);
}

/** Returns the room, if its `meta` changed up to a revision. */
function changedRoom({ id, changed }: Row, upTo: number): { room?: Room } {
  if (changed === null) return {};
  const room = toRoom({ id, ...JSON.parse(changed as string) });
  return room.revision <= upTo ? { room } : {};
}

function changed(row: Row): Changed {
  return { revision: Number(row.revision) };
}

/** Whether there are no changes and no `reset`. */
export function isEmpty({ state, agents, messages, reservations, room, reset }: Changes): boolean {
  return !reset && !room && state.length + agents.length + messages.length + reservations.length === 0;
}
