/** Begins the stored id of a locked room, and of no other: an id in a request cannot hold a control character. */
const LOCKED = "\t";

/** Returns the id under which a locked room is stored. */
export function lockedRoom(id: string): string {
  return LOCKED + id;
}

/** Whether a stored id is that of a locked room. */
export function isLocked(room: string): boolean {
  return room.startsWith(LOCKED);
}

/** Returns the id that requests and answers use, of a stored id. */
export function shownRoom(room: string): string {
  return isLocked(room) ? room.slice(LOCKED.length) : room;
}
