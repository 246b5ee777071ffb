/**
 * A room that has 1,000 tombstones has its living keys named in a table (db/driver/schema.ts), since a list would pass
 * each tombstone between them. As a join, the question is settled before any row is looked at.
 */
const roomWith = (tombstones: string) =>
  `(SELECT 1 FROM rooms WHERE id = :room AND tombstone_count ${tombstones})`;
const FEW = `${roomWith("< 1000")} AS few`;
const MANY = `${roomWith(">= 1000")} AS many`;

/**
 * Whether an entry lives. What of a row stands behind its value takes as long to read as the value, so `deleted` is
 * looked at only where the value may be a tombstone's: `null`.
 */
export const LIVE = `(octet_length(value) > 4 OR NOT deleted)`;

/** Where the entries of `:room` are found by scope and key; one of these has all that live. */
export const LIVING = [
  { from: `${FEW} CROSS JOIN state` },
  { from: `${MANY} CROSS JOIN living CROSS JOIN state USING (room_id, scope, key)` },
];

/** Selects from the living entries of a room; `where` begins with WHERE. */
export function selectLiving(columns: string, where: string): string {
  return LIVING.map(({ from }) => `SELECT ${columns} FROM ${from} ${where} AND ${LIVE}`).join(" UNION ALL ");
}

/** Selects the scopes and keys of the living entries of a room, by indexes alone where few were deleted or many. */
export function selectLivingKeys(where: string): string {
  return `SELECT scope, key FROM ${roomWith("= 0")} AS none CROSS JOIN state ${where}
    UNION ALL SELECT scope, key FROM ${
    roomWith("BETWEEN 1 AND 999")
  } AS few CROSS JOIN state ${where} AND ${LIVE}
    UNION ALL SELECT scope, key FROM ${MANY} CROSS JOIN living ${where}`;
}
