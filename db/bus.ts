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

/** Announces what this instance does and finds. A listener gets the function that stops it. */
export type Bus = ReturnType<typeof createBus>;

export function createBus() {
  const changes = createChannel<Change>();
  const deletions = createChannel<string>();
  const graves = createChannel<void>();
  return {
    announce: changes.announce,
    listen: changes.listen,
    /** Announces that a room is deleted. */
    announceDeletion: deletions.announce,
    listenToDeletions: deletions.listen,
    /** Announces that deleted rooms have rows left. */
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
