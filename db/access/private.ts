import type { Condition } from "../driver/statement.ts";
import { createLru } from "../lru.ts";
import { isOperator, type Viewer } from "../viewer.ts";
import { IN_FORCE } from "./token.ts";

/*
 * The entries of a private scope are stored under an id of their own, in which the agent's follows the room's. Nobody can
 * name it from outside, since no id has a control character; and what reads a room by its id alone, for whoever may not
 * see them, reads as if they were not there, without a condition that could be left out.
 */

const BETWEEN = "\n";
const BETWEEN_SQL = "char(10)";

/** Names, in SQL, the id under which the private scope of an agent is stored. */
export const privateRoom = (agent: string, room = ":room") => `${room} || ${BETWEEN_SQL} || ${agent}`;

/** A release that never is: such a row is no room that anybody may be served. */
export const NEVER_SERVED = 1_000_000;

/** Returns the room of an entry of the id under which it is stored. */
export function roomOfEntry(stored: string): string {
  const end = stored.indexOf(BETWEEN);
  return end < 0 ? stored : stored.slice(0, end);
}

/** Whether a scope is an agent's, and so may be private. */
export function isOfAgent(scope: string): boolean {
  return !scope.startsWith("_");
}

/** Private scopes that were found. It is a hint: what is written in one goes alone. */
const known = createLru<true>(10_000);

export function isKnownPrivate(room: string, scope: string): boolean {
  return known.has(`${room}${BETWEEN}${scope}`);
}

export function foundPrivate(room: string, scope: string): void {
  known.set(`${room}${BETWEEN}${scope}`, true);
}

/** Comes after all names. */
const LAST = "CAST(x'FF' AS TEXT)";

/** Selects the agents whose private scopes a token in force sees. */
const selectSeen = (room: string, hash: string) => `
  SELECT secured.agent_id FROM tokens CROSS JOIN secured ON secured.room_id = ${room}
     AND secured.agent_id BETWEEN IIF(tokens.role = 'admin', '', tokens.agent_id)
       AND IIF(tokens.role = 'admin', ${LAST}, tokens.agent_id)
     AND secured.private_since IS NOT NULL
   WHERE tokens.hash = ${hash} AND tokens.room_id = ${room} AND ${IN_FORCE}`;

const SEEN = selectSeen(":room", ":viewer_token");

/** Selects the agents whose scopes are private, all of which the operator sees. */
const selectAll = (room: string) =>
  `SELECT secured.agent_id FROM secured WHERE secured.room_id = ${room} AND secured.private_since IS NOT NULL`;

/** Selects the `agent_id` of each private scope of `:room` that a viewer sees; undefined where it sees none. */
export function seenBy(viewer: Viewer): Condition | undefined {
  if (isOperator(viewer)) return { sql: selectAll(":room"), args: {} };
  return viewer.token && { sql: SEEN, args: { viewer_token: viewer.token.hash } };
}

/** Viewers that were found to see a private scope. */
const seeing = createLru<true>(10_000);

/**
 * Whether a viewer is known to see a private scope. It is a hint: what is read without it asks `sees` in the same
 * statement, and is read again where that is true. So it costs others nothing, and tells them nothing.
 */
export function isSeeing(viewer: Viewer): boolean {
  return viewer.token !== undefined && seeing.has(viewer.key);
}

export function foundSeeing(viewer: Viewer): void {
  seeing.set(viewer.key, true);
}

/** True, in SQL, where a viewer sees a private scope; undefined where it is known to, or cannot. */
export function seesAny(viewer: Viewer): Condition | undefined {
  const seen = isSeeing(viewer) ? undefined : seenBy(viewer);
  return seen && { ...seen, sql: `EXISTS (${seen.sql})` };
}

/** Selects the ids under which those are stored. */
export const privateRoomsIn = (seen: string) =>
  `SELECT ${privateRoom("seen.agent_id")} FROM (${seen}) AS seen`;

/** Names, in SQL, the id under which a viewer finds the entries of a scope. */
export const homeIn = (seen: string, scope: string, room = ":room") =>
  `${room} || COALESCE((SELECT ${BETWEEN_SQL} || seen.agent_id FROM (${seen}) AS seen WHERE seen.agent_id = ${scope}), '')`;

/** The same of a token's hash and a room that are given in SQL. */
export const homeFor = ({ room, hash, scope }: { room: string; hash: string; scope: string }) =>
  homeIn(selectSeen(room, hash), scope, room);

/** The same for the operator. */
export const homeForOperator = ({ room, scope }: { room: string; scope: string }) =>
  homeIn(selectAll(room), scope, room);

/** Where a viewer finds the entries of scopes, in SQL with these arguments. */
export interface Homes {
  of(scope: string): string;
  args: Condition["args"];
}

/** Returns where a viewer finds the entries of some scopes; undefined where that is `:room` for all of them. */
export function homesOf(viewer: Viewer, scopes: string[]): Homes | undefined {
  const seen = seenBy(viewer);
  if (seen === undefined || !scopes.some(isOfAgent)) return undefined;
  return { of: (scope) => homeIn(seen.sql, scope), args: seen.args };
}

/** What is known of an agent with whose eyes something is seen, or whose private scope the viewer sees. */
export interface Owner {
  /** Whether its scope is private. */
  hides: boolean;
  /** Whether the viewer has its eyes, or an admin's. */
  seen: boolean;
}

/** Selects of `:eyes`, and of the agents whose private scopes the viewer sees: `agent_id`, `hides`, `seen`. */
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

/** True of an agent of `:room`, named in SQL, whose scope is private. */
export const isPrivate = (agent: string) =>
  `EXISTS (
  SELECT 1 FROM secured
   WHERE secured.room_id = :room AND secured.agent_id = ${agent} AND secured.private_since IS NOT NULL)`;

/** Tells, in SQL, whether an agent's scope is private; null where the viewer is not to know. */
export function privateFor(viewer: Viewer, agent: string): Condition | undefined {
  if (isOperator(viewer)) return { sql: isPrivate(agent), args: {} };
  const { token } = viewer;
  return token && {
    sql: `(SELECT ${isPrivate(agent)} FROM tokens
      WHERE tokens.hash = :viewer_token AND tokens.room_id = :room AND ${IN_FORCE}
        AND (tokens.role = 'admin' OR tokens.agent_id = ${agent}))`,
    args: { viewer_token: token.hash },
  };
}
