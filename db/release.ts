/**
 * The number of this release. It is raised by a release that brings what older code would give away or break: such a
 * release sets `requires` of a room to its number with the write that first uses it there (`Write.requires`), or
 * `compatibility.requires` with a migration after which older code does not work (db/driver/schema.ts).
 */
export const RELEASE = 1;

/** True of a room's row that this release may serve. */
export const SERVED = `rooms.requires <= ${RELEASE}`;

/** A room's revision, null where this release may not serve the room: each query that finds a room has it. */
export const REVISION = `CASE WHEN ${SERVED} THEN rooms.revision END`;
