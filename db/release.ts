/**
 * The number of this release. A release raises it when it adds data that older code would disclose or break. It then
 * sets `requires` of a room to its number with the first write of such data (`Write.requires`), or
 * `compatibility.requires` with a migration after which older code does not work (db/driver/schema.ts).
 */
export const RELEASE = 3;

/** The first release with tasks, reservations, keys that expire and agents that leave. */
export const RELEASE_OF_TASKS = 2;

/**
 * The first release that judges tokens: older ones would show a room to everybody, and let anybody act as its agents.
 */
export const RELEASE_OF_ACCESS = 3;

/** True of the row of a room that this release may serve. */
export const SERVED = `rooms.requires <= ${RELEASE}`;

/**
 * `requires` of a deleted room: no release serves it. Its row stays until all others of it are removed, so that no
 * write makes rows for it and no room is made under its id (db/rooms/delete.ts).
 */
export const DELETED = 1_000_000;

/** True of the row of a room that is not deleted. */
export const THERE = `rooms.requires < ${DELETED}`;

/**
 * A room's revision; where this release may not serve the room, the negative of what it requires, for `served`. Each
 * query that finds a room selects it.
 */
export const REVISION = `CASE WHEN ${SERVED} THEN rooms.revision ELSE -rooms.requires END`;
