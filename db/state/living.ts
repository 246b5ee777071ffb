/**
 * Joins a room by its tombstones. A room with 1,000 of them has its living keys in a table (db/driver/schema.ts), since
 * a list would pass each tombstone. A join decides before any row is read.
 */
const roomWith = (tombstones: string) =>
  `(SELECT 1 FROM rooms WHERE id = :room AND tombstone_count ${tombstones})`;
const FEW = `${roomWith("< 1000")} AS few`;
const MANY = `${roomWith(">= 1000")} AS many`;

/**
 * True for a living entry. Columns behind a value take as long to read as the value, so `deleted` is read only where
 * the value may be a tombstone's `null`.
 */
export const LIVE = `(octet_length(value) > 4 OR NOT deleted)`;

/** Finds the entries of `:room` by scope and key; one of these has all living ones. */
export const LIVING = [
  { from: `${FEW} CROSS JOIN state` },
  { from: `${MANY} CROSS JOIN living CROSS JOIN state USING (room_id, scope, key)` },
];

/** Selects from the living entries of a room; `where` begins with WHERE. */
export function selectLiving(columns: string, where: string): string {
  return LIVING.map(({ from }) => `SELECT ${columns} FROM ${from} ${where} AND ${LIVE}`).join(" UNION ALL ");
}

/** Selects scope and key of a room's living entries, by indexes alone with no tombstones or many. */
export function selectLivingKeys(where: string): string {
  return `SELECT scope, key FROM ${roomWith("= 0")} AS none CROSS JOIN state ${where}
    UNION ALL SELECT scope, key FROM ${
    roomWith("BETWEEN 1 AND 999")
  } AS few CROSS JOIN state ${where} AND ${LIVE}
    UNION ALL SELECT scope, key FROM ${MANY} CROSS JOIN living ${where}`;
}
