import { privateRoomsIn, selectPrivate } from "../access/private.ts";
import type { Database } from "../database.ts";
import { SERVED } from "../release.ts";
import { type Row, type Statement, statementOf } from "../driver/statement.ts";
import type { Viewer } from "../viewer.ts";
import { ADMITTED, advance, NEW_REVISION } from "./admission.ts";
import { depart, FORGET_DEPARTURES } from "./departed.ts";
import {
  CLAIMS_OF_LEAVING,
  FINISH_DEPARTURE,
  FIRST_LEFT_OF_LEAVING,
  RESERVATIONS_OF_LEAVING,
} from "./departures.ts";
import { DUE, type Due, dueOf, type Ending, ENDS, timeOf } from "./due.ts";
import { LEASES } from "./leases.ts";

/** Clears marks of waits whose leases expire (db/agents/marks.ts): the agents show their own status again. */
const MARKS: Ending = {
  part: "agents",
  table: "waits",
  until: "until",
  effects: (dueFirst) => [
    `UPDATE agents SET revision = ${NEW_REVISION}
      WHERE room_id = :room AND id IN (${dueFirst("agent_id")}) AND ${ADMITTED}`,
    `DELETE FROM waits WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
  ],
};

const ENTRIES: Ending = {
  part: "state",
  kind: "entries",
  table: "state",
  until: "expires_at",
  counts: (dueFirst) => [`key_count = key_count - (SELECT COUNT(*) FROM (${dueFirst("1")}))`],
  effects: (dueFirst) => [
    `UPDATE state SET
       value = 'null', deleted = 1, version = version + 1, updated_at = ${
      timeOf("expires_at")
    }, updated_by = NULL, verified = 0,
       expires_at = NULL, revision = ${NEW_REVISION}
      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
  ],
};

const PRIVATE_ROOMS = privateRoomsIn(selectPrivate(":room"));

/** Deletes keys that expire in private scopes, which the room does not count. */
const PRIVATE_ENTRIES: Ending = {
  part: "private",
  kind: "private",
  table: "state",
  until: { where: `room_id IN (${PRIVATE_ROOMS}) AND expires_at <= :moment`, inAnyOrder: true },
  effects: ENTRIES.effects,
};
// The first end of each scope is found by its index. One MIN over all scopes would pass all their keys.
const FIRST_LEFT_OF_PRIVATE = `
  SELECT MIN((SELECT MIN(expires_at) FROM state WHERE state.room_id = own.id AND expires_at IS NOT NULL)) AS until
    FROM (${PRIVATE_ROOMS}) AS own`;

