import type { Database } from "../database.ts";
import { NOW } from "../clock.ts";
import { type Noticed, noticeOf, roomWithRegistration, whileRegistered } from "../agents/registration.ts";
import { Refusal } from "../refusal.ts";
import { RELEASE_OF_TASKS } from "../release.ts";
import { revisionOf, ROOM_CURRENT } from "../rooms/room.ts";
import { type Admission, ADMITTED, FROM_ADMITTED, NEW_REVISION } from "../write/admission.ts";
import type { Operation, Outcome, Step, WriteContext } from "../write/context.ts";
import { depart, FORGET_DEPARTURES } from "../write/departed.ts";
import { endsAt, timeOf } from "../write/due.ts";
import { commit, type Write } from "../write/write.ts";
import { type Asked, type Board, bytesOf } from "./conflicts.ts";
import { RESERVATION, type Reservation, toReservation } from "./read.ts";

const END = `(${NOW} + :ttl * 1000)`;
const RESERVE = `
  INSERT INTO reservations (room_id, id, agent_id, paths, mode, note, created_at, expires_at, fence, revision)
  SELECT :room, :id, :agent, :paths, :mode, :note, ${timeOf(NOW)}, ${END}, revision, revision ${FROM_ADMITTED}
  RETURNING *`;

const GET = `SELECT * FROM reservations WHERE room_id = :room AND id = :id`;
const HELD = `room_id = :room AND id = :id AND agent_id = :agent AND (:fence IS NULL OR fence = :fence)`;
const IS_HELD = `EXISTS (SELECT 1 FROM reservations WHERE ${HELD})`;

const RENEW = `
  UPDATE reservations SET expires_at = ${END}, revision = ${NEW_REVISION} WHERE room_id = :room AND id = :id AND ${ADMITTED}
  RETURNING *`;

const DEPART = depart("reservations", "SELECT :id AS id");
const REMOVE = `DELETE FROM reservations WHERE room_id = :room AND id = :id AND ${ADMITTED}`;
const OVER = `SELECT 1 FROM departed WHERE room_id = :room AND kind = 'reservations' AND id = :id`;

/**
 * Reserves paths that are in conflict with nothing on the board. Returns undefined where the room's reservations have
 * changed since, or the agent has left that is registered on the board.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`.
 */
export async function tryReserve(
  database: Database,
  context: WriteContext,
  room: string,
  asked: Asked,
  board: Board,
): Promise<Outcome | undefined> {
  const [nonce, id, now] = [context.newId(), context.newId(), await context.time()];
  const { outcome, reads: [rooms] } = await commit(
    database,
    context,
    writeOf(room, asked, board, { nonce, id, now }),
  );
  if (outcome.replayed) return outcome;
  if (outcome.revision !== undefined) {
    addTo(board, asked, toReservation(outcome.rows[0]![0]!), outcome.revision);
    return outcome;
  }
  revisionOf(rooms!);
  return undefined;
}

function writeOf(
  room: string,
  { agent, paths, mode, ttl, note }: Asked,
  { seen, joined: registrations }: Board,
  { nonce, id, now }: { nonce: string; id: string; now: Date },
): Write {
  const joined = registrations.get(agent);
  const own = { room, nonce, id, agent };
  const args = { ...own, mode, ttl, paths: JSON.stringify(paths), note: JSON.stringify(note) };
  return {
    room,
    part: "reservations",
    nonce,
    now,
    admission: {
      counts: endsAt("reservations", END),
      where: ["reservations_revision = :seen", ...whileRegistered(joined)],
      args: { seen, ttl, ...(joined === undefined ? {} : { agent, joined }) },
      requires: RELEASE_OF_TASKS,
    },
    effects: [{ sql: RESERVE, args, answer: { columns: RESERVATION, query: GET } }],
    reads: [{ sql: roomWithRegistration(), args: { room, agent }, answer: { columns: ["joined"] } }],
    heartbeatOf: agent,
  };
}

/** Adds a reservation to the board, so that the next request is judged without a further read. */
function addTo(
  board: Board,
  { agent, paths, mode }: Asked,
  { id, expires_at }: Reservation,
  revision: number,
) {
  board.reservations.push({ id, agent, paths, mode, expires_at });
  board.bytes += bytesOf(paths);
  [board.seen, board.revision] = [revision, revision];
}

