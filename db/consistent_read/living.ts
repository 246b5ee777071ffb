import { HOMES, isHomeOf } from "../access/private.ts";

/**
 * Finds the room if it has so many tombstones. One with 1,000 has a table of its living keys (db/driver/schema.ts),
 * since a list would pass each tombstone. As a join this decides before any row of the state is read.
 */
const roomWith = (tombstones: string) =>
  `(SELECT 1 FROM rooms WHERE id = :room AND tombstone_count ${tombstones})`;
const FEW = `${roomWith("< 1000")} AS few`;
const MANY = `${roomWith(">= 1000")} AS many`;

/**
 * True of a living entry. To read a column behind the value takes as long as to read the value, so `deleted` is read
 * only where the value may be a tombstone's `null`.
 */
export const LIVE = `(octet_length(value) > 4 OR NOT deleted)`;

/** Two ways to find the entries of `:room` by scope and key. One of them has all living ones, the other has none. */
export const LIVING = [
  { from: `${FEW} CROSS JOIN state` },
  { from: `${MANY} CROSS JOIN living CROSS JOIN state USING (room_id, scope, key)` },
];

/**
 * The same for the private scopes of the agents that `seen` selects, one after the other, as `home`: to sort the entries
 * of all would pass each for every page.
 */
export function livingIn(seen: string): Array<{ from: string; where: string }> {
  const isHome = isHomeOf(seen);
  return [
    {
      from: `${HOMES} CROSS JOIN state ON state.room_id = home.id`,
      where: `home.tombstone_count < 1000 AND ${isHome}`,
    },
    {
      from:
        `${HOMES} CROSS JOIN living ON living.room_id = home.id CROSS JOIN state USING (room_id, scope, key)`,
      where: `home.tombstone_count >= 1000 AND ${isHome}`,
    },
  ];
}

/** Counts the living entries of a room, whose id is given in SQL. Passes at most 999 tombstones. */
export const countLiving = (room: string) => `
  (SELECT IIF(counted.tombstone_count < 1000,
      (SELECT COUNT(*) FROM state WHERE state.room_id = counted.id AND NOT state.deleted),
      (SELECT COUNT(*) FROM living WHERE living.room_id = counted.id))
     FROM rooms AS counted WHERE counted.id = ${room})`;

/** Selects from the living entries of a room; `where` begins with WHERE. */
export function selectLiving(columns: string, where: string): string {
  return LIVING.map(({ from }) => `SELECT ${columns} FROM ${from} ${where} AND ${LIVE}`).join(" UNION ALL ");
}

/** Selects scope and key of a room's living entries. Without tombstones, or with many, it reads indexes alone. */
export function selectLivingKeys(where: string): string {
  return `SELECT scope, key FROM ${roomWith("= 0")} AS none CROSS JOIN state ${where}
    UNION ALL SELECT scope, key FROM ${
    roomWith("BETWEEN 1 AND 999")
  } AS few CROSS JOIN state ${where} AND ${LIVE}
    UNION ALL SELECT scope, key FROM ${MANY} CROSS JOIN living ${where}`;
}
