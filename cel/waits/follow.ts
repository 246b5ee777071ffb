import { type Changes, type ChangesPage, isEmpty, readChanges } from "../../db/snapshots/changes.ts";
import type { Change } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import type { Holders } from "./holders.ts";
import { Refusal } from "../../db/refusal.ts";

/** One reader of a room's changes, which takes them at its own pace. */
export interface Follower {
  /** The revision of the last changes that it received. */
  readonly revision: number;
  /** True once it was ended, or its instance drains: it receives nothing more. */
  readonly ended: boolean;
  /** True where the room may have changed since `revision`. */
  readonly behind: boolean;
  /**
   * Resolves with what changed since the last call, as soon as anything has; undefined after `within` milliseconds
   * without a change, or when it is ended. Where the room has gone back, the changes are a `reset` and start from the
   * beginning. They are cut beyond the bytes that `size` returns, which is called only when there is something to
   * read. Errors: `DatabaseUnavailable`.
   */
  next(within: number, size?: () => Promise<number>): Promise<Changes | undefined>;
  /** Removes its timer and its subscription. Idempotent. */
  end(): void;
}

export interface FollowLimits {
  /** The maximum number of followers of this instance; `maxPerRoom`: of one room. */
  max: number;
  maxPerRoom: number;
  /** The maximum number of entries, agents and messages in one answer. */
  length: number;
}

export interface Follows {
  /**
   * Follows a room from the revision `after`, or from now; the first changes are cut beyond `bytes`.
   * Errors: `room_not_found`, `unavailable`.
   */
  follow(viewer: Viewer, room: string, after?: number, bytes?: number): Promise<Follower>;
  /** The rooms that have followers. */
  rooms(): Iterable<string>;
  has(room: string): boolean;
  /** True where no follower of the room knows of a change. */
  isNews(change: Change): boolean;
  /** Wakes the followers of a room that has changed. */
  hear(change: Change): void;
  /** Has the followers of a room that went back, or is gone, read it from the start. */
  rewind(room: string): void;
  /** Ends the followers of a room that this instance has read before this revision only: it was another one. */
  endBefore(room: string, first: number): void;
  /** Ends all followers, and every later one at once. */
  drain(): void;
}

/** The followers of one room, and the latest revision of it that this instance knows of. */
interface FollowedRoom {
  latest: number;
  isRead: boolean;
  /** How often the room has gone back. */
  rewinds: number;
  followers: Set<{ wake(): void; leave(): void }>;
}

/** The maximum number of reads kept for equal requests: each may hold a page of 1 MB. */
const SHARED_READS = 16;

/** Creates the followers of this instance. Calls `counted` with 1 for each that begins and -1 for each that ends. */
export function createFollows(
  database: Database,
  { max, maxPerRoom, length }: FollowLimits,
  { counted, holders }: { counted: (by: 1 | -1) => void; holders: Holders },
): Follows {
  const rooms = new Map<string, FollowedRoom>();
  const shared = new Map<string, { followed: FollowedRoom; reading: Promise<ChangesPage> }>();
  let count = 0;
  let draining = false;

  /**
   * Shares one read among equal requests while it is in flight, and afterwards if it found changes. A read is void
   * once the room has no followers: from then on this instance does not learn of changes.
   */
  function read(
    viewer: Viewer,
    room: string,
    followed: FollowedRoom,
    { after, began, bytes }: { after?: number; began?: number; bytes?: number },
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
      if (followed.rewinds === rewinds) followed.latest = Math.max(followed.latest, revision + Number(more));
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
  }

  function admit(room: string): FollowedRoom {
    const followed = rooms.get(room) ?? { latest: 0, isRead: false, rewinds: 0, followers: new Set() };
    if (count >= max) throw new Refusal("unavailable", { why: "followers", max });
    if (followed.followers.size >= maxPerRoom) {
      throw new Refusal("unavailable", { why: "followers_of_room", max: maxPerRoom });
    }
    return followed;
  }

  function subscribe(viewer: Viewer, room: string) {
    const followed = admit(room);
    const follower = {
      begun: false,
      wake() {},
      leave() {
        if (!followed.followers.delete(follower)) return;
        release();
        if (followed.followers.size === 0) rooms.delete(room);
        count--;
        counted(-1);
        follower.wake();
      },
    };
    const release = holders.hold(viewer, { hasBegun: () => follower.begun, end: follower.leave });
    rooms.set(room, followed);
    followed.followers.add(follower);
    count++;
    counted(1);
    if (draining) follower.leave();
    return { followed, follower };
  }

  return {
    async follow(viewer, room, after, bytes) {
      const { followed, follower } = subscribe(viewer, room);
      let page: ChangesPage;
      try {
        // Subscribes before it reads, so that no change is missed in between.
        page = await read(viewer, room, followed, after === undefined ? {} : { after, bytes });
        follower.begun = true;
      } catch (error) {
        follower.leave();
        throw error;
      }
      let { changes: first, began }: { changes?: Changes; began?: number } = page;
      let revision = first.reset ? 0 : isEmpty(first) ? first.revision : after!;
      if (isEmpty(first)) first = undefined;
      let { rewinds } = followed;
      const ended = () => !followed.followers.has(follower);
      const behind = () => first !== undefined || followed.latest > revision || followed.rewinds > rewinds;

      return {
        get revision() {
          return revision;
        },
        get ended() {
          return ended();
        },
        get behind() {
          return behind();
        },
        async next(within, size) {
          // A change of which the viewer sees nothing is none.
          for (const end = database.elapsed() + within; !ended();) {
            if (!behind()) await moved(follower, Math.max(0, end - database.elapsed()));
            if (ended() || !behind()) return undefined;
            const bytes = await size?.();
            const rewound = followed.rewinds > rewinds;
            rewinds = followed.rewinds;
            if (rewound) first = undefined;
            const after = rewound ? Number.MAX_SAFE_INTEGER : revision;
            const page = first
              ? { changes: first, began }
              : await read(viewer, room, followed, { after, began, bytes });
            first = undefined;
            if (ended()) return undefined;
            const { changes } = page;
            revision = changes.revision;
            // A walk from the start is over with its last page.
            began = changes.more ? page.began : undefined;
            if (!isEmpty(changes)) return changes;
            if (database.elapsed() >= end) return undefined;
          }
        },
        end: follower.leave,
      };
    },
    rooms: () => rooms.keys(),
    has: (room) => rooms.has(room),
    isNews({ room, revision }) {
      const latest = rooms.get(room)?.latest;
      return latest !== undefined && latest > 0 && latest < revision;
    },
    hear({ room, revision }) {
      const followed = rooms.get(room);
      if (!followed || followed.latest >= revision) return;
      followed.latest = revision;
      for (const { wake } of followed.followers) wake();
    },
    rewind(room) {
      const followed = rooms.get(room);
      if (!followed) return;
      followed.rewinds++;
      followed.latest = 0;
      for (const [name, read] of shared) if (read.followed === followed) shared.delete(name);
      for (const { wake } of followed.followers) wake();
    },
    endBefore(room, first) {
      const followed = rooms.get(room);
      if (!followed || followed.latest >= first || !followed.isRead) return;
      for (const { leave } of [...followed.followers]) leave();
    },
    drain() {
      draining = true;
      for (const { followers } of rooms.values()) for (const { leave } of followers) leave();
    },
  };
}

/** Resolves when the follower is woken, or after `within` milliseconds. */
function moved(follower: { wake(): void }, within: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => follower.wake(), within);
    follower.wake = () => {
      clearTimeout(timer);
      follower.wake = () => {};
      resolve();
    };
  });
}
