import type { Command, Request } from "../commands/command.ts";
import type { Clock } from "./clock.ts";
import { edit, type Json } from "./edits.ts";
import { answer, createRoom, type Expected, type Room } from "./room.ts";

/** What was answered under an Idempotency-Key. */
export interface Done {
  command: Command;
  request: Request;
  at: number;
  status: number;
  text: string;
  revision: number | undefined;
}

export interface World {
  clock: Clock;
  /** The ids that commands speak of; not each has a room. */
  ids: string[];
  rooms: Map<string, Room>;
  /** By room and key. */
  done: Map<string, Done>;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export function createWorld(ids: string[], clock: Clock): World {
  return { clock, ids, rooms: new Map(), done: new Map() };
}

/** What was done under a key within 24 hours. */
export function doneUnder({ done, clock }: World, room: string, key: string): Done | undefined {
  const found = done.get(`${room} ${key}`);
  return found && clock.now - found.at < DAY_MS ? found : undefined;
}

/** Opens a room, or joins the one that there is. */
export function open(world: World, id: string, meta: unknown): Expected {
  const known = world.rooms.get(id);
  const room = known ?? createRoom(id, meta ?? {}, world.clock);
  world.rooms.set(id, room);
  return { status: known ? 200 : 201, body: shownRoom(room), revision: room.revision };
}

export function shownRoom({ id, created_at, meta }: Room) {
  return { id, created_at, meta };
}

/** This world's rooms that are older than a time, newest first. */
export function roomsBefore({ rooms }: World, before?: string): Room[] {
  const order = ({ created_at, id }: Room) => `${String(created_at)} ${id}`;
  return [...rooms.values()]
    .filter(({ created_at }) => before === undefined || String(created_at) < before)
    .sort((a, b) => order(a) > order(b) ? -1 : 1);
}

/** Merges into a room's meta. */
export function patch(room: Room, meta: Json): Expected {
  room.metaChanged = ++room.revision;
  const { value } = edit(room.meta as Json, { merge: meta }) as { value: Json };
  room.meta = value;
  return answer(room, shownRoom(room));
}
