import { type Change, PARTS } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import type { Due } from "../../db/write/due.ts";
import { makeEndings } from "../../db/write/endings.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { lookAtRooms } from "../../db/rooms.ts";
import { SERVICE } from "../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { createFollows, type FollowLimits, type Follows } from "./follow.ts";
import { createInterval } from "./interval.ts";
import { createMark, type Mark } from "./mark.ts";
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
  /** Prepares this instance's end: answers every wait now, later ones at once, and ends all followers. */
  drain(): Promise<void>;
}

interface WatchOptions {
  /** The maximum milliseconds from one poll of the revisions to the next; more where a poll takes over half of that. */
  poll: number;
  /** The maximum number of waits that this instance holds. */
  max: number;
  followers: FollowLimits;
}

/**
 * The part of `poll` between two polls. It is drawn, so that instances do not poll at the same time, and below 1, since
 * what a poll finds must be loaded within the promised time.
 */
const [MIN_PART, MAX_PART] = [0.8, 0.9];

/** Rooms in one query: its answer is read without yielding. */
const ROOMS_AT_ONCE = 2_500;

/** The maximum time for the last read of a wait, from its timeout or from `drain`. */
const LAST_READ_MS = 1_500;

/**
 * Creates the waits of this instance. One query an interval polls the revisions of all watched rooms; a room that
 * changed is loaded once for all its waits. The writes of this instance wake them without the poll.
 */
export function createWatch(
  database: Database,
  reader: Reader,
  { poll, max, followers }: WatchOptions,
): Watch {
  const rooms = new Map<string, RoomWatch>();
  /** What the last poll found of each room. A room with lower revisions at the next poll has gone back. */
  let found = new Map<string, Change[]>();
  /** Rooms whose due endings are being written. */
  const ending = new Set<string>();
  const results = new Set<Promise<unknown>>();
  const marks = new Map<Waiter, Mark>();
  let waits = 0;
  let watchers = 0;
  let draining = false;
  const time = database.elapsed;
  const { advance, begin } = createRounds(database, reader, createShares(), poll);
  const polling = createInterval(() => poll * (MIN_PART + (MAX_PART - MIN_PART) * Math.random()), look);

  const follows = createFollows(database, followers, count);
  const queues = createQueues(database, (by) => {
    if (by === 1 && waits >= max) throw new Refusal("unavailable", { why: "waits", max });
    waits += by;
    count(by);
  });

  database.listen(hear);

  /** Counts waits and followers that begin (1) and end (-1). Polls while there are any. */
  function count(by: 1 | -1) {
    watchers += by;
    if (watchers === 0) polling.stop();
    else if (by === 1 && watchers === 1) polling.start();
  }

  function hear(change: Change) {
    const { room, part, revision } = change;
    follows.hear(change);
    queues.hear(change);
    const watch = rooms.get(room);
    if (!watch || watch.latest[part] >= revision) return;
    watch.latest[part] = revision;
    advance(watch);
  }

  /** Judges all waits of a room again that went back or is gone: its database was restored from a copy, or emptied. */
  function rewind(room: string, isThere: boolean) {
    follows.rewind(room);
    queues.rewind(room);
    const watch = rooms.get(room);
    if (!watch) return;
    for (const part of PARTS) watch.latest[part] = 0;
    for (const waiter of watch.waiters) {
      waiter.revision = -1;
      waiter.dueAtOnce = true; // even where it reads nothing of the room
      if (isThere) marks.get(waiter)?.renew();
    }
  }

  async function look() {
    const due: Due[] = [];
    try {
      const all = [...new Set([...rooms.keys(), ...follows.rooms(), ...queues.rooms()])];
      const looked = new Map<string, Change[]>();
      for (let from = 0; from < all.length; from += ROOMS_AT_ONCE) {
        if (isBusy()) await yieldToOthers();
        const some = all.slice(from, from + ROOMS_AT_ONCE);
        const there = await lookAtRooms(database, some);
        due.push(...there.due);
        for (const changes of there.changes) {
          const [{ room }] = changes as [Change];
          looked.set(room, changes);
          if (found.get(room)?.some(({ revision }, n) => revision > changes[n]!.revision)) rewind(room, true);
          changes.forEach(hear);
        }
        if (there.changes.length < some.length) {
          some.filter((room) => !looked.has(room)).forEach((room) => rewind(room, false));
        }
      }
      found = looked;
    } catch (error) {
      ignoreOutage(error);
    }
    for (const watch of rooms.values()) {
      if (isBusy()) await yieldToOthers();
      advance(watch);
    }
    queues.advance();
    for (const each of due) {
      if (isBusy()) await yieldToOthers();
      end(each);
    }
  }

  /** Writes a room's due endings, one write at a time. No poll awaits it: the database may be slow to take writes. */
  function end(due: Due) {
    if (ending.has(due.room)) return;
    ending.add(due.room);
    makeEndings(database, SERVICE, due).catch(ignoreOutage).finally(() => ending.delete(due.room));
  }

  /** Ignores an outage: the next poll finds what this one missed. */
  function ignoreOutage(error: unknown) {
    if (!(error instanceof DatabaseUnavailable)) console.error(error);
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
      unregistered: false,
      parts: [],
      revision: 0,
      judgedAt: 0,
      readsTime: false,
      final: draining || request.timeout === 0,
      dueAtOnce: false,
      settle(result) {
        if (!watch.waiters.delete(waiter)) return;
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
    return { waiter, watch, result: promise };
  }

  function markOf({ request: { room, agent, condition, timeout }, viewpoint, began }: Waiter) {
    if (agent === undefined) return undefined;
    const shown = { waitingOn: condition.source, until: began + timeout };
    return createMark(database, { room, agent, token: viewpoint.wait!, ...shown });
  }

  /** Takes the first look, and sets the mark if the wait goes on. */
  async function hold(waiter: Waiter, watch: RoomWatch, mark: Mark | undefined): Promise<void> {
    try {
      await begin(watch, waiter);
      advance(watch);
      if (watch.waiters.has(waiter) && !waiter.unregistered) mark?.set();
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
      const mark = markOf(waiter);
      if (mark) marks.set(waiter, mark);
      try {
        if (request.signal.aborted) leave();
        // Not awaited: the first look may outlast the wait.
        hold(waiter, watch, mark);
        return await result;
      } finally {
        request.signal.removeEventListener("abort", leave);
        clearTimeout(timer);
        marks.delete(waiter);
        await mark?.clear();
        results.delete(result);
      }
    },
    follow: follows.follow,
    createQueue: queues.create,
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
    },
  };
}

function giveUp(waiter: Waiter): void {
  waiter.settle(new DatabaseUnavailable("The database did not answer in time.", false));
}
