import { type Change, PARTS } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { createDepartures } from "./departures.ts";
import { createFollows, type FollowLimits, type Follows } from "./follow.ts";
import { createHints, type OpenChannel } from "./hints.ts";
import { createHolders } from "./holders.ts";
import { createLook } from "./look.ts";
import { createLooks } from "./looks.ts";
import { createMark, type Mark } from "./mark.ts";
import { createPace } from "./pace.ts";
import { createQueues, type Queues } from "./queue.ts";
import type { Reader } from "../rooms/reader.ts";
import { readsFrom } from "../language/dependencies.ts";
import { createRoomWatch, createRounds, type RoomWatch } from "./rounds.ts";
import { createShares } from "./shares.ts";
import type { Waiter, WaitRequest, WaitResult } from "./waiter.ts";

export interface Watch {
  /**
   * Resolves when the condition is truthy or the timeout is over; with undefined when the client has left. An
   * unregistered agent waits without a mark. Errors: `room_not_found`, `unavailable`.
   */
  wait(request: WaitRequest): Promise<WaitResult | undefined>;
  follow: Follows["follow"];
  /** Creates the queues of requests for what others may have. They count as waits. */
  createQueue: Queues["create"];
  /** What is under way at this instance. */
  counts(): { waits: number; streams: number };
  /** Prepares this instance's end: answers every wait now, later ones at once, and ends all followers. */
  drain(): Promise<void>;
}

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

/** The maximum time for the last read of a wait, from its timeout or from `drain`. */
const LAST_READ_MS = 1_500;

/**
 * Creates the waits of this instance. One query an interval looks at the revisions of all watched rooms, and more often
 * at those that other instances are changing (pace.ts); a room that changed is loaded once for all its waits. The writes
 * of this instance wake them without a look.
 */
