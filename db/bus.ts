export const PARTS = ["state", "agents", "messages"] as const;
export type Part = typeof PARTS[number];

/** A part of a room has moved to `revision`. A hint: whoever is told compares revisions with the database. */
export interface Change {
  room: string;
  part: Part;
  revision: number;
}

/** What this instance's own writes have changed. */
export interface Bus {
  /** Tells the listeners of this instance that a room has moved. */
  announce(change: Change): void;
  /** Listens for changes; returns how to stop. */
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
