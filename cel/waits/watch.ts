import type { Change } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { Refusal } from "../../db/refusal.ts";
import { createDepartures } from "./departures.ts";
import { createFollows, type FollowLimits, type Follows } from "./follow/follow.ts";
import { createHints, type OpenChannel } from "./looks/hints.ts";
import { createHolders } from "./holders.ts";
import { createLook } from "./looks/look.ts";
import { createLooks } from "./looks/looks.ts";
import { createPace } from "./looks/pace.ts";
import { createQueues } from "./queues/queue.ts";
import type { Reader } from "../rooms/reader.ts";
import { createConditionWaits } from "./conditions/condition_waits.ts";
import type { Watched } from "./watched.ts";

export type Watch = ReturnType<typeof createWatch>;

interface WatchOptions {
  /** The maximum milliseconds from one look at all rooms to the next; more where a look takes over half of that. */
  poll: number;
  /** The maximum number of waits that this instance holds. */
  max: number;
  followers: FollowLimits;
  /** Brings hints of other instances' writes, where the runtime has it. */
  channel?: OpenChannel;
}

/**
 * The part of `poll` between two looks at all rooms. It is drawn, so that instances do not look at the same time, and
 * below 1, since what a look finds must be loaded within the promised time.
 */
const [MIN_PART, MAX_PART] = [0.8, 0.9];

/**
 * Creates the waits of this instance. One query an interval looks at the revisions of all watched rooms, and more often
 * at those that other instances are changing (looks/pace.ts); a room that changed is loaded once for all its waits. The
 * writes of this instance wake them without a look.
 */
export function createWatch(
  database: Database,
  reader: Reader,
  { poll, max, followers, channel }: WatchOptions,
) {
  let waits = 0;
  let watchers = 0;
  const holders = createHolders();
  const follows = createFollows(database, followers, { counted: count, holders });
  const departures = createDepartures(database);
  const queues = createQueues(database, departures, holders, countWait);
  const conditions = createConditionWaits(database, reader, {
    poll,
    departures,
    holders,
    counted: countWait,
    began: join,
  });
  const kinds: Watched[] = [follows, queues, conditions];
  const isWatched = (room: string) => kinds.some((kind) => kind.has(room));
  const pace = createPace(() => poll * (MIN_PART + (MAX_PART - MIN_PART) * Math.random()), isWatched);
  const look = createLook(database, {
    rooms: () => [...new Set(kinds.flatMap((kind) => [...kind.rooms()]))],
    found: hearAll,
    rewound: rewind,
    madeAnew: endBefore,
  }, holders);
  const looks = createLooks(pace, async (which) => {
    await look(which);
    if (which !== "all") return;
    // Serves what is due by the time.
    await conditions.advance();
    queues.advance();
    departures.advance();
  });

  const hints = createHints(channel, (room) => {
    if (isWatched(room) && pace.hinted(room)) looks.hasten();
  });

  database.listen((change) => {
    pace.isOwn(change.room, change.revision);
    hear(change);
    hints.tell(change.room);
  });

  database.listenToDeletions((room) => {
    rewind(room, false);
    hints.tell(room);
  });

  /** Counts waits that begin (1) and end (-1). Errors: `unavailable` where there are too many. */
  function countWait(by: 1 | -1) {
    if (by === 1 && waits >= max) throw new Refusal("unavailable", { why: "waits", max });
    waits += by;
    count(by);
  }

  /** Counts waits and followers that begin (1) and end (-1). Looks while there are any. */
  function count(by: 1 | -1) {
    watchers += by;
    if (watchers === 0) {
      looks.stop();
      hints.mute();
    } else if (by === 1 && watchers === 1) {
      looks.start();
      hints.listen();
    }
  }

  /** Notes that a wait or follower of a room begins, which reads it first. */
  function join(room: string) {
    if (pace.joined(room, performance.now())) looks.hasten();
  }

  function hear(change: Change) {
    departures.hear(change);
    for (const kind of kinds) kind.hear(change);
  }

  /** Hears what a look has found in a room: perhaps what concerns a wait or follower, and none of them has seen. */
  function hearAll(changes: Change[]) {
    const [{ room }] = changes as [Change];
    const isNews = kinds.some((kind) => changes.some(kind.isNews));
    if (isNews) pace.found(room, Math.max(...changes.map(({ revision }) => revision)));
    changes.forEach(hear);
  }

  /** Has a room read again that went back or is gone: its database was restored from a copy, or emptied. */
  function rewind(room: string, isThere: boolean) {
    departures.rewind(room);
    for (const kind of kinds) kind.rewind(room, isThere);
  }

  /** Ends what waits for a room that was deleted, and of which another one has the id since the revision `first`. */
  function endBefore(room: string, first: number) {
    for (const kind of kinds) kind.endBefore(room, first);
  }

  return {
    /**
     * Resolves when the condition is truthy or the timeout is over; with undefined when the client has left. An
     * unregistered agent waits without a mark. Errors: `room_not_found`, `unavailable`.
     */
    wait: conditions.wait,
    /** Creates the queues of requests for what others may have. They count as waits. */
    createQueue: queues.create,
    /** What is under way at this instance. */
    counts: () => ({ waits, streams: watchers - waits }),
    follow: ((viewer, room, ...from) => {
      const follower = follows.follow(viewer, room, ...from);
      join(room);
      return follower;
    }) satisfies Follows["follow"],
    /** Prepares this instance's end: answers every wait now, later ones at once, and ends all followers. */
    async drain() {
      follows.drain();
      await Promise.all([queues.drain(), conditions.drain()]);
      hints.close();
    },
  };
}
