import type { Change } from "../../../db/bus.ts";
import type { Database } from "../../../db/database.ts";
import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import { lookAtRooms } from "../../../db/rooms/look.ts";
import { findRevoked } from "../../../db/tokens/read.ts";
import { SERVICE } from "../../../db/viewer.ts";
import type { Due } from "../../../db/write/due.ts";
import { makeEndings } from "../../../db/write/endings.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import type { Holders } from "../holders.ts";
import type { Rooms } from "./pace.ts";

/** What a look calls with what it finds. */
interface Listener {
  /** The watched rooms. */
  rooms(): string[];
  /** Called with the revision of each part of a room that exists. */
  found(changes: Change[]): void;
  /**
   * Called for a room whose revisions are lower than at the last look, or that is gone: its database was restored from a
   * copy, or emptied.
   */
  rewound(room: string, isThere: boolean): void;
  /** Called for a room that was made again at the revision `first`, after one of the same id was deleted. */
  madeAnew(room: string, first: number): void;
}

/** Rooms in one query: its answer is read without yielding. */
const ROOMS_AT_ONCE = 2_500;

/**
 * Creates the look: it reads the revisions of all watched rooms, or of some, and ends what is due in them. A look at all
 * rooms also finds the revoked tokens among those under which something waits or streams. Ignores an outage, since the
 * next look finds what this one missed.
 */
export function createLook(
  database: Database,
  listener: Listener,
  holders: Holders,
): (rooms: Rooms) => Promise<void> {
  /** What the last look at each room found. */
  let found = new Map<string, Change[]>();
  /** Rooms whose due endings are being written. */
  const ending = new Set<string>();

  /** Reads the revisions of some rooms, calls the listener, and returns what is due. */
  async function lookAt(some: string[], looked: Map<string, Change[]>): Promise<Due[]> {
    const { changes, due, anew } = await lookAtRooms(database, some);
    for (const [room, first] of anew) listener.madeAnew(room, first);
    const there = new Set<string>();
    for (const parts of changes) {
      const [{ room }] = parts as [Change];
      there.add(room);
      if (found.get(room)?.some(({ revision }, n) => revision > parts[n]!.revision)) {
        listener.rewound(room, true);
      }
      looked.set(room, parts);
      listener.found(parts);
    }
    for (const room of some) {
      if (there.has(room)) continue;
      looked.delete(room);
      listener.rewound(room, false);
    }
    return due;
  }

  /** Writes a room's due endings, one write at a time. No look awaits it: the database may be slow to take writes. */
  function end(due: Due) {
    if (ending.has(due.room)) return;
    ending.add(due.room);
    makeEndings(database, SERVICE, due).catch(ignoreOutage).finally(() => ending.delete(due.room));
  }

  return async function look(which) {
    const all = which === "all" ? listener.rooms() : which;
    const looked = which === "all" ? new Map<string, Change[]>() : found;
    const due: Due[] = [];
    if (which === "all") findRevoked(database, holders.tokens()).then(holders.revoke, ignoreOutage);
    try {
      for (let from = 0; from < all.length; from += ROOMS_AT_ONCE) {
        if (isBusy()) await yieldToOthers();
        due.push(...await lookAt(all.slice(from, from + ROOMS_AT_ONCE), looked));
      }
      found = looked;
    } catch (error) {
      ignoreOutage(error);
    }
    for (const each of due) {
      if (isBusy()) await yieldToOthers();
      end(each);
    }
  };
}

function ignoreOutage(error: unknown) {
  if (!(error instanceof DatabaseUnavailable)) console.error(error);
}
