import { homesOf, LAST, privateRoomsIn, seenBy } from "../access/private.ts";
import type { Source } from "../consistent_read/changed.ts";
import { type Listing, PAGE_BYTES } from "../consistent_read/listing.ts";
import { withPrivate } from "../agents/agent.ts";
import { VIEW_SCOPE } from "../state/entry.ts";
import { countLiving, LIVE, livingIn, selectLiving, selectLivingKeys } from "../consistent_read/living.ts";
import { sourcesOf } from "../state/sources.ts";
import type { Viewer } from "../viewer.ts";
import { HOLDER, STATUS } from "../messages/message.ts";
import { listingOf } from "../messages/listing.ts";
import { type Row, type Statement, weightOf } from "../driver/statement.ts";

// Numbers keys without reading their values, so that only the rows that are shown are read whole, and at most a page.
const windowOf = (keys: string, { home, total } = { home: ":room", total: "numbered.total" }) => `
  SELECT * FROM (
  SELECT state.scope, state.key, state.expr, state.version, state.updated_at, state.updated_by, state.verified,
         state.expires_at, ${total} AS total,
         SUBSTR(state.value, 1, :longest) AS value, LENGTH(state.value) AS size,
         SUM(MIN(octet_length(state.value), :longest)) OVER (
           ORDER BY state.scope, state.key ROWS UNBOUNDED PRECEDING) AS bytes
    FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY scope ORDER BY key) AS position,
                 COUNT(*) OVER (PARTITION BY scope) AS total
            FROM (${keys})) AS numbered
    CROSS JOIN state
      ON state.room_id = ${home} AND state.scope = numbered.scope AND state.key = numbered.key
   WHERE position > :from AND position <= :from + :max
   ORDER BY state.scope, state.key LIMIT :limit)
   WHERE bytes <= ${PAGE_BYTES}`;

const WANTED = "(:scope IS NULL OR scope = :scope)";
/** Of the agents that `seen` selects, the one whose scope is wanted, if one is: an admin sees a thousand. */
const wantedOf = (seen: string) =>
  `SELECT agent_id FROM (${seen}) AS agents_seen WHERE :scope IS NULL OR agent_id = :scope`;
const OPEN_KEYS = selectLivingKeys(`WHERE room_id = :room AND ${WANTED}`);
const WINDOW = windowOf(OPEN_KEYS);

/**
 * Selects the first keys of each private scope, as many as may be shown, and of as many scopes. Of the first key that is
 * shown of each, all are counted: to count or number those of all scopes would pass all their keys.
 */
function windowBeside(seen: string): string {
  const scope = "SUBSTR(home.id, LENGTH(:room) + 2)";
  const nthIn = ["state AS nth WHERE NOT nth.deleted AND", "living AS nth WHERE"]; // as `livingIn` finds them
  const shown = livingIn(wantedOf(seen)).map(({ from, where }, n) =>
    `SELECT home.id AS home, scope, key FROM ${from} WHERE ${where} AND ${LIVE} AND scope = ${scope}
        AND key <= COALESCE((SELECT nth.key FROM ${nthIn[n]} nth.room_id = home.id AND nth.scope = ${scope}
              ORDER BY nth.key LIMIT 1 OFFSET :from + :max - 1), ${LAST})`
  ).join(" UNION ALL ");
  const keys = `SELECT NULL AS home, scope, key FROM (${OPEN_KEYS})
    UNION ALL SELECT * FROM (${shown} ORDER BY home, key LIMIT :from + :limit)`;
  const own = `IIF(position = :from + 1, ${countLiving("numbered.home")}, NULL)`;
  return windowOf(keys, {
    home: "COALESCE(numbered.home, :room)",
    total: `IIF(numbered.home IS NULL, numbered.total, ${own})`,
  });
}

const keysAt = (home: string) => `
  SELECT state.scope, state.key, SUBSTR(state.value, 1, :longest) AS value, LENGTH(state.value) AS size,
         state.updated_at, state.updated_by
    FROM json_each(:keys) AS wanted
    CROSS JOIN state
      ON state.room_id = ${home} AND state.scope = wanted.value ->> 0 AND state.key = wanted.value ->> 1
   WHERE NOT deleted AND expr IS NULL`;
