/**
 * The parts of a room. The column `<part>_revision` of the room's row has the revision of a part's last change. A
 * departure is a change of the agents too. Private scopes are a part of their own, whose changes others do not see.
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

/** Tells that a part of a room has reached `revision`. A hint: listeners compare revisions with the database. */
export interface Change {
  room: string;
  part: Part;
  revision: number;
}

/** Announces the writes of this instance. A listener gets the function that stops it. */
export interface Bus {
  announce(change: Change): void;
  listen(listener: (change: Change) => void): () => void;
  /** Announces that a room is deleted. */
  announceDeletion(room: string): void;
  listenToDeletions(listener: (room: string) => void): () => void;
  /** Announces that deleted rooms have rows left. */
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
