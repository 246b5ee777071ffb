/**
 * The number of this release. A release raises it when it adds data that older code would disclose or break. It then
 * sets `requires` of a room to its number with the first write of such data (`Write.requires`), or
 * `compatibility.requires` with a migration after which older code does not work (db/driver/schema.ts).
 */
export const RELEASE = 3;

/** The first release that knows tasks and reservations, and that keys end and agents leave. */
export const RELEASE_OF_TASKS = 2;

/** True of the row of a room that this release may serve. */
export const SERVED = `rooms.requires <= ${RELEASE}`;

/** A room's revision, null where this release may not serve the room. Each query that finds a room selects it. */
export const REVISION = `CASE WHEN ${SERVED} THEN rooms.revision END`;