const RESERVATIONS: Ending = {
  part: "reservations",
  kind: "reservations",
  table: "reservations",
  until: "expires_at",
  effects: (dueFirst) => [
    depart("reservations", dueFirst("id")),
    `DELETE FROM reservations WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,
    ...FORGET_DEPARTURES,
  ],
};

const ENDINGS = [
  CLAIMS_OF_LEAVING,
  RESERVATIONS_OF_LEAVING,
  MARKS,
  LEASES,
  ENTRIES,
  PRIVATE_ENTRIES,
  RESERVATIONS,
];

/** The maximum number of things that end in one revision. */
const THINGS = 100;
/**
 * The revisions of each kind in the first round trip, which nearly always suffices, and in each further one. `weight`
 * is that of each statement: many endings get a batch of their own (db/batching/next_batch.ts).
 */
const SIZES = { first: { revisions: 3, weight: 4 }, further: { revisions: 10, weight: 16 } };
export type RoundTrip = keyof typeof SIZES;
/** The revisions of each kind in a further round trip where private scopes are looked through: it takes 2 ms each. */
const WITH_PRIVATE = 3;
/** The maximum of one kind that ends in the first round trip. */
export const MAX_IN_FIRST = SIZES.first.revisions * THINGS;

const dueOfKind = ({ table, until }: Ending): { from: string; order: string } =>
  typeof until === "string"
    ? {
      from: `${table} WHERE room_id = :room AND ${until} <= :moment`,
      order: `ORDER BY ${until}, rowid`,
    }
    : { from: `${table} WHERE ${until.where}`, order: until.inAnyOrder ? "" : "ORDER BY rowid" };

/** Selects the places of the heavy things among those due first. */
const HEAVY_PLACES = ({ heavy, ...ending }: Ending) => {
  const { from, order } = dueOfKind(ending);
  return `SELECT place FROM (
    SELECT row_number() OVER () AS place, heavy FROM (
      SELECT ${heavy} AS heavy FROM ${from} ${order} LIMIT ${THINGS}))
    WHERE heavy`;
};

const DUE_FIRST = (ending: Ending) => (columns: string) => {
  const { from, order } = dueOfKind(ending);
  const limit = ending.heavy ? `COALESCE((${HEAVY_PLACES(ending)} LIMIT 1), ${THINGS})` : THINGS;
  return `SELECT ${columns} FROM ${from} ${order} LIMIT ${limit}`;
};

const IS_DUE = (ending: Ending) => `EXISTS (SELECT 1 FROM ${dueOfKind(ending).from})`;

const ADMIT = (ending: Ending) => `
  ${advance(ending.part, ending.counts?.(DUE_FIRST(ending)))}
   WHERE id = :room AND ${SERVED} AND ${IS_DUE(ending)}`;
const RETURNING = " RETURNING revision";

/** The statements of one revision of each kind. `again`: admits it in a batch that has one of the kind already. */
const REVISION_OF = ENDINGS.map((ending) => ({
  part: ending.part,
  bit: ending.kind && ENDS[ending.kind],
  admit: ADMIT(ending) + RETURNING,
  again: ADMIT(ending) + (ending.heavy ? ` AND NOT EXISTS (${HEAVY_PLACES(ending)})` : "") + RETURNING,
  effects: ending.effects(DUE_FIRST(ending)),
}));

const FIRST_LEFT = ENDINGS.flatMap(({ table, until }) =>
  typeof until === "string"
    ? `SELECT MIN(${until}) AS until FROM ${table} WHERE room_id = :room AND ${until} IS NOT NULL`
    : []
).concat(FIRST_LEFT_OF_LEAVING).join(" UNION ALL ");

/** Sets `due` to the first end that is left, unless a trigger or a later write has moved it past the moment. */
const settleBy = (left: string) => `
  UPDATE rooms SET due = (SELECT MIN(until) FROM (${left})) WHERE id = :room AND due <= :moment`;
const SETTLE = settleBy(FIRST_LEFT);
const SETTLE_PRIVATE = settleBy(`${FIRST_LEFT} UNION ALL ${FIRST_LEFT_OF_PRIVATE}`);

/**
 * Ends what is due, as ordinary changes of the room, then runs `statements` and returns their rows, all in one round
 * trip. A thing ends once, however many instances try. What exceeds the size of the round trip stays due. Errors: `DatabaseUnavailable`.
 */
export async function makeEndings(
  database: Database,
  viewer: Viewer,
  { room, moment, ends }: Due,
  statements: Statement[] = [],
  roundTrip: RoundTrip = "first",
): Promise<Row[][]> {
  const size = SIZES[roundTrip];
  const kinds = REVISION_OF.filter(({ bit }) => bit === undefined || ends & bit);
  const revisions = ends & ENDS.private ? Math.min(size.revisions, WITH_PRIVATE) : size.revisions;
  const all = Array.from({ length: revisions }, () => kinds).flat();
  const groups = all.map(({ admit: first, again, effects }, n) => {
    const admit = n < kinds.length ? first : again;
    const args = { room, moment, nonce: database.newId() };
    return [
      { ...statementOf(admit, args), single: true },
      ...effects.map((sql) => ({ ...statementOf(sql, args), weight: size.weight })),
    ];
  });
  const finish = ends & ENDS.departures ? [{ sql: FINISH_DEPARTURE, args: { room } }] : [];
  const settle = [...finish, { sql: ends & ENDS.private ? SETTLE_PRIVATE : SETTLE, args: { room, moment } }];
  const rows = await database.commit(viewer, [...groups.flat(), ...settle, ...statements], {
    first: true, // behind a long queue they would expire, and reads show what is over
  });
  for (const [n, { part }] of all.entries()) {
    const [admitted] = rows.splice(0, groups[n]!.length)[0]!;
    if (admitted) database.announce({ room, part, revision: Number(admitted.revision) });
  }
  return rows.slice(settle.length);
}

/** Ends all that is due in a room, in as many round trips as that takes. Errors: `DatabaseUnavailable`. */
export async function makeAllEndings(database: Database, viewer: Viewer, first: Due): Promise<void> {
  const { room } = first;
  const look = { sql: `SELECT ${DUE} FROM rooms WHERE id = :room`, args: { room } };
  let roundTrip: RoundTrip = "first";
  for (let due: Due | undefined = first; due; roundTrip = "further") {
    const [rooms] = await makeEndings(database, viewer, due, [look], roundTrip);
    due = dueOf(room, rooms![0]);
  }
}
