import fc from "fast-check";
import type { Condition } from "../reference/conditions.ts";
import type { Expected, Room, View } from "../reference/room.ts";
import type { World } from "../reference/world.ts";

export interface Request {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A request of an agent, and what the service must answer to it. */
export interface Command {
  /** What was drawn, for reading. */
  told: string;
  /** The room that it is about, by its place among the world's. */
  room: number;
  /** Its Idempotency-Key. */
  once?: string;
  /** Asked before `expect` does to the reference what the request does to the service. */
  request(world: World): Request;
  expect(world: World): Expected;
  /** Whose heartbeat it is to send it again under its key, when nothing else is done. */
  again(request: Request): string | undefined;
  beats: boolean | "maybe";
  /** Whether a successful answer is kept under the key: that nothing was found to take is not. */
  // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
  keeps(body: any): boolean;
}

interface Habits<Members> {
  /** Whether what was drawn counts as a heartbeat when it is sent again; "maybe" where that is not determined. */
  beats(drawn: Members): boolean | "maybe";
  keeps: Command["keeps"];
}

/** Members that mean the same in every command. */
type Acting = { once?: string; agent?: string; from?: string };

/** Draws a command about a room, which may not be there. */
export function command<Members extends object>(
  name: string,
  members: { [Name in keyof Members]: fc.Arbitrary<Members[Name]> },
  request: (drawn: Members, room: Room | undefined) => Request,
  expect: (drawn: Members, room: Room) => Expected,
  { beats = () => true, keeps = () => true }: Partial<Habits<Members>> = {},
): fc.Arbitrary<Command> {
  return fc.noBias(fc.tuple(place, fc.record(members))).map(([place, drawn]) => ({
    told: `${name} ${JSON.stringify({ place, ...drawn })}`,
    room: place,
    once: (drawn as Acting).once,
    request(world) {
      const { path, ...rest } = request(drawn, world.rooms.get(world.ids[place]!));
      return { ...rest, path: `/rooms/${world.ids[place]}${path}` };
    },
    expect(world) {
      const room = world.rooms.get(world.ids[place]!);
      return room ? expect(drawn, room) : { status: 404, body: { error: "room_not_found" } };
    },
    again({ body }) {
      // A sender, unless it is the one whose messages an agent asks for.
      const { from, agent = from ?? (body as Acting | undefined)?.agent } = drawn as Acting;
      // Writes of state count when they are made.
      return "gate" in drawn || !beats(drawn) ? undefined : agent;
    },
    beats: beats(drawn),
    keeps,
  }));
}

/** The path's query, without what is undefined. */
export function query(members: Record<string, unknown>): string {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return search.size > 0 ? `?${search}` : "";
}

/** What is drawn but for the key, which is a header. */
export function unkeyed<Drawn extends { once?: string }>({ once: _, ...body }: Drawn) {
  return body;
}

/** Asks for what the caller has not got: 304 if the version is what it has. */
export function unless(known?: number): Record<string, string> {
  return known === undefined ? {} : { "If-None-Match": `W/"${known}"` };
}

/** Drawn once in `rarity + 1` times. */
export function optional<T>(values: fc.Arbitrary<T>, rarity = 1): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: rarity, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: values },
  );
}

// Few names, values and versions, so that commands meet each other.
/** Two rooms that there are from the start, and sometimes one that is still to be opened. */
export const place = fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 1, 2);
export const key = fc.constantFrom("a", "ab", "b");
export const agent = fc.constantFrom("ann", "bob");
export const status = fc.constantFrom("active", "idle", "busy", "waiting");
export const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom("5", "text", null, true, 0.5, { x: [1] }),
);
export const revision = fc.nat(25);
export const limit = fc.constantFrom(1, 2, 3, 1_000);
export const version = fc.nat(4);
export const once = optional(fc.constantFrom("k1", "k2"), 6);
export const which = fc.oneof(
  { weight: 3, arbitrary: fc.record({ nth: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ id: fc.integer({ min: 1, max: 25 }) }) },
);

/** Seconds: long enough that none is over by the true time before a run is. */
export const ttl = optional(fc.constantFrom(100, 600));

/** What computed views are, and evaluations may be. */
export const view: fc.Arbitrary<View> = fc.oneof(
  fc.record({ of: key }),
  fc.record({ strict: key }),
  fc.record({ view: key }),
  fc.record({ messages: fc.constantFrom("count" as const, "unclaimed" as const) }),
);

const equals = fc.integer({ min: 0, max: 2 });

/** Conditions that only state and messages decide. */
export const plainCondition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ key, equals }) },
  { weight: 2, arbitrary: fc.record({ strict: key, equals }) },
  { weight: 1, arbitrary: fc.record({ view: key, equals }) },
  { weight: 1, arbitrary: fc.record({ count: equals }) },
  { weight: 1, arbitrary: fc.record({ unclaimed: equals }) },
  { weight: 1, arbitrary: fc.record({ keys: equals }) },
  {
    weight: 2,
    arbitrary: fc.record({
      number: equals,
      of: fc.constantFrom("message", "task"),
      be: fc.constantFrom(
        "open" as const,
        "blocked" as const,
        "claimed" as const,
        "done" as const,
        "failed" as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ newestFrom: agent }) },
  { weight: 1, arbitrary: fc.record({ newestTo: agent }) },
  { weight: 1, arbitrary: fc.record({ newestBy: agent }) },
  { weight: 1, arbitrary: fc.record({ answers: equals }) },
);

export const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 9, arbitrary: plainCondition },
  { weight: 1, arbitrary: fc.record({ agent, status }) },
  { weight: 1, arbitrary: fc.record({ self: agent }) },
  { weight: 1, arbitrary: fc.record({ agents: equals }) },
  { weight: 1, arbitrary: fc.record({ alive: agent }) },
);