/** Makes the answer of `tryReserve`. */
export function reservedOf(outcome: Outcome): ReturnType<typeof reservationOf> & Noticed {
  return { ...reservationOf(outcome), ...noticeOf(outcome.rows[1]?.[0]) };
}

/** Makes the answer of `renewReservation`; that of `tryReserve` without its notice. */
export function reservationOf(
  { revision, rows: [rows] }: Outcome,
): { reservation: Reservation; revision: number } {
  return { reservation: toReservation(rows![0]!), revision: revision! };
}

/** What an agent names to show that it holds a reservation. Without `fence`, id and agent suffice. */
export interface Held {
  id: string;
  agent: string;
  fence?: number;
}

/**
 * Renews a reservation: it expires `ttl` seconds from now.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `reservation_not_found`, `lease_lost`.
 */
export function renewReservation(
  database: Database,
  room: string,
  held: Required<Held>,
  ttl: number,
): Operation<{ reservation: Reservation; revision: number }> {
  const { id, agent } = held;
  return {
    acts: { as: agent },
    run: (context) =>
      changeHeld(database, context, room, held, {
        counts: endsAt("reservations", END),
        args: { ttl },
        effects: (nonce) => [{
          sql: RENEW,
          args: { room, nonce, id, ttl },
          answer: { columns: RESERVATION, query: GET },
        }],
      }),
    answer: reservationOf,
  };
}

/**
 * Ends a reservation. `released` is false where it had ended before.
 * Errors: `room_not_found`, `unauthenticated`, `forbidden`, `reservation_not_found`, `lease_lost`.
 */
export function releaseReservation(
  database: Database,
  room: string,
  held: Held,
): Operation<{ released: boolean; revision: number }> {
  const { id, agent } = held;
  return {
    acts: { as: agent },
    run: (context) =>
      changeHeld(database, context, room, held, {
        effects: (nonce) => [
          { sql: DEPART, args: { room, nonce, id } },
          { sql: REMOVE, args: { room, nonce, id } },
          ...FORGET_DEPARTURES.map((sql) => ({ sql, args: { room, nonce } })),
        ],
        answer: { columns: ["revision"] },
        granted: { sql: `EXISTS (${OVER})`, args: { room, id } },
      }),
    answer: ({ revision, rows: [rooms] }) => ({
      released: revision !== undefined,
      revision: revision ?? revisionOf(rooms!),
    }),
  };
}

/** A change of a reservation. `answer`: what is stored of the room's row. */
interface Change extends Pick<Admission, "counts">, Pick<Step, "answer"> {
  args?: Admission["args"];
  effects(nonce: string): Step[];
  /** True of a reservation that has ended, if the change then has nothing to do. */
  granted?: Write["granted"];
}

/** Commits a change of a reservation that the agent holds. Errors: those of `releaseReservation`. */
async function changeHeld(
  database: Database,
  context: WriteContext,
  room: string,
  { id, agent, fence }: Held,
  { counts, args, effects, answer, granted }: Change,
): Promise<Outcome> {
  const [nonce, now] = [context.newId(), await context.time()];
  const { outcome, reads: [rooms, there, over] } = await commit(database, context, {
    room,
    part: "reservations",
    nonce,
    now,
    admission: { counts, where: [IS_HELD], args: { id, agent, fence: fence ?? null, ...args } },
    effects: effects(nonce),
    reads: [
      { sql: ROOM_CURRENT, args: { room }, ...answer && { answer } },
      { sql: GET, args: { room, id } },
      { sql: OVER, args: { room, id } },
    ],
    heartbeatOf: agent,
    granted,
  });
  if (outcome.revision !== undefined || outcome.replayed) return outcome;
  const revision = revisionOf(rooms!);
  if (there!.length + over!.length === 0) throw new Refusal("reservation_not_found", { id }, revision);
  if (there!.length > 0 || granted === undefined) throw lost({ id, agent, fence }, there![0], revision);
  return outcome;
}

function lost(
  named: Held,
  row: Parameters<typeof toReservation>[0] | undefined,
  revision: number,
): Refusal {
  const held = row && toReservation(row);
  const { agent = null, fence = null, expires_at = null } = held ?? {};
  const anothers = agent !== null && agent !== named.agent && (named.fence ?? fence) === fence;
  return new Refusal("lease_lost", { reservation: named.id, agent, fence, expires_at, anothers }, revision);
}
