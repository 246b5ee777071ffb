/** Begins the stored id of a locked room, and of nothing else: no request can name what holds a control character. */
const LOCKED = "\t";

/** Returns the id under which a locked room is stored. */
export function lockedRoom(id: string): string {
  return LOCKED + id;
}

export function isLocked(room: string): boolean {
  return room.startsWith(LOCKED);
}

/** Returns the id by which people know a room. */
export function shownRoom(room: string): string {
  return isLocked(room) ? room.slice(LOCKED.length) : room;
}
