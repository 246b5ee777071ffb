import type { Database } from "../../../db/database.ts";
import { Refusal } from "../../../db/refusal.ts";
import type { Viewer } from "../../../db/viewer.ts";
import { createChangesReads, type FollowedRoom, type From, type Subscription } from "./followed_room.ts";
import { createFollower, type Follower } from "./follower.ts";
import type { Holders } from "../holders.ts";
import type { Watched } from "../watched.ts";

export interface FollowLimits {
  /** The maximum number of followers of this instance; `maxPerRoom`: of one room. */
  max: number;
  maxPerRoom: number;
  /** The maximum number of entries, agents and messages in one answer. */
  length: number;
}

/** The followers of rooms, which are read from the start where a room went back. */
export interface Follows extends Watched {
  /**
   * Follows a room from the revision `after`, or from now; the first changes are cut beyond `bytes`.
   * Errors: `room_not_found`, `unavailable`.
   */
  follow(viewer: Viewer, room: string, after?: number, bytes?: number): Promise<Follower>;
  /** Ends all followers, and every later one at once. */
  drain(): void;
}

/** Creates the followers of this instance. Calls `counted` with 1 for each that begins and -1 for each that ends. */
export function createFollows(
  database: Database,
  { max, maxPerRoom, length }: FollowLimits,
  { counted, holders }: { counted: (by: 1 | -1) => void; holders: Holders },
): Follows {
  const rooms = new Map<string, FollowedRoom>();
  const { read, forget } = createChangesReads(database, length);
  let count = 0;
  let draining = false;

  /** Errors: `unavailable` where there are too many followers. */
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
    const subscription: Subscription = {
      begun: false,
      wake() {},
      leave() {
        if (!followed.followers.delete(subscription)) return;
        release();
        if (followed.followers.size === 0) rooms.delete(room);
        count--;
        counted(-1);
        subscription.wake();
      },
    };
    const release = holders.hold(viewer, { hasBegun: () => subscription.begun, end: subscription.leave });
    rooms.set(room, followed);
    followed.followers.add(subscription);
    count++;
    counted(1);
    if (draining) subscription.leave();
    return { followed, subscription };
  }

  return {
    async follow(viewer, room, after, bytes) {
      const { followed, subscription } = subscribe(viewer, room);
      const { rewinds } = followed;
      try {
        // Subscribes before it reads, so that no change is missed in between.
        const page = await read(viewer, room, followed, after === undefined ? {} : { after, bytes });
        subscription.begun = true;
        const ground = {
          followed,
          rewinds,
          subscription,
          elapsed: database.elapsed,
          read: (from: From) => read(viewer, room, followed, from),
        };
        return createFollower(ground, page, after);
      } catch (error) {
        subscription.leave();
        throw error;
      }
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
      forget(followed);
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
