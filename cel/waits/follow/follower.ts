import { type Changes, type ChangesPage, isEmpty } from "../../../db/snapshots/changes.ts";
import type { FollowedRoom, From, Subscription } from "./followed_room.ts";

/** One reader of a room's changes, which takes them at its own pace. */
export type Follower = ReturnType<typeof createFollower>;

/** What a follower stands on. `elapsed`: the database's, in milliseconds. */
interface Ground {
  followed: FollowedRoom;
  /** How often the room had gone back before the first read, which may have seen it as it was before. */
  rewinds: number;
  subscription: Subscription;
  read(from: From): Promise<ChangesPage>;
  elapsed(): number;
}

/** Creates a follower from the revision `after`, or from that of `page`, its first read. */
export function createFollower(
  { followed, subscription, read, elapsed, ...before }: Ground,
  page: ChangesPage,
  after?: number,
) {
  let first = isEmpty(page.changes) ? undefined : page;
  let { began, changes: { revision } } = page;
  if (first) revision = page.changes.reset ? 0 : after!;
  let { rewinds } = before;
  const ended = () => !followed.followers.has(subscription);
  const behind = () => first !== undefined || followed.latest > revision || followed.rewinds > rewinds;

  /** Returns the page after `revision`: the first one if it still holds, else one that it reads, cut beyond `bytes`. */
  async function take(bytes?: number): Promise<ChangesPage> {
    const rewound = followed.rewinds > rewinds;
    const known = rewound ? undefined : first;
    rewinds = followed.rewinds;
    first = undefined;
    return known ?? await read({ after: rewound ? Number.MAX_SAFE_INTEGER : revision, began, bytes });
  }

  return {
    /** The revision of the last changes that it received. */
    get revision() {
      return revision;
    },
    /** True once it was ended, or its instance drains: it receives nothing more. */
    get ended() {
      return ended();
    },
    /** True where the room may have changed since `revision`. */
    get behind() {
      return behind();
    },
    /**
     * Resolves with what changed since the last call, as soon as anything has; undefined after `within` milliseconds
     * without a change, or when it is ended. Where the room has gone back, the changes are a `reset` and start from the
     * beginning. They are cut beyond the bytes that `size` returns, which is called only when there is something to
     * read. Errors: `DatabaseUnavailable`.
     */
    async next(within: number, size?: () => Promise<number>): Promise<Changes | undefined> {
      // A change of which the viewer sees nothing is none.
      for (const end = elapsed() + within; !ended();) {
        if (!behind()) await woken(subscription, Math.max(0, end - elapsed()));
        if (ended() || !behind()) return undefined;
        const page = await take(await size?.());
        if (ended()) return undefined;
        const { changes } = page;
        revision = changes.revision;
        // A walk from the start is over with its last page.
        began = changes.more ? page.began : undefined;
        if (!isEmpty(changes)) return changes;
        if (elapsed() >= end) return undefined;
      }
    },
    /** Removes its timer and its subscription. Idempotent. */
    end: subscription.leave,
  };
}

/** Resolves when the follower is woken, or after `within` milliseconds. */
function woken(subscription: Subscription, within: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => subscription.wake(), within);
    subscription.wake = () => {
      clearTimeout(timer);
      subscription.wake = () => {};
      resolve();
    };
  });
}
