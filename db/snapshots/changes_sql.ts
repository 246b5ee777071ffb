import { privateFor, seenBy } from "../access/private.ts";
import { MARKS_BYTES, newestTwo } from "../agents/waits.ts";
import { PARTS } from "../bus.ts";
import { NOW } from "../clock.ts";
import { CHANGED, type Source } from "../consistent_read/changed.ts";
import { SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import type { Statement } from "../driver/statement.ts";
import { REVISION } from "../release.ts";
import { sourcesOf } from "../state/sources.ts";
import type { Viewer } from "../viewer.ts";
import { DUE } from "../write/due.ts";

export interface ChangesQuery {
  /** By default the room's present revision. */
  after?: number;
  /**
   * For a further page of a walk from the start: `began` of the page before, which is the room's revision when the walk
   * began.
   */
  began?: number;
  /** The maximum number of changes. Those of one revision come whole, so the last revision may exceed it. */
  limit: number;
  /** Bytes after which the answer is cut, by default `SHORT_PAGE_BYTES`. */
  bytes?: number;
}

/** The bytes of what may be long in a row, in SQL. */
const SIZES = {
  state: "octet_length(value)",
  agents: `octet_length(meta) + ${MARKS_BYTES}`,
  messages: "octet_length(body)",
  reservations: "octet_length(paths)",
  departed: "octet_length(id)",
};
type Table = keyof typeof SIZES;

/**
 * True where the reader cannot go on from `:after`: the room is below it, or has forgotten departures of which the
 * reader has not heard. A reader that began at the start after those departures has never seen what left.
 */
const LOST = `(:after > revision OR :after > 0 AND :after < forgotten AND COALESCE(:began, 0) < forgotten)`;

/** The revision after which to read: 0 where the reader has to start anew. */
const START = `(
  SELECT CASE WHEN ${LOST} THEN 0 ELSE COALESCE(:after, revision) END FROM rooms WHERE id = :room)`;

/** What viewers that see the same may see of changes. */
interface Sight {
  sources: Record<Table, Source[]>;
  ofAgents: string;
  /** The revisions of the parts that have something for them. */
  revisions: string[];
}

/** Makes the queries whose rows `toChanges` takes, in its order. */
function queriesFor({ sources, ofAgents, revisions }: Sight): string[] {
  /** Selects what changed in a table, by ascending revision. */
  const select = (table: Table, columns: string, within: (revision: string) => string) =>
    sources[table].map(({ from, revision }) =>
      `SELECT ${revision} AS changed, ${columns} FROM ${from} AND ${within(revision)}`
    ).join(" UNION ALL ");

  const sizes = Object.entries(SIZES).map(([table, size]) =>
    select(table as Table, `${size} AS size`, (revision) => `${revision} > ${START}`)
  );

  // The revision that reaches the limit. The cut is after it, never within the changes of one revision.
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
    ${withLast} ${
    newestTwo(`room_id = :room AND agent_id IN (
      SELECT id FROM agents INDEXED BY agents_changed WHERE room_id = :room AND ${within("revision")})`)
  }`;
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

function queriesOf(viewer: Viewer): { queries: string[]; args: Statement["args"] } {
  const seen = seenBy(viewer);
  if (seen === undefined) return { queries: OF_EVERYBODY, args: {} };
  const queries = known.get(seen.sql) ?? queriesFor({
    sources: { ...CHANGED, state: sourcesOf(viewer).moved },
    ofAgents: `*, ${privateFor(viewer, "agents.id")!.sql} AS private`,
    revisions: [...OPEN_PARTS, `IIF(EXISTS (${seen.sql}), private_revision, 0)`],
  });
  known.set(seen.sql, queries);
  return { queries, args: seen.args };
}

/** Makes the queries whose rows are for `toChanges`. */
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
