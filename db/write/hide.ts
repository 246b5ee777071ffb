import { isPrivate, NEVER_SERVED, privateRoom } from "../access/private.ts";
import type { Database } from "../database.ts";
import { statementOf } from "../driver/statement.ts";
import { ADMITTED, FROM_ADMITTED, NEW_REVISION } from "./admission.ts";
import { ENDS } from "./due.ts";
import type { Step } from "./context.ts";

const IS_PRIVATE = isPrivate(":agent");
const ITS_KEYS = "state WHERE state.room_id = :room AND state.scope = :agent";

/** Counts the keys of `:agent`'s scope while everybody sees them. */
const KEYS_LEFT = `IIF(${IS_PRIVATE}, 0, (SELECT COUNT(*) FROM ${ITS_KEYS} AND NOT deleted))`;

/**
 * True where the scope is private, or has few enough keys, deleted ones included. All move in one write, and are told
 * as the changes of one revision.
 */
export const FEW_MOVE =
  `(${IS_PRIVATE} OR (SELECT COUNT(*) FROM (SELECT 1 FROM ${ITS_KEYS} LIMIT :max_moved + 1)) <= :max_moved)`;

/** True where the scope is private, or its keys may move. They are counted only where they are few. */
export const MAY_HIDE = `IIF(${FEW_MOVE}, ${KEYS_LEFT} <= :max_private, FALSE)`;

/** True where the room may have one more private scope, or the agent has one. */
export const SCOPES_LEFT = `(${IS_PRIVATE} OR (
  SELECT COUNT(*) FROM secured INDEXED BY secured_private
   WHERE secured.room_id = :room AND secured.private_since IS NOT NULL) < :max_scopes)`;

const OF_ITS_OWN = privateRoom(":agent");
const IS_OPEN = `NOT ${IS_PRIVATE}`;
/** Finds the keys, if the write was admitted and they are still to be moved. Else it passes none of them. */
const MOVING = `
  FROM rooms CROSS JOIN state ON state.room_id = rooms.id AND state.scope = :agent
 WHERE rooms.id = :room AND rooms.admitted = :nonce AND ${IS_OPEN}`;

// Moves the keys to the private scope with their versions, and leaves tombstones. Does nothing if it is private
// already.
const HIDE = [
  `INSERT INTO rooms (id, created_at, meta, listed, requires)
   SELECT ${OF_ITS_OWN}, '', '{}', 0, ${NEVER_SERVED} ${FROM_ADMITTED} AND ${IS_OPEN}`,
  `INSERT INTO state (room_id, scope, key, value, version, revision, updated_at, updated_by, deleted, verified, expires_at)
   SELECT ${OF_ITS_OWN}, scope, key, value, version, ${NEW_REVISION}, updated_at, updated_by,
          deleted, verified, expires_at ${MOVING}`,
  `UPDATE state SET
     value = 'null', deleted = 1, expires_at = NULL, version = version + 1, updated_at = :now, updated_by = :agent,
     verified = 0, revision = ${NEW_REVISION}
    WHERE rowid IN (SELECT state.rowid ${MOVING} AND NOT state.deleted)`,
  `UPDATE secured SET private_since = ${NEW_REVISION}
    WHERE room_id = :room AND agent_id = :agent AND private_since IS NULL AND ${ADMITTED}`,
];

/**
 * The assignments, in the admission, to the room's row: the keys of `:agent` no longer count there, the parts `state`
 * and `private` change, and keys that end go on to do so in the private scope.
 */
export const HIDING = [
  `key_count = key_count - ${KEYS_LEFT}`,
  `state_revision = IIF(${KEYS_LEFT} > 0, revision + 1, state_revision)`,
  "private_revision = revision + 1",
  `ends = IIF(ends & ${ENDS.entries}, ends | ${ENDS.private}, ends)`,
];

/** Makes the scope of a secure agent private. For all others but admins, its keys are deleted. */
export function hidingSteps(args: { room: string; nonce: string; agent: string; now: string }): Step[] {
  return HIDE.map((sql) => statementOf(sql, args));
}

export function announceHidden(database: Database, room: string, revision: number): void {
  for (const part of ["state", "private"] as const) database.announce({ room, part, revision });
}
