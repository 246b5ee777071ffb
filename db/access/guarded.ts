import { createLru } from "../lru.ts";

/** Rooms that were found guarded. A hint: the writes of others are coalesced without judging who may act. */
const known = createLru<true>(10_000);

export function isKnownGuarded(room: string): boolean {
  return known.has(room);
}

export function foundGuarded(room: string): void {
  known.set(room, true);
}
