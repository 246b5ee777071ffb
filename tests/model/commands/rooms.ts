import fc from "fast-check";
import { answer } from "../reference/room.ts";
import { open, patch, roomsBefore, shownRoom } from "../reference/world.ts";
import { type Command, command, once, optional, place, query, unless, version } from "./command.ts";

const meta = optional(fc.constantFrom({}, { m: 1 }));

/** Opens a room or joins it. */
export function opening({ place, meta, once }: { place: number; meta?: unknown; once?: string }): Command {
  return {
    told: `open ${JSON.stringify({ place, meta, once })}`,
    room: place,
    once,
    request: ({ ids }) => ({ method: "POST", path: "/rooms", body: { id: ids[place], meta } }),
    expect: (world) => open(world, world.ids[place]!, meta),
    again: () => undefined,
    beats: false,
    keeps: () => true,
  };
}

/** The newest rooms are this world's, so that no more of them are asked for than there are. */
const listing: fc.Arbitrary<Command> = fc.record({
  before: optional(place),
  limit: fc.integer({ min: 1, max: 3 }),
}).map(({ before, limit }) => {
  function asked(world: Parameters<Command["request"]>[0]) {
    const time = before === undefined ? undefined : world.rooms.get(world.ids[before]!)?.created_at;
    const older = roomsBefore(world, time as string | undefined);
    return older.length > 0
      ? { before: time as string | undefined, rooms: older, limit: Math.min(limit, older.length) }
      : { before: undefined, rooms: roomsBefore(world), limit: 1 };
  }
  return {
    told: `rooms ${JSON.stringify({ before, limit })}`,
    room: 0,
    request(world) {
      const { before, limit } = asked(world);
      return { method: "GET", path: `/rooms${query({ before, limit })}` };
    },
    expect(world) {
      const { rooms, limit } = asked(world);
      const shown = rooms.slice(0, limit);
      const last = shown.at(-1)!;
      const cut = rooms.length > limit && { link: { before: String(last.created_at), before_id: last.id } };
      return { status: 200, body: shown.map(shownRoom), ...cut };
    },
    again: () => undefined,
    beats: false,
    keeps: () => true,
  };
});

export const roomCommands = [
  fc.record({ place, meta, once }).map(opening),
  listing,
  command(
    "patch",
    { meta: fc.constantFrom({ m: null }, { m: 2 }, { n: { o: 1 } }, { n: { o: null, p: 1 } }, {}), once },
    ({ meta }) => ({ method: "PATCH", path: "", body: { meta } }),
    ({ meta }, room) => patch(room, meta),
  ),
  command(
    "room",
    { known: optional(version.map((n) => 5 * n)) },
    ({ known }) => ({
      method: "GET",
      path: "",
      headers: unless(known),
    }),
    ({ known }, room) => {
      const etag = room.revision;
      if (known === etag) return { status: 304, revision: room.revision, etag };
      return { ...answer(room, shownRoom(room)), etag };
    },
  ),
];
