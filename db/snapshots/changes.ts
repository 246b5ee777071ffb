import { type Agent, toAgent } from "../agents.ts";
import { NOW } from "../clock.ts";
import { CHANGED } from "../consistent_read/changed.ts";
import { PARTS } from "../bus.ts";
import type { Database } from "../database.ts";
import { DUE } from "../write/due.ts";
import { readCurrent } from "../write/endings.ts";
import { SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { type Message, toMessage } from "../messages/read.ts";
import { toNewest } from "../presence.ts";
import { Refusal, served } from "../refusal.ts";
import { REVISION } from "../release.ts";
import { type Entry, toListed, type Tombstone } from "../state/entry.ts";
import type { Row, Statement } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { isBusy, mapYielding, yieldToOthers } from "../yield.ts";

interface Changed {
  revision: number;
}

/** What changed in a room between two revisions: each thing once, in its last version. */
export interface Changes {
  /** The revision to follow from: all changes up to it are in this answer or in those before it. */
  revision: number;
  state: Array<(Entry | Tombstone) & Changed>;
  agents: Array<Agent & Changed>;
  messages: Array<Message & Changed>;
  /** Whether more has changed after `revision`. Else all answers together are the room at `revision`. */
  more: boolean;
  /** The room is below the revision asked for, as after a restored copy. The changes begin at the start. */
  reset?: true;
}

export interface ChangesQuery {
  /** Left out: the room's present revision. */
  after?: number;
  /** The maximum of changes. Those of one revision come whole, so the last one may exceed it. */
  limit: number;
  /** Bytes after which the answer is cut, by default `SHORT_PAGE_BYTES`. */
  bytes?: number;
}

const LARGEST = { state: "value", agents: "meta", messages: "body" };
type Table = keyof typeof LARGEST;

/** The revision to follow from: 0 where the room is below the one asked for. */
const START = `(
  SELECT CASE WHEN :after > revision THEN 0 ELSE COALESCE(:after, revision) END FROM rooms WHERE id = :room)`;

/** Selects what changed in a table, in the order of revisions. */
const select = (table: Table, columns: string, within: (revision: string) => string) =>
  CHANGED[table].map(({ from, revision }) =>
    `SELECT ${revision} AS changed, ${columns} FROM ${from} AND ${within(revision)}`
  ).join(" UNION ALL ");

const SIZES = Object.entries(LARGEST).map(([table, column]) =>
  select(table as Table, `octet_length(${column}) AS size`, (revision) => `${revision} > ${START}`)
);

// The revision that reaches the limit. The cut comes after it, never within the changes of one revision.
const EDGE = `(
  SELECT changed FROM (
    SELECT changed, ROW_NUMBER() OVER passed AS position, SUM(size) OVER passed AS bytes
      FROM (${SIZES.join(" UNION ALL ")} ORDER BY changed LIMIT :limit)
    WINDOW passed AS (ROWS UNBOUNDED PRECEDING))
   WHERE position = :limit OR bytes > :bytes LIMIT 1)`;

const ROOM = `
  SELECT ${REVISION} AS revision, MAX(${
  PARTS.map((part) => `${part}_revision`).join(", ")
}) AS moved, ${EDGE} AS edge,
         :after > rooms.revision AS reset, ${NOW} AS now, ${DUE}
    FROM rooms WHERE id = :room`;

const WITH_LAST =
  `WITH last (revision) AS MATERIALIZED (SELECT COALESCE(${EDGE}, ${Number.MAX_SAFE_INTEGER}))`;
const within = (revision: string) =>
  `${revision} > ${START} AND ${revision} <= (SELECT last.revision FROM last)`;
const rows = (table: Table) => `${WITH_LAST} ${select(table, "*", within)} ORDER BY changed`;

const WAITS = `
  ${WITH_LAST} SELECT * FROM waits
   WHERE room_id = :room
     AND agent_id IN (SELECT id FROM agents INDEXED BY agents_changed WHERE room_id = :room AND ${
  within("revision")
})`;

/**
 * Reads what changed after a revision, in one round trip that costs as much as the changes. A full page cuts it before
 * the limit. Errors: `room_not_found`.
 */
export async function readChanges(
  database: Database,
  viewer: Viewer,
  room: string,
  query: ChangesQuery,
): Promise<Changes> {
  const results = await readCurrent(database, viewer, selectChanges(room, query));
  if (isBusy()) await yieldToOthers();
  return await toChanges(results);
}

/** Makes the queries whose results are for `toChanges`. */
export function selectChanges(
  room: string,
  { after, limit, bytes = SHORT_PAGE_BYTES }: ChangesQuery,
): Statement[] {
  const args = { room, after: after ?? null, limit, bytes };
  return [
    { sql: ROOM, args, weight: SHORT_PAGE_WEIGHT }, // for all of them
    { sql: rows("state"), args },
    { sql: rows("agents"), args },
    { sql: rows("messages"), args },
    { sql: WAITS, args },
  ];
}

/** Reads the results of `selectChanges`. `without`: the token of a wait to hide. Errors: `room_not_found`. */
export async function toChanges(
  [rooms, state, agents, messages, waits]: Row[][],
  without?: string,
): Promise<Changes> {
  const [room] = rooms!;
  if (room === undefined) throw new Refusal("room_not_found", {});
  const now = new Date(Number(room.now));
  const present = served(room.revision);
  const more = room.edge !== null && Number(room.moved) > Number(room.edge);
  const shown = toNewest(waits!.filter(({ token }) => token !== without).sort(byRevision));
  return {
    revision: Number(more ? room.edge : present),
    state: await mapYielding(state!, (row) => ({ ...toListed(row), ...changed(row) })),
    agents: await mapYielding(agents!, (row) => ({ ...toAgent(row, shown, now), ...changed(row) })),
    messages: await mapYielding(messages!, (row) => ({ ...toMessage(row), ...changed(row) })),
    more,
    ...(room.reset ? { reset: true as const } : {}),
  };
}

const byRevision = (a: Row, b: Row) => Number(a.revision) - Number(b.revision);

function changed(row: Row): Changed {
  return { revision: Number(row.revision) };
}
