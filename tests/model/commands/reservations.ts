import fc from "fast-check";
import {
  COVERED,
  type Held,
  listReservations,
  releaseReservation,
  renewReservation,
  reserve,
} from "../reference/reservations.ts";
import type { Room } from "../reference/room.ts";
import { agent, command, once, optional, query, ttl, unkeyed, value } from "./command.ts";

const glob = fc.constantFrom(...Object.keys(COVERED));

interface Drawn {
  nth: number;
  by: string | undefined;
  named: boolean;
}

const HELD = { nth: fc.nat(3), by: optional(agent, 2), named: fc.boolean(), once };

/** The nth reservation from the newest, by who has it or by somebody. */
function heldOf(room: Room | undefined, { nth, by, named }: Drawn): Required<Held> & Held {
  const all = room?.reservations ?? [];
  const { id, agent, fence } = all.at(-1 - nth % all.length) ?? { id: "none", agent: "ann", fence: 1 };
  return { id, agent: by ?? agent, fence: named ? fence : fence + 1 };
}

/** A release may leave its fence out. */
function unnamed(room: Room | undefined, drawn: Drawn): Held {
  const { id, agent, fence } = heldOf(room, { ...drawn, named: true });
  return { id, agent, ...(drawn.named && { fence }) };
}

const writes = [
  command(
    "reserve",
    {
      ...{ agent, paths: fc.array(glob, { minLength: 1, maxLength: 2 }), ttl, note: optional(value) },
      ...{ mode: optional(fc.constantFrom("exclusive" as const, "shared" as const)), once },
    },
    (drawn) => ({ method: "POST", path: "/reservations", body: unkeyed(drawn) }),
    (drawn, room) => reserve(room, drawn),
    { beats: () => false },
  ),
  command(
    "renew a reservation",
    { ...HELD, ttl: fc.constantFrom(100, 600) },
    ({ ttl, ...drawn }, room) => {
      const { id, ...body } = heldOf(room, drawn);
      return { method: "POST", path: `/reservations/${id}/renew`, body: { ...body, ttl } };
    },
    ({ ttl, ...drawn }, room) => renewReservation(room, heldOf(room, drawn), ttl),
    { beats: () => false },
  ),
  command(
    "release a reservation",
    HELD,
    (drawn, room) => {
      const { id, ...body } = unnamed(room, drawn);
      return { method: "DELETE", path: `/reservations/${id}`, body };
    },
    (drawn, room) => releaseReservation(room, unnamed(room, drawn)),
    { beats: () => false },
  ),
];

const reads = [
  command(
    "reservations",
    { agent: optional(agent), path: optional(glob) },
    (asked) => ({ method: "GET", path: `/reservations${query(asked)}` }),
    (asked, room) => listReservations(room, asked),
  ),
];

export const reservationCommands = { writes, reads };
