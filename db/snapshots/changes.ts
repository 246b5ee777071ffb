import { type Agent, toAgent } from "../agents/agent.ts";
import { NOW } from "../clock.ts";
import { CHANGED, type Source } from "../consistent_read/changed.ts";
import { privateFor, seenBy } from "../access/private.ts";
import { PARTS } from "../bus.ts";
import type { Database } from "../database.ts";
import { DUE } from "../write/due.ts";
import { readCurrent } from "../write/endings.ts";
import { SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { type Message, toMessage } from "../messages/message.ts";
import { isHidden, newestOf, toWait, type Viewpoint, WAIT } from "../agents/presence.ts";
import { Refusal, served } from "../refusal.ts";
import { type Reservation, toReservation } from "../reservations/read.ts";
import { type Room, toRoom } from "../rooms/room.ts";
import { REVISION } from "../release.ts";
import { type Entry, toListed, type Tombstone } from "../state/entry.ts";
import { sourcesOf } from "../state/sources.ts";
import type { Row, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../yield.ts";

interface Changed {
  revision: number;
}

/** What stays of an agent that left. */
interface Left {
  id: string;
  left: true;
}

/** What stays of a reservation that is over. */
interface Ended {
  id: string;
  ended: true;
}

/** What changed in a room between two revisions: each thing once, in its last version. */
export interface Changes {
  /** The revision to follow from: all changes up to it are in this answer or in those before it. */
  revision: number;
  state: Array<(Entry | Tombstone) & Changed>;
  agents: Array<(Agent | Left) & Changed>;
  messages: Array<Message & Changed>;
  reservations: Array<(Reservation | Ended) & Changed>;
  /** The room itself, if its `meta` changed; its `revision` is that of this change. */
  room?: Room;
  /** Whether more has changed after `revision`. Else all answers together are the room at `revision`. */
  more: boolean;
  /**
   * The room is below the revision asked for, as after a restored copy, or does not know all that has left it since. The
   * changes begin at the start.
   */
  reset?: true;
}

export interface ChangesQuery {
  /** Left out: the room's present revision. */
  after?: number;
  /** The room's revision when a walk from the start began of which this is a further page: `began` of the page before. */
  began?: number;
  /** The maximum of changes. Those of one revision come whole, so the last one may exceed it. */
  limit: number;
  /** Bytes after which the answer is cut, by default `SHORT_PAGE_BYTES`. */
  bytes?: number;
}

const LARGEST = { state: "value", agents: "meta", messages: "body", reservations: "paths", departed: "id" };
type Table = keyof typeof LARGEST;

/** Pages of changes; `began` is for the query of the next one, where these are of a walk from the start. */
export interface ChangesPage {
  changes: Changes;
  began?: number;
  /** Whether the room has forgotten departures, so that a walk needs `began`. */
  forgets: boolean;
}

/**
 * True where the reader cannot go on from `:after`: the room is below it, or departures are forgotten that the reader
 * has not heard of. Whoever began at the start when those had been made has never seen what left.
 */
const LOST = `(:after > revision OR :after > 0 AND :after < forgotten AND COALESCE(:began, 0) < forgotten)`;

/** The revision to follow from: 0 where the reader has to start anew. */
const START = `(
  SELECT CASE WHEN ${LOST} THEN 0 ELSE COALESCE(:after, revision) END FROM rooms WHERE id = :room)`;

/** Where those who see the same find what changed, and what they may know besides. */
interface Sight {
  sources: Record<Table, Source[]>;
  /** Columns of agents. */
  ofAgents: string;
  /** The last revision of each part, of which they may see something. */
  revisions: string[];
}

/** Makes the queries, in the order in which `toChanges` takes their rows. */
function queriesFor({ sources, ofAgents, revisions }: Sight): string[] {
  /** Selects what changed in a table, in the order of revisions. */
  const select = (table: Table, columns: string, within: (revision: string) => string) =>
    sources[table].map(({ from, revision }) =>
      `SELECT ${revision} AS changed, ${columns} FROM ${from} AND ${within(revision)}`
    ).join(" UNION ALL ");

  const sizes = Object.entries(LARGEST).map(([table, column]) =>
    select(table as Table, `octet_length(${column}) AS size`, (revision) => `${revision} > ${START}`)
  );

  // The revision that reaches the limit. The cut comes after it, never within the changes of one revision.
  const edge = `(
    SELECT changed FROM (
      SELECT changed, ROW_NUMBER() OVER passed AS position, SUM(size) OVER passed AS bytes
        FROM (${sizes.join(" UNION ALL ")} ORDER BY changed LIMIT :limit)
      WINDOW passed AS (ROWS UNBOUNDED PRECEDING))
     WHERE position = :limit OR bytes > :bytes LIMIT 1)`;

  const room = `
    SELECT id, ${REVISION} AS revision, MAX(${revisions.join(", ")}) AS moved, ${edge} AS edge,
           ${LOST} AS reset, forgotten, ${NOW} AS now, ${DUE},
           CASE WHEN meta_revision > ${START} THEN json_object('revision', meta_revision, 'created_at', created_at,
             'meta', meta, 'listed', listed) END AS changed
      FROM rooms WHERE id = :room`;

  const withLast =
    `WITH last (revision) AS MATERIALIZED (SELECT COALESCE(${edge}, ${Number.MAX_SAFE_INTEGER}))`;
  const within = (revision: string) =>
    `${revision} > ${START} AND ${revision} <= (SELECT last.revision FROM last)`;
  const rows = (table: Table, columns = "*") =>
    `${withLast} ${select(table, columns, within)} ORDER BY changed`;

  const waits = `
    ${withLast} SELECT ${WAIT}, revision FROM waits
     WHERE room_id = :room
       AND agent_id IN (SELECT id FROM agents INDEXED BY agents_changed WHERE room_id = :room AND ${
    within("revision")
  })`;
  return [
    room,
    rows("state"),
    rows("agents", ofAgents),
    rows("messages"),
    waits,
    rows("reservations"),
    rows("departed"),
  ];
}

const OPEN_PARTS = PARTS.filter((part) => part !== "private").map((part) => `${part}_revision`);
const OF_EVERYBODY = queriesFor({ sources: CHANGED, ofAgents: "*", revisions: OPEN_PARTS });

const known = new Map<string, string[]>();

/** Returns the queries for a viewer, with their further arguments. */
function queriesOf(viewer: Viewer): { queries: string[]; args: Statement["args"] } {
  const seen = seenBy(viewer);
  if (seen === undefined) return { queries: OF_EVERYBODY, args: {} };
  const queries = known.get(seen.sql) ?? queriesFor({
    sources: { ...CHANGED, state: sourcesOf(viewer).changed.moved! },
    ofAgents: `*, ${privateFor(viewer, "agents.id")!.sql} AS private`,
    revisions: [...OPEN_PARTS, `IIF(EXISTS (${seen.sql}), private_revision, 0)`],
  });
  known.set(seen.sql, queries);
  return { queries, args: seen.args };
}

/**
 * Reads what changed after a revision, in one round trip that costs as much as the changes. A full page cuts it before
 * the limit. Errors: `room_not_found`.
 */
export async function readChanges(
  database: Database,
  viewer: Viewer,
  room: string,
  query: ChangesQuery,
): Promise<ChangesPage> {
  const results = await readCurrent(database, viewer, selectChanges(viewer, room, query));
  if (isBusy()) await yieldToOthers();
  const changes = await toChanges(results);
  const begins = query.after === 0 || changes.reset;
  const row = results[0]![0]!;
  const began = begins ? Number(row.revision) : query.began;
  return { changes, began, forgets: Number(row.forgotten) > 0 };
}

/** Makes the queries whose results are for `toChanges`. */
export function selectChanges(
  viewer: Viewer,
  room: string,
  { after, began, limit, bytes = SHORT_PAGE_BYTES }: ChangesQuery,
): Statement[] {
  const { queries, args: seen } = queriesOf(viewer);
  const args = { room, after: after ?? null, began: began ?? null, limit, bytes, ...seen };
  const [first, ...others] = queries;
  return [
    { sql: first!, args, weight: SHORT_PAGE_WEIGHT }, // for all of them
    ...others.map((sql) => ({ sql, args })),
  ];
}

/** Reads the results of `selectChanges`, as seen from a viewpoint. Errors: `room_not_found`. */
export async function toChanges(
  [rooms, state, agents, messages, waits, reservations, departed]: Row[][],
  viewpoint: Viewpoint = { self: null },
): Promise<Changes> {
  const [room] = rooms!;
  if (room === undefined) throw new Refusal("room_not_found", {});
  const now = new Date(Number(room.now));
  const present = served(room.revision);
  const more = room.edge !== null && Number(room.moved) > Number(room.edge);
  const revision = Number(more ? room.edge : present);
  const gone = Map.groupBy(departed!, ({ kind }) => kind);
  const shown = newestOf(
    waits!.sort(byRevision).map(toWait).filter((wait) => !isHidden(wait, viewpoint)),
  );
  return {
    revision,
    state: await mapYielding(state!, (row) => ({ ...toListed(row), ...changed(row) })),
    agents: merged(
      await mapYielding(agents!, (row) => ({ ...toAgent(row, shown, now), ...changed(row) })),
      (gone.get("agents") ?? []).map((row) => ({
        id: row.id as string,
        left: true as const,
        ...changed(row),
      })),
    ),
    messages: await mapYielding(messages!, (row) => ({ ...toMessage(row), ...changed(row) })),
    reservations: merged(
      await mapYielding(reservations!, (row) => ({ ...toReservation(row), ...changed(row) })),
      (gone.get("reservations") ?? []).map((row) => ({
        id: row.id as string,
        ended: true as const,
        ...changed(row),
      })),
    ),
    ...changedRoom(room, revision),
    more,
    ...(room.reset ? { reset: true as const } : {}),
  };
}

/** Merges what is there and what is gone in the order of their changes. */
function merged<There extends Changed, Gone extends Changed>(
  there: There[],
  gone: Gone[],
): Array<There | Gone> {
  return gone.length === 0 ? there : [...there, ...gone].sort((a, b) => a.revision - b.revision);
}

/** The room, if its `meta` changed up to a revision. */
function changedRoom({ id, changed }: Row, upTo: number): { room?: Room } {
  if (changed === null) return {};
  const room = toRoom({ id, ...JSON.parse(changed as string) });
  return room.revision <= upTo ? { room } : {};
}

const byRevision = (a: Row, b: Row) => Number(a.revision) - Number(b.revision);

function changed(row: Row): Changed {
  return { revision: Number(row.revision) };
}

/** Whether these are no changes, and no `reset`. */
export function isEmpty({ state, agents, messages, reservations, room, reset }: Changes): boolean {
  return !reset && !room && state.length + agents.length + messages.length + reservations.length === 0;
}
