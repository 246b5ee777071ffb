import { timeOf } from "./clock.ts";
import { ANY, Only } from "./comparison.ts";
import {
  answer,
  type Expected,
  noticeTo,
  recordHeartbeat,
  refusal,
  type Reservation,
  type Room,
  type Value,
} from "./room.ts";

/** The globs that are drawn, with all paths that tell them apart: two have one in common or none at all. */
export const COVERED: Record<string, string[]> = {
  "src/a": ["src/a"],
  "src/*": ["src/a", "src/b"],
  "src/**": ["src", "src/a", "src/b", "src/x/y"],
  "src": ["src"],
  "sr": ["sr"],
  "docs/*": ["docs/a", "docs/b"],
  "*/b": ["src/b", "docs/b"],
};

export const REASONABLE_SECONDS = 900;

/** Whether some path is covered by both. */
function overlap(one: string[], other: string[]): boolean {
  const paths = new Set(one.flatMap((glob) => COVERED[glob]!));
  return other.some((glob) => COVERED[glob]!.some((path) => paths.has(path)));
}

const inForce = ({ reservations }: Room) => reservations.filter(({ ended }) => !ended);

export interface Reserve {
  agent: string;
  paths: string[];
  mode?: "exclusive" | "shared";
  ttl?: number;
  note?: Value;
}

export function reserve(
  room: Room,
  { agent, paths, mode = "exclusive", ttl = REASONABLE_SECONDS, note = null }: Reserve,
): Expected {
  const conflicts = inForce(room).filter((other) =>
    other.agent !== agent && (mode === "exclusive" || other.mode === "exclusive") &&
    overlap(paths, other.paths)
  );
  if (conflicts.length > 0) {
    return refusal(room, 409, "reserved", {
      conflicts: conflicts.map((other) => {
        const { id, agent, paths, mode, note, expires_at } = shownReservation(room, other);
        return new Only({ id, agent, paths, mode, note, expires_at });
      }),
    });
  }
  recordHeartbeat(room, agent);
  const fence = ++room.revision;
  const reservation: Reservation = {
    ...{ id: "", agent, paths, mode, note, fence, created_at: timeOf(room.clock) },
    ...{ until: room.clock.now + ttl * 1_000, ended: false, changed: fence },
  };
  room.reservations.push(reservation);
  const shown = new Only({ ...shownReservation(room, reservation), ...noticeTo(room, agent), id: ANY });
  return { ...answer(room, shown, 201), learn: ({ id }) => void (reservation.id = id) };
}

export function shownReservation(room: Room, reservation: Reservation) {
  const { until, ended: _, changed: __, ...shown } = reservation;
  return { ...shown, room_id: room.id, expires_at: timeOf(room.clock, until) };
}

/** A reservation in a list of changes. */
export function changedReservation(room: Room, reservation: Reservation): object {
  return reservation.ended ? { id: reservation.id, ended: true } : shownReservation(room, reservation);
}

export function listReservations(room: Room, { agent, path }: { agent?: string; path?: string }): Expected {
  const found = inForce(room)
    .filter((one) => agent === undefined || one.agent === agent)
    .filter(({ paths }) => path === undefined || overlap([path], paths));
  return answer(room, found.map((one) => shownReservation(room, one)));
}

/** What a command names: an id, the agent, a fence. */
export interface Held {
  id: string;
  agent: string;
  fence?: number;
}

/** Does something with a reservation that the agent holds. Only then it counts as the agent's heartbeat. */
function own(
  room: Room,
  { id, agent, fence }: Held,
  change: (reservation: Reservation) => Expected | undefined,
  over: () => Expected,
): Expected {
  const reservation = room.reservations.find((one) => one.id === id);
  if (!reservation) return refusal(room, 404, "reservation_not_found");
  if (reservation.ended) return over();
  if (reservation.agent !== agent || fence !== undefined && reservation.fence !== fence) {
    const { agent, fence, expires_at } = shownReservation(room, reservation);
    return refusal(room, 409, "lease_lost", { agent, fence, expires_at });
  }
  recordHeartbeat(room, agent);
  return change(reservation) ?? over();
}

export function renewReservation(room: Room, held: Held, ttl: number): Expected {
  const lost = { agent: null, fence: null, expires_at: null };
  return own(room, held, (reservation) => {
    reservation.changed = ++room.revision;
    reservation.until = room.clock.now + ttl * 1_000;
    return answer(room, shownReservation(room, reservation));
  }, () => refusal(room, 409, "lease_lost", lost));
}

export function releaseReservation(room: Room, held: Held): Expected {
  return own(room, held, (reservation) => {
    reservation.changed = ++room.revision;
    reservation.ended = true;
    return answer(room, { released: true });
  }, () => {
    recordHeartbeat(room, held.agent);
    return answer(room, { released: false });
  });
}

/** Reservations whose time is over end, all in one revision. */
export function endReservations(room: Room): void {
  end(room, inForce(room).filter(({ until }) => until <= room.clock.now));
}

/** Those of an agent that leaves. */
export function endReservationsOf(room: Room, left: string): void {
  end(room, inForce(room).filter(({ agent }) => agent === left));
}

function end(room: Room, over: Reservation[]): void {
  if (over.length === 0) return;
  room.revision++;
  for (const reservation of over) Object.assign(reservation, { ended: true, changed: room.revision });
}
