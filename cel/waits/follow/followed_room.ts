import type { Database } from "../../../db/database.ts";
import { type ChangesPage, readChanges } from "../../../db/snapshots/changes.ts";
import { keyFor, type Viewer } from "../../../db/viewer.ts";

/** The followers of one room, and the latest revision of it that this instance knows of. */
export interface FollowedRoom {
  latest: number;
  /** This instance has read it since the first of its followers came. */
  isRead: boolean;
  /** How often the room has gone back. */
  rewinds: number;
  followers: Set<Subscription>;
}

/** A follower's place among those of its room. */
export interface Subscription {
  /** Its first read has succeeded. */
  begun: boolean;
  /** Called when the room may have changed, and when the follower is ended. */
  wake(): void;
  /** Ends the follower. Idempotent. */
  leave(): void;
}

/** Where a read of changes begins: after a revision, or with what happens from now on. */
export interface From {
  after?: number;
  /** The revision at which a walk from the start began. */
  began?: number;
  /** The bytes beyond which the changes are cut. */
  bytes?: number;
}

/** The maximum number of reads kept for equal requests: each may hold a page of 1 MB. */
const SHARED_READS = 16;

/**
 * Creates the reads of changes of this instance, each of at most `length` things. Shares one read among equal requests
 * while it is in flight, and afterwards if it found changes. A read is void once the room has no followers: from then on
 * this instance does not learn of changes.
 */
export function createChangesReads(database: Database, length: number) {
  const shared = new Map<string, { followed: FollowedRoom; reading: Promise<ChangesPage> }>();

  return {
    /** Errors: `room_not_found`, `DatabaseUnavailable`. */
    read(
      viewer: Viewer,
      room: string,
      followed: FollowedRoom,
      { after, began, bytes }: From,
    ): Promise<ChangesPage> {
      const name = keyFor(viewer, `${after} ${began} ${bytes} ${room}`);
      const known = shared.get(name);
      if (known?.followed === followed) return known.reading;
      const query = { after, began, bytes, limit: length };
      const { rewinds } = followed;
      const reading = readChanges(database, viewer, room, query).then((page) => {
        const { revision, more, reset } = page.changes;
        if (after === undefined || reset || revision <= after) forget();
        followed.isRead = true;
        if (followed.rewinds === rewinds) {
          followed.latest = Math.max(followed.latest, revision + Number(more));
        }
        return page;
      }, (error) => {
        forget();
        throw error;
      });
      const forget = () => {
        if (shared.get(name)?.reading === reading) shared.delete(name);
      };
      shared.delete(name);
      if (shared.size >= SHARED_READS) shared.delete(shared.keys().next().value!);
      shared.set(name, { followed, reading });
      return reading;
    },
    /** Drops what was read of a room: its revision went back. */
    forget(followed: FollowedRoom): void {
      for (const [name, read] of shared) if (read.followed === followed) shared.delete(name);
    },
  };
}
