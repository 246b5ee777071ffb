import type { Condition } from "../driver/statement.ts";
import { createLru } from "../lru.ts";
import { DELETED } from "../release.ts";
import { isOperator, type Viewer } from "../viewer.ts";
import { IN_FORCE, IS_SHOWN } from "./token.ts";

/*
 * The entries of a private scope have a `room_id` of their own, made of the room's and the agent's. No request can name
 * it, since an id has no control character. So what reads a room by its id finds none of them: there is no condition
 * that a query could forget.
 */

const BETWEEN = "\n";
const BETWEEN_SQL = "char(10)";

/** Makes, in SQL, the `room_id` of the entries of an agent's private scope. */
export const privateRoom = (agent: string, room = ":room") => `${room} || ${BETWEEN_SQL} || ${agent}`;

/** `requires` of the row of a private scope among the rooms, as of a deleted room: no release serves it as a room. */
export const NEVER_SERVED = DELETED;

/** Returns the room of an entry, of its `room_id`. */
export function roomOfEntry(stored: string): string {
  const end = stored.indexOf(BETWEEN);
  return end < 0 ? stored : stored.slice(0, end);
}

/** Whether a scope is an agent's. Only such a scope may be private. */
export function isOfAgent(scope: string): boolean {
  return !scope.startsWith("_");
}

/** Private scopes that were found. A hint: writes of a scope that is not among them are coalesced first. */
const known = createLru<true>(10_000);

export function isKnownPrivate(room: string, scope: string): boolean {
  return known.has(`${room}${BETWEEN}${scope}`);
}

export function foundPrivate(room: string, scope: string): void {
  known.set(`${room}${BETWEEN}${scope}`, true);
}

/** Sorts after all UTF-8 text. */
export const LAST = "CAST(x'FF' AS TEXT)";

/**
 * Selects the agents whose private scopes a token sees, if it is in force: an admin's all, another's its own agent's.
 */
export const selectSeen = (room: string, hash: string) => `
  SELECT secured.agent_id FROM tokens CROSS JOIN secured INDEXED BY secured_private ON secured.room_id = ${room}
     AND secured.agent_id BETWEEN IIF(tokens.role = 'admin', '', tokens.agent_id)
       AND IIF(tokens.role = 'admin', ${LAST}, tokens.agent_id)
     AND secured.private_since IS NOT NULL
   WHERE tokens.hash = ${hash} AND tokens.room_id = ${room} AND ${IN_FORCE}`;

const SEEN = selectSeen(":room", ":viewer_token");

/** Selects all agents with a private scope: the operator sees them all. */
export const selectPrivate = (room: string) =>
  `SELECT secured.agent_id FROM secured INDEXED BY secured_private WHERE secured.room_id = ${room} AND secured.private_since IS NOT NULL`;

/**
 * Selects the `agent_id` of each private scope of `:room` that a viewer sees; undefined for a viewer without a token.
 */
export function seenBy(viewer: Viewer): Condition | undefined {
  if (isOperator(viewer)) return { sql: selectPrivate(":room"), args: {} };
  return viewer.token && { sql: SEEN, args: { viewer_token: viewer.token.hash } };
}

/** Keys of the viewers that were found to see a private scope. */
const seeing = createLru<true>(10_000);

/**
 * Whether a viewer is known to see a private scope. A hint: a read for another viewer asks `seesAny` in the same
 * statement, and is repeated where that is true. So private scopes cost a viewer that sees none of them nothing, and
 * tell it nothing.
 */
export function isSeeing(viewer: Viewer): boolean {
  return viewer.token !== undefined && seeing.has(viewer.key);
}

export function foundSeeing(viewer: Viewer): void {
  seeing.set(viewer.key, true);
}

/** Makes the condition that a viewer sees a private scope; undefined where it is known to, or cannot. */
export function seesAny(viewer: Viewer): Condition | undefined {
  const seen = isSeeing(viewer) ? undefined : seenBy(viewer);
  return seen && { ...seen, sql: `EXISTS (${seen.sql})` };
}

/** The rows of private scopes among the rooms, for joins. */
export const HOMES = "(SELECT id, tombstone_count FROM rooms) AS home";

/** True of `home.id`, if it is the private scope in `:room` of an agent that `seen` selects. */
export const isHomeOf = (seen: string) => {
  const of = (agents: string) => privateRoom(`(SELECT ${agents} FROM (${seen}))`);
  return `home.id BETWEEN ${of("MIN(agent_id)")} AND ${of("MAX(agent_id)")}
    AND SUBSTR(home.id, LENGTH(:room) + 2) IN (SELECT agent_id FROM (${seen}))`;
};

/** Selects, as `id`, the `room_id` of the private scopes of the agents that `seen` selects. */
export const privateRoomsIn = (seen: string) =>
  `SELECT ${privateRoom("seen.agent_id")} AS id FROM (${seen}) AS seen`;

/** Makes, in SQL, the `room_id` of a scope's entries for a viewer: the private scope's, if `seen` selects its agent. */
export const homeIn = (seen: string, scope: string, room = ":room") =>
  `${room} || COALESCE((SELECT ${BETWEEN_SQL} || seen.agent_id FROM (${seen}) AS seen WHERE seen.agent_id = ${scope}), '')`;

/** The `room_id` of scopes' entries for a viewer. */
export interface Homes {
  /** Makes the SQL of a scope, which is given in SQL. */
  of(scope: string): string;
  args: Condition["args"];
}

/** Returns the homes of scopes for a viewer; undefined where all are `:room`. */
export function homesOf(viewer: Viewer, scopes: string[]): Homes | undefined {
  const seen = seenBy(viewer);
  if (seen === undefined || !scopes.some(isOfAgent)) return undefined;
  return { of: (scope) => homeIn(seen.sql, scope), args: seen.args };
}

/** An agent whose eyes an expression uses, or whose private scope the viewer sees. */
export interface Owner {
  /** Whether its scope is private. */
  hides: boolean;
  /** Whether the viewer has its eyes, or an admin's. */
  seen: boolean;
}

/**
 * Selects `agent_id`, `hides` and `seen` of the agents of `:eyes`, and of those whose private scopes the viewer sees.
 */
export function selectOwners(viewer: Viewer): Condition {
  const seen = privateFor(viewer, "owners.agent_id");
  const own = seenBy(viewer);
  const others = own ? ` UNION ${own.sql}` : "";
  return {
    sql: `SELECT owners.agent_id, ${isPrivate("owners.agent_id")} AS hides, ${
      seen ? `${seen.sql} IS NOT NULL` : "FALSE"
    } AS seen FROM (SELECT value AS agent_id FROM json_each(:eyes)${others}) AS owners`,
    args: { ...seen?.args },
  };
}

/** True of an agent of a room, both in SQL, whose scope is private. */
export const isPrivate = (agent: string, room = ":room") =>
  `EXISTS (
  SELECT 1 FROM secured
   WHERE secured.room_id = ${room} AND secured.agent_id = ${agent} AND secured.private_since IS NOT NULL)`;

/**
 * Tells, in SQL, whether an agent's scope is private; null where the viewer may not know. Undefined without a token.
 */
export function privateFor(viewer: Viewer, agent: string): Condition | undefined {
  if (isOperator(viewer)) return { sql: isPrivate(agent), args: {} };
  const { token } = viewer;
  return token && {
    sql: `(SELECT ${isPrivate(agent)} FROM tokens
      WHERE ${IS_SHOWN}
        AND (tokens.role = 'admin' OR tokens.agent_id = ${agent}))`,
    args: { viewer_token: token.hash },
  };
}