const KEYS = keysAt(":room");

const VIEWS = `${
  selectLiving(
    "key, expr, eyes, version, updated_at, updated_by, verified",
    `WHERE room_id = :room AND scope = '${VIEW_SCOPE}'`,
  )
} ORDER BY key`;

/** Finds the last writes of each private scope: to sort those of all would pass all their keys. */
const recentIn = (rooms: string) =>
  `(${rooms}) AS own CROSS JOIN state INDEXED BY state_changed
   ON state.room_id = own.id AND state.revision >= COALESCE((
     SELECT recent.revision FROM state AS recent INDEXED BY state_changed
      WHERE recent.room_id = own.id ORDER BY recent.revision DESC LIMIT 1 OFFSET :limit - 1), 0)`;

const recentWrites = (sources: Array<Pick<Source, "from">>) =>
  `${
    sources.map(({ from }) =>
      `SELECT scope, key, version, revision, updated_at, updated_by, deleted FROM ${from}`
    ).join(" UNION ALL ")
  } ORDER BY revision DESC LIMIT :limit`;

const RECENT_MESSAGES = `
  SELECT id, from_agent, to_agent, kind, created_at, ${HOLDER} AS claimed_by, claimed_at, SUBSTR(body, 1, 80) AS body
    FROM messages WHERE room_id = :room ORDER BY id DESC LIMIT :limit`;

const RESERVATIONS = `
  SELECT id, agent_id, paths, mode, SUBSTR(note, 1, :longest) AS note, LENGTH(note) AS size, expires_at
    FROM reservations WHERE room_id = :room ORDER BY fence, id LIMIT :limit`;

const COUNT_RESERVATIONS = `SELECT COUNT(*) AS count FROM reservations WHERE room_id = :room`;

const COUNT_OLDER = `SELECT COUNT(*) AS count FROM messages WHERE room_id = :room AND id < :before`;

const ANSWERED = `WHERE room_id = :room AND id IN (SELECT value FROM json_each(:ids))`;

const ANSWERED_BY_NEWEST = `
  WHERE room_id = :room AND id IN (
    SELECT reply_to FROM (
      SELECT reply_to FROM messages WHERE room_id = :room ORDER BY id DESC LIMIT :limit))`;

const NEEDED = `
  SELECT id, ${STATUS} AS status FROM messages WHERE room_id = :room AND id IN (SELECT value FROM json_each(:ids))`;

const NEEDED_BY_NEWEST = `
  SELECT id, ${STATUS} AS status FROM messages WHERE room_id = :room AND id IN (
    SELECT value FROM (
      SELECT status, needs FROM messages WHERE room_id = :room ORDER BY id DESC LIMIT :limit) AS newest
      CROSS JOIN json_each(newest.needs)
     WHERE newest.status = 'blocked')`;

/** The number of characters after which the JSON of a value or note is cut. `size` tells how many it has. */
export const LONGEST = 4_000;
export const LONGEST_NOTE = 400;

/** Selects the first keys of every scope, or those of one scope from a position on. */
export function selectWindow(
  viewer: Viewer,
  room: string,
  { scope, from = 0, max, limit }: { scope?: string; from?: number; max: number; limit: number },
): Statement {
  const args = { room, scope: scope ?? null, from, max, limit, longest: LONGEST };
  const seen = seenBy(viewer);
  if (seen === undefined) return { sql: WINDOW, args, weight: weightOf(PAGE_BYTES) };
  return {
    sql: windowBeside(seen.sql),
    args: { ...args, ...seen.args },
    weight: weightOf(PAGE_BYTES),
  };
}

/** Selects all agents in order of joining, without `meta`, which may be long. */
export function selectHeads(viewer: Viewer, room: string): Listing {
  const columns = ["id", "name", "role", "status", "joined", "last_heartbeat", "secure"];
  const where = "WHERE room_id = :room";
  return withPrivate({ table: "agents", columns, where, args: { room }, order: ["joined"] }, viewer);
}

