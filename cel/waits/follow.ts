import { type Changes, readChanges } from "../../db/snapshots/changes.ts";
import type { Change } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { keyFor, type Viewer } from "../../db/viewer.ts";
import { Refusal } from "../../db/refusal.ts";

/** Somebody who is told what changes in a room, at the pace at which they ask. */
export interface Follower {
  /** The revision up to which it was told. */
  readonly revision: number;
  /** It was ended, or this instance is about to end: nothing comes any more. */
  readonly ended: boolean;
  /** More may have changed than it was told. */
  readonly behind: boolean;
  /**
   * What changed since the last call, as soon as anything has (as a `reset` where the room has gone back, and all of it
   * is told from the start); undefined after `within` milliseconds without a
   * change, or when it is ended. What changed between two calls comes as one, or is cut beyond as many bytes as
   * `size`, which is asked when there is something to read, gives. Errors: `DatabaseUnavailable`.
   */
  next(within: number, size?: () => Promise<number>): Promise<Changes | undefined>;
  /** Frees everything; may be called again. */
  end(): void;
}

export interface FollowLimits {
  /** The greatest number of followers of this instance, and of one room. */
  max: number;
  maxPerRoom: number;
  /** Things that are told at once. */
  length: number;
}

export interface Follows {
  /**
   * Follows a room from a revision on, or from now; what comes first is cut beyond `bytes`.
   * Errors: `room_not_found`, `unavailable`.
   */
  follow(viewer: Viewer, room: string, after?: number, bytes?: number): Promise<Follower>;
  /** The rooms that are followed. */
  rooms(): Iterable<string>;
  /** A room has moved: its followers look. */
  hear(change: Change): void;
  /** A room has gone back, or is gone: its followers are told all of it anew, or end. */
  rewind(room: string): void;
  /** Ends all followers, and those to come. */
  drain(): void;
}

/** The followers of one room, and the latest of its revisions that this instance has heard of. */
interface FollowedRoom {
  latest: number;
  /** How often it has gone back. */
  rewinds: number;
  followers: Set<{ wake(): void; leave(): void }>;
}

/** Reads that are remembered for those who ask for the same: each may hold a page of 1 MB. */
const SHARED_READS = 16;

/** The followers of this instance. `counted` is told of each that comes (1) and goes (-1). */
export function createFollows(
  database: Database,
  { max, maxPerRoom, length }: FollowLimits,
  counted: (by: 1 | -1) => void,
): Follows {
  const rooms = new Map<string, FollowedRoom>();
  const shared = new Map<string, { followed: FollowedRoom; reading: Promise<Changes> }>();
  let count = 0;
  let draining = false;

  /**
   * Those who ask for the same share a read, while it is under way and for a while after it found something. It
   * counts no longer once nobody follows the room: nobody hears then that more has changed.
   */
  function read(
    viewer: Viewer,
    room: string,
    followed: FollowedRoom,
    { after, bytes }: { after?: number; bytes?: number },
  ): Promise<Changes> {
    const name = keyFor(viewer, `${after} ${bytes} ${room}`);
    const known = shared.get(name);
    if (known?.followed === followed) return known.reading;
    const query = { after, bytes, limit: length };
    const { rewinds } = followed;
    const reading = readChanges(database, viewer, room, query).then((changes) => {
      const { revision, more, reset } = changes;
      if (after === undefined || reset || revision <= after) forget();
      if (followed.rewinds === rewinds) followed.latest = Math.max(followed.latest, revision + Number(more));
      return changes;
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
    const followed = rooms.get(room) ?? { latest: 0, rewinds: 0, followers: new Set() };
    if (count >= max) throw new Refusal("unavailable", { why: "followers", most: max });
    if (followed.followers.size >= maxPerRoom) {
      throw new Refusal("unavailable", { why: "followers_of_room", most: maxPerRoom });
    }
    return followed;
  }

  function subscribe(room: string) {
    const followed = admit(room);
    const follower = {
      wake() {},
      leave() {
        if (!followed.followers.delete(follower)) return;
        if (followed.followers.size === 0) rooms.delete(room);
        count--;
        counted(-1);
        follower.wake();
      },
    };
    rooms.set(room, followed);
    followed.followers.add(follower);
    count++;
    counted(1);
    if (draining) follower.leave();
    return { followed, follower };
  }

  return {
    async follow(viewer, room, after, bytes) {
      const { followed, follower } = subscribe(room);
      let first: Changes | undefined;
      try {
        // Subscribed first, so that no change falls between this look and those to come.
        first = await read(viewer, room, followed, after === undefined ? {} : { after, bytes });
      } catch (error) {
        follower.leave();
        throw error;
      }
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
          if (ended()) return undefined;
          if (!behind()) await moved(follower, within);
          if (ended() || !behind()) return undefined;
          const bytes = await size?.();
          const rewound = followed.rewinds > rewinds;
          rewinds = followed.rewinds;
          if (rewound) first = undefined;
          const after = rewound ? Number.MAX_SAFE_INTEGER : revision;
          const changes = first ?? await read(viewer, room, followed, { after, bytes });
          first = undefined;
          if (ended()) return undefined;
          revision = changes.revision;
          return isEmpty(changes) ? undefined : changes;
        },
        end: follower.leave,
      };
    },
    rooms: () => rooms.keys(),
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
    drain() {
      draining = true;
      for (const { followers } of rooms.values()) for (const { leave } of followers) leave();
    },
  };
}

function isEmpty({ state, agents, messages, reset }: Changes): boolean {
  return !reset && state.length + agents.length + messages.length === 0;
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
