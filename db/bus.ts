/**
 * The parts of a room, each with a revision of its last change: `<part>_revision` of the room's row. A departure is a
 * change of the agents too. Private scopes are a part of their own, of whose changes others see nothing.
 */
export const PARTS = [
  "state",
  "private",
  "agents",
  "departures",
  "messages",
  "reservations",
  "meta",
] as const;
export type Part = typeof PARTS[number];

/** Says that a part of a room has reached `revision`. It is a hint: listeners compare revisions with the database. */
export interface Change {
  room: string;
  part: Part;
  revision: number;
}

/** Announces the changes that this instance's own writes make. */
export interface Bus {
  announce(change: Change): void;
  /** Returns the function that stops listening. */
  listen(listener: (change: Change) => void): () => void;
}

export function createBus(): Bus {
  const listeners = new Set<(change: Change) => void>();
  return {
    announce: (change) => listeners.forEach((listener) => listener(change)),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
