import { createLru } from "../lru.ts";

/** Rooms that were found guarded. It is a hint: their writes go alone, since each is judged by whom it acts as. */
const known = createLru<true>(10_000);

export function isKnownGuarded(room: string): boolean {
  return known.has(room);
}

export function foundGuarded(room: string): void {
  known.set(room, true);
}