export function createWatch(
  database: Database,
  reader: Reader,
  { poll, max, followers, channel }: WatchOptions,
): Watch {
  const rooms = new Map<string, RoomWatch>();
  const results = new Set<Promise<unknown>>();
  const marks = new Map<Waiter, Mark>();
  let waits = 0;
  let watchers = 0;
  let draining = false;
  const time = database.elapsed;
  const { advance, begin } = createRounds(database, reader, createShares(), poll);
  const holders = createHolders();
  const follows = createFollows(database, followers, { counted: count, holders });
  const departures = createDepartures(database);
  const queues = createQueues(database, departures, holders, (by) => {
    if (by === 1 && waits >= max) throw new Refusal("unavailable", { why: "waits", max });
    waits += by;
    count(by);
  });
  const isWatched = (room: string) => rooms.has(room) || follows.has(room) || queues.has(room);
  const pace = createPace(() => poll * (MIN_PART + (MAX_PART - MIN_PART) * Math.random()), isWatched);
  const look = createLook(database, {
    rooms: () => [...new Set([...rooms.keys(), ...follows.rooms(), ...queues.rooms()])],
    found: hearAll,
    rewound: rewind,
    madeAnew: endBefore,
  }, holders);
  const looks = createLooks(pace, async (which) => {
    await look(which);
    if (which === "all") await advanceAll();
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
    const { room, part, revision } = change;
    follows.hear(change);
    queues.hear(change);
    departures.hear(change);
    const watch = rooms.get(room);
    if (!watch || watch.latest[part] >= revision) return;
    watch.latest[part] = revision;
    advance(watch);
  }

  /** Hears what a look has found in a room. */
  function hearAll(changes: Change[]) {
    const [{ room }] = changes as [Change];
    if (changes.some(isNews)) pace.found(room, Math.max(...changes.map(({ revision }) => revision)));
    changes.forEach(hear);
  }

  /** Judges all waits of a room again that went back or is gone: its database was restored from a copy, or emptied. */
  function rewind(room: string, isThere: boolean) {
    follows.rewind(room);
    queues.rewind(room);
    departures.rewind(room);
    const watch = rooms.get(room);
    if (!watch) return;
    for (const part of PARTS) watch.latest[part] = 0;
    for (const waiter of watch.waiters) {
      waiter.revision = -1;
      waiter.dueAtOnce = true; // even where it reads nothing of the room
      if (isThere) marks.get(waiter)?.renew();
    }
    advance(watch);
  }

  /** Ends what waits for a room that was deleted, and of which another one has the id since the revision `first`. */
  function endBefore(room: string, first: number) {
    follows.endBefore(room, first);
    queues.endBefore(room, first);
    for (const { begun, revision, settle } of rooms.get(room)?.waiters ?? []) {
      if (begun && revision < first) settle(new Refusal("room_not_found", {}));
    }
  }

  /** Judges the waits that are due by the time. */
  async function advanceAll() {
    for (const watch of rooms.values()) {
      if (isBusy()) await yieldToOthers();
      advance(watch);
    }
    queues.advance();
    departures.advance();
  }

  /** True where a change that a look has found concerns a wait or follower, and none of them has seen it. */
  function isNews({ room, part, revision }: Change): boolean {
    const change = { room, part, revision };
    if (follows.isNews(change) || queues.isNews(change)) return true;
    const watch = rooms.get(room);
    if (!watch || watch.latest[part] >= revision) return false;
    for (const waiter of watch.waiters) {
      if (waiter.parts.includes(part) && waiter.revision < revision) return true;
    }
    return false;
  }

  function subscribe(
    request: WaitRequest,
  ): { waiter: Waiter; watch: RoomWatch; result: Promise<WaitResult | undefined> } {
    const { room } = request;
    const watch = rooms.get(room) ?? createRoomWatch(room, time());
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult | undefined>();
    const waiter: Waiter = {
      request,
      viewpoint: { self: request.agent ?? null, wait: database.newId() },
      reads: readsFrom(request.condition.reads, request.agent ?? null),
      misses: 0,
      began: time(),
      begun: false,
      parts: [],
      revision: 0,
      judgedAt: 0,
      readsTime: false,
      final: draining || request.timeout === 0,
      dueAtOnce: false,
      settle(result) {
        if (!watch.waiters.delete(waiter)) return;
        waiter.ended?.();
        if (watch.waiters.size === 0) rooms.delete(room);
        waits--;
        count(-1);
        if (result instanceof Error) reject(result);
        else resolve(result);
      },
    };
    rooms.set(room, watch);
    watch.waiters.add(waiter);
    waits++;
    count(1);
    join(room);
    return { waiter, watch, result: promise };
  }

  function markOf(
    { request: { viewer, room, agent, condition, timeout }, viewpoint, began, settle }: Waiter,
  ) {
    if (agent === undefined) return undefined;
    const shown = { waitingOn: condition.source, began, timeout };
    const by = { viewer, acts: { as: agent } };
    return createMark(database, { room, agent, by, token: viewpoint.wait!, ...shown }, settle);
  }

  /** Takes the first look. If the wait goes on and its agent is registered, sets the mark, and ends it if that leaves. */
  async function hold(waiter: Waiter, watch: RoomWatch, mark: Mark | undefined): Promise<void> {
    try {
      await begin(watch, waiter);
      advance(watch);
      const { registration, request: { room, agent }, settle } = waiter;
      if (!watch.waiters.has(waiter) || !registration) return;
      mark!.set();
      waiter.ended = departures.watch(room, { agent: agent!, ...registration, settle });
    } catch (error) {
      waiter.settle(error as Error);
    }
  }

  return {
    async wait(request) {
      if (waits >= max) throw new Refusal("unavailable", { why: "waits", max });
      const { waiter, watch, result } = subscribe(request);
      const leave = () => waiter.settle(undefined);
      const finish = () => {
        timer = setTimeout(giveUp, LAST_READ_MS, waiter);
        waiter.final = true;
        advance(watch);
      };
      let timer = setTimeout(finish, draining ? 0 : request.timeout);
      request.signal.addEventListener("abort", leave);
      results.add(result);
      const release = holders.hold(request.viewer, { hasBegun: () => waiter.begun, end: waiter.settle });
      const mark = markOf(waiter);
      if (mark) marks.set(waiter, mark);
      let isLeft = false;
      try {
        if (request.signal.aborted) leave();
        // Not awaited: the first look may outlast the wait.
        hold(waiter, watch, mark);
        // With the look where nothing else can bring it: what is answered at once is never marked.
        if (waiter.final) mark?.beat();
        const answer = await result;
        if (answer && waiter.registration !== null) await mark?.beat();
        isLeft = answer !== undefined && !answer.triggered;
        return answer;
      } finally {
        request.signal.removeEventListener("abort", leave);
        clearTimeout(timer);
        release();
        marks.delete(waiter);
        await (isLeft ? mark?.leave() : mark?.clear());
        results.delete(result);
      }
    },
    createQueue: queues.create,
    counts: () => ({ waits, streams: watchers - waits }),
    follow(viewer, room, ...from) {
      const follower = follows.follow(viewer, room, ...from);
      join(room);
      return follower;
    },
    async drain() {
      draining = true;
      follows.drain();
      const queued = queues.drain();
      for (const watch of rooms.values()) {
        watch.waiters.forEach((waiter) => waiter.final = true);
        advance(watch);
      }
      const giveUpAll = () => rooms.forEach(({ waiters }) => waiters.forEach(giveUp));
      const timer = setTimeout(giveUpAll, LAST_READ_MS);
      await Promise.allSettled([...results, queued]);
      clearTimeout(timer);
      hints.close();
    },
  };
}

function giveUp(waiter: Waiter): void {
  waiter.settle(new DatabaseUnavailable("The database did not answer in time.", false));
}
