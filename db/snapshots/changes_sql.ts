import { privateFor, seenBy } from "../access/private.ts";
import { MARKS_BYTES, newestTwo } from "../agents/waits.ts";
import { PARTS } from "../bus.ts";
import { NOW } from "../clock.ts";
import { CHANGED, type Source } from "../consistent_read/changed.ts";
import { PAGE_BYTES, SHORT_PAGE_BYTES, SHORT_PAGE_WEIGHT } from "../consistent_read/listing.ts";
import { type Statement, statementOf, weightOf } from "../driver/statement.ts";
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
  reservations: "octet_length(paths) + IFNULL(octet_length(note), 0)",
  departed: "octet_length(id)",
};
type Table = keyof typeof SIZES;
/** What tells the rows of a revision apart, in SQL. */
const IDENTITIES: Record<Table, string> = {
  state: "state.rowid",
  agents: "agents.rowid",
  messages: "messages.rowid",
  reservations: "reservations.rowid",
  departed: "kind || ' ' || id",
};

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

/**
 * The bytes of one revision, beyond which its rows are read in parts: a task that fails may take a thousand along, each
 * with a body of 64 KiB. Escaped as JSON, what is read at once fits into a server's answer of 10 MiB.
 */
const LONG_BYTES = 2 ** 21;
/** Bytes that a row may have besides those of `SIZES`, such as those of a failure. */
const ROW_BYTES = 4 * 1024;

interface Queries {
  /** Those whose rows `toChanges` takes, in its order. */
  page: string[];
  /** Selects the table, the identity and the size of each row of the revision `:at`. */
  identities: string;
  /** The same as `page` without its first, for the rows whose identities `:identities` names by table. */
  part: string[];
}

function queriesFor({ sources, ofAgents, revisions }: Sight): Queries {
  /** Selects what changed in a table, by ascending revision. */
  const select = (table: Table, columns: string, within: (revision: string) => string) =>
    sources[table].map(({ from, revision }) =>
      `SELECT ${revision} AS changed, ${columns} FROM ${from} AND ${within(revision)}`
    ).join(" UNION ALL ");

  const tables = Object.keys(SIZES) as Table[];
  const sizes = tables.map((table) =>
    select(table, `${SIZES[table]} AS size`, (revision) => `${revision} > ${START}`)
  );
  const identities = (at: string) =>
    tables.map((table) =>
      select(
        table,
        `'${table}' AS source, ${IDENTITIES[table]} AS identity, ${SIZES[table]} + ${ROW_BYTES} AS size`,
        (revision) => `${revision} = ${at}`,
      )
    ).join(" UNION ALL ");

  // The revision that reaches the limit. The cut is after it, never within the changes of one revision.
  const edge = `(
    SELECT changed FROM (
      SELECT changed, ROW_NUMBER() OVER passed AS position, SUM(size) OVER passed AS bytes
        FROM (${sizes.join(" UNION ALL ")} ORDER BY changed LIMIT :limit)
      WINDOW passed AS (ROWS UNBOUNDED PRECEDING))
     WHERE position = :limit OR bytes > :bytes LIMIT 1)`;

  // Whether the last revision is long. A page then ends before it.
  const last = `WITH edge (revision) AS MATERIALIZED (SELECT ${edge}), last (revision, long) AS MATERIALIZED (
    SELECT COALESCE(revision, ${Number.MAX_SAFE_INTEGER}),
           revision IS NOT NULL AND (SELECT SUM(size) FROM (${
    identities("edge.revision")
  })) > ${LONG_BYTES} FROM edge)`;

  const room = `
    ${last}
    SELECT id, ${REVISION} AS revision, MAX(${revisions.join(", ")}) AS moved,
           (SELECT revision FROM edge) AS edge, (SELECT long FROM last) AS long, ${LOST} AS reset, forgotten, ${NOW} AS now, ${DUE},
           CASE WHEN meta_revision > ${START} THEN json_object('revision', meta_revision, 'created_at', created_at,
             'meta', meta, 'listed', listed) END AS changed
      FROM rooms WHERE id = :room`;

  type Within = (table: Table) => (revision: string) => string;
  const ofMarks = (within: Within) =>
    newestTwo(`room_id = :room AND agent_id IN (
      SELECT id FROM agents INDEXED BY agents_changed WHERE room_id = :room AND ${
      within("agents")("revision")
    })`);
  const rows = (within: Within): string[] => [
    ...(["state", "agents", "messages"] as const).map((table) =>
      `${select(table, table === "agents" ? ofAgents : "*", within(table))} ORDER BY changed`
    ),
    ofMarks(within),
    ...(["reservations", "departed"] as const).map((table) =>
      `${select(table, "*", within(table))} ORDER BY changed`
    ),
  ];
  const inPage: Within = () => (revision) =>
    `${revision} > ${START} AND ${revision} <= (SELECT last.revision - last.long FROM last)`;
  const inPart: Within = (table) => (revision) =>
    `${revision} = :at AND ${IDENTITIES[table]} IN (SELECT value FROM json_each(:identities, '$.${table}'))`;
  return {
    page: [room, ...rows(inPage).map((sql) => `${last} ${sql}`)],
    identities: identities(":at"),
    part: rows(inPart),
  };
}

const OPEN_PARTS = PARTS.filter((part) => part !== "private").map((part) => `${part}_revision`);
const OF_EVERYBODY = queriesFor({ sources: CHANGED, ofAgents: "*", revisions: OPEN_PARTS });

const known = new Map<string, Queries>();

function queriesOf(viewer: Viewer): { queries: Queries; args: Statement["args"] } {
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
  const [first, ...others] = queries.page;
  return [
    { sql: first!, args, weight: SHORT_PAGE_WEIGHT }, // for all of them
    ...others.map((sql) => ({ sql, args })),
  ];
}

/** Selects the identities of the rows of a long revision, for `selectPart`. */
export function selectIdentities(viewer: Viewer, room: string, at: number): Statement {
  const { queries, args } = queriesOf(viewer);
  return statementOf(queries.identities, { ...args, room, at });
}

/** Selects rows of a long revision, as those of `selectChanges` after its first ones. `identities`: those of a part, by table. */
export function selectPart(
  viewer: Viewer,
  room: string,
  at: number,
  identities: Record<string, unknown[]>,
): Statement[] {
  const { queries, args } = queriesOf(viewer);
  const all = { ...args, room, at, identities: JSON.stringify(identities) };
  const [first, ...others] = queries.part.map((sql) => statementOf(sql, all));
  return [{ ...first!, weight: weightOf(PAGE_BYTES) }, ...others]; // for all of them
}