/** Selects keys with their last writers. */
export function selectKeys(
  viewer: Viewer,
  room: string,
  keys: Array<{ scope: string; key: string }>,
): Statement {
  const wanted = JSON.stringify(keys.map(({ scope, key }) => [scope, key]));
  const homes = homesOf(viewer, keys.map(({ scope }) => scope));
  const args = { room, keys: wanted, longest: LONGEST, ...homes?.args };
  return {
    sql: homes ? keysAt(homes.of("(wanted.value ->> 0)")) : KEYS,
    args,
    weight: weightOf(keys.length * LONGEST),
  };
}

export function selectViews(room: string): Statement {
  return { sql: VIEWS, args: { room } };
}

/** Selects the last writes of a room, each key once, and its newest messages. */
export function selectRecent(
  viewer: Viewer,
  room: string,
  limit: number,
): [writes: Statement, messages: Statement] {
  const { moved, args } = sourcesOf(viewer);
  const seen = seenBy(viewer);
  const writes = seen ? [moved[0]!, { from: recentIn(privateRoomsIn(seen.sql)) }] : moved;
  return [{ sql: recentWrites(writes), args: { room, limit, ...args } }, {
    sql: RECENT_MESSAGES,
    args: { room, limit },
  }];
}

/** Selects the oldest reservations in force, and how many there are. */
export function selectReserved(room: string, limit: number): [oldest: Statement, count: Statement] {
  const oldest = {
    sql: RESERVATIONS,
    args: { room, limit, longest: LONGEST_NOTE },
    weight: weightOf(limit * LONGEST_NOTE),
  };
  return [oldest, { sql: COUNT_RESERVATIONS, args: { room } }];
}

/** Selects the messages before one, newest first, and how many there are in all. */
export function selectOlder(room: string, before: number, limit: number): [Listing, Statement] {
  const older = shownOf(listingOf("WHERE room_id = :room AND id < :before", { room, before }));
  // Takes some milliseconds in a large room, so few may share a batch.
  const count = { sql: COUNT_OLDER, args: { room, before }, weight: weightOf(PAGE_BYTES) };
  return [{ ...older, descending: true, limit }, count];
}

/** Selects the messages that these messages answer, or that the newest ones do. */
export function selectAnswered(
  room: string,
  by: Array<{ reply_to: number | null }> | { newest: number },
): Listing {
  if ("newest" in by) return shownOf(listingOf(ANSWERED_BY_NEWEST, { room, limit: by.newest }));
  const ids = by.flatMap(({ reply_to }) => reply_to ?? []);
  return shownOf(listingOf(ANSWERED, { room, ids: JSON.stringify(ids) }));
}

/**
 * Selects the statuses of the messages for which these wait, or the newest ones do; makes no query where none is
 * blocked.
 */
export function selectNeeded(
  room: string,
  by: Array<{ status: string; needs: number[] }> | { newest: number },
): Statement[] {
  const weight = weightOf(PAGE_BYTES);
  if ("newest" in by) return [{ sql: NEEDED_BY_NEWEST, args: { room, limit: by.newest }, weight }];
  const ids = new Set(by.flatMap(({ status, needs }) => status === "blocked" ? needs : []));
  return ids.size === 0 ? [] : [{ sql: NEEDED, args: { room, ids: JSON.stringify([...ids]) }, weight }];
}

export function selectNewest(room: string, limit: number): Listing {
  return { ...shownOf(listingOf("WHERE room_id = :room", { room })), descending: true, limit };
}

/** Cuts the bodies of messages, for `toCut`: a page shows no more of long ones. */
function shownOf(messages: Listing): Listing {
  const cut = { column: "body", at: LONGEST, size: "size" };
  return { ...messages, columns: [...messages.columns, cut.size], cut };
}

type Cut = { value: unknown } | { cut: string; size: number };

/** Reads a value of a column, whole or cut. */
export function toCut(row: Row, column = "value", longest = LONGEST): Cut {
  const [text, size] = [row[column] as string, Number(row.size)];
  return size > longest ? { cut: text, size } : { value: JSON.parse(text) };
}
