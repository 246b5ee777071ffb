/**
 * The minimum pause after a look at all rooms, as a fraction of the interval: a slow look may be the overload itself.
 */
const MIN_REST = 0.5;

/** The minimum milliseconds from one look to a quick one, whatever looks find. */
export const QUICK_MS = 25;

/** The pause between quick looks at a room, as a fraction of the time since one of them found a change. */
const GROWTH = 1 / 12;

/** The maximum number of rooms that quick looks serve: those in which a change was found most recently. */
export const MAX_QUICK_ROOMS = 100;

/** A room that other instances have changed lately. Times are by the clock of the looks, in milliseconds. */
interface Conversation {
  /** When the look began that last found a change. */
  foundAt: number;
  lookedAt: number;
  /** The revision that was found. */
  revision: number;
  /** The conversation before this find. */
  before?: Conversation;
}

/** What to look at: all watched rooms, or some. */
export type Rooms = "all" | string[];

/**
 * Decides when an instance looks for the changes of others. All rooms are looked at once an interval. A room in which a
 * look has found another instance's change is looked at again after `QUICK_MS`, then less and less often, until its
 * turn comes no sooner than that of all rooms. It holds no timer and no clock: times are passed in.
 */
export type Pace = ReturnType<typeof createPace>;

/** Creates a pace. `interval`: the milliseconds to the next look at all rooms; `isWatched`: what else is looked at. */
export function createPace(interval: () => number, isWatched: (room: string) => boolean) {
  const conversations = new Map<string, Conversation>();
  const hints = new Set<string>();
  let ms = interval();
  let all = { began: 0, ended: 0 };
  let last = { began: 0, ended: 0 };

  const allAt = () => Math.max(all.began + ms, all.ended + ms * MIN_REST);

  /** When a room is to be looked at again. Forgets one that all rooms' looks serve as well. */
  function dueAt(room: string, { foundAt, lookedAt }: Conversation): number {
    const pause = Math.max(QUICK_MS, (lookedAt - foundAt) * GROWTH);
    if (pause < ms) return lookedAt + pause;
    conversations.delete(room);
    return Infinity;
  }

  function quickAt(): number {
    let first = Infinity;
    for (const [room, conversation] of conversations) {
      if (isWatched(room)) first = Math.min(first, dueAt(room, conversation));
    }
    for (const room of hints) {
      if (isWatched(room)) first = -Infinity;
      else hints.delete(room);
    }
    // Looks at a slow database take at most half of the time.
    return Math.max(first, last.began + QUICK_MS, last.ended + (last.ended - last.began));
  }

  return {
    /** Looks at all rooms an interval after `now`, when there was nothing to look at before. */
    start(now: number): void {
      ms = interval();
      all = { began: now, ended: now };
    },
    /** The time of the next look. */
    next: () => Math.min(allAt(), quickAt()),
    /** Begins a look and returns the rooms. Looks never overlap: `end` comes first. */
    begin(now: number): Rooms {
      last = { began: now, ended: now };
      // Looks at all rooms a little sooner, in place of a quick look just before.
      if (now + QUICK_MS >= allAt()) {
        ms = interval();
        all = last;
        hints.clear();
        for (const conversation of conversations.values()) conversation.lookedAt = now;
        return "all";
      }
      const due = [...conversations].filter(([room, conversation]) =>
        isWatched(room) && dueAt(room, conversation) <= now + QUICK_MS / 2
      );
      for (const [, conversation] of due) conversation.lookedAt = now;
      const rooms = new Set([...due.map(([room]) => room), ...hints].filter(isWatched));
      hints.clear();
      return [...rooms];
    },
    end(now: number): void {
      last.ended = now;
    },
    /** Notes that the last look found another instance's change. */
    found(room: string, revision: number): void {
      const before = conversations.get(room);
      conversations.delete(room);
      const at = last.began;
      conversations.set(room, {
        foundAt: at,
        lookedAt: at,
        revision,
        before: before && { ...before, before: undefined },
      });
      if (conversations.size > MAX_QUICK_ROOMS) conversations.delete(conversations.keys().next().value!);
    },
    /** Undoes `found` of this revision: it was this instance's own write, whose answer came after the look's. */
    isOwn(room: string, revision: number): void {
      const conversation = conversations.get(room);
      if (conversation?.revision !== revision) return;
      if (conversation.before) {
        conversations.set(room, { ...conversation.before, lookedAt: conversation.lookedAt });
      } else conversations.delete(room);
    },
    /**
     * Notes that another instance says that it has written a room, which is looked at once more as soon as a quick look
     * may. Returns whether this makes `next` come sooner.
     */
    hinted(room: string): boolean {
      if (hints.has(room) || hints.size >= MAX_QUICK_ROOMS) return false;
      hints.add(room);
      return hints.size === 1;
    },
    /** Notes that a room is now watched, and was read for that. Returns whether this makes `next` come sooner. */
    joined(room: string, now: number): boolean {
      const conversation = conversations.get(room);
      if (conversation) conversation.lookedAt = now;
      return conversation !== undefined;
    },
  };
}
