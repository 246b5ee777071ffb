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

/** Announces what this instance's own writes make. Who listens gets the function that stops listening. */
export interface Bus {
  announce(change: Change): void;
  listen(listener: (change: Change) => void): () => void;
  /** Says that a room is deleted. */
  announceDeletion(room: string): void;
  listenToDeletions(listener: (room: string) => void): () => void;
  /** Says that there are deleted rooms with rows left. */
  announceGraves(): void;
  listenToGraves(listener: () => void): () => void;
}

export function createBus(): Bus {
  const [changes, deletions, graves] = [
    createChannel<Change>(),
    createChannel<string>(),
    createChannel<void>(),
  ];
  return {
    announce: changes.announce,
    listen: changes.listen,
    announceDeletion: deletions.announce,
    listenToDeletions: deletions.listen,
    announceGraves: graves.announce,
    listenToGraves: graves.listen,
  };
}

function createChannel<News>() {
  const listeners = new Set<(news: News) => void>();
  return {
    announce: (news: News) => listeners.forEach((listener) => listener(news)),
    listen(listener: (news: News) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
