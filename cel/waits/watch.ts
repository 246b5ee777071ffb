import { type Change, PARTS } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { type Due, makeEndings } from "../../db/write/endings.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { lookAtRooms } from "../../db/rooms.ts";
import { SERVICE } from "../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { createFollows, type FollowLimits, type Follows } from "./follow.ts";
import { createInterval } from "./interval.ts";
import { createMark, type Mark } from "./mark.ts";
import type { Reader } from "../rooms/reader.ts";
import { createRoomWatch, createRounds, type RoomWatch } from "./rounds.ts";
import { createShares } from "./shares.ts";
import type { Waiter, WaitRequest, WaitResult } from "./waiter.ts";

export interface Watch {
  /**
   * Resolves when the condition is truthy or the time is over; undefined when the client left.
   * An agent that is not registered waits without a mark. Errors: `room_not_found`, `unavailable`.
   */
  wait(request: WaitRequest): Promise<WaitResult | undefined>;
  follow: Follows["follow"];
  /** Answers every wait now, and from now on at once, and ends all followers: this instance is about to end. */
  drain(): Promise<void>;
}

export interface WatchOptions {
  /**
   * Milliseconds from one look at the revisions of the rooms that are waited for to the next, at the most; longer
   * where a look itself takes more than half of it.
   */
  poll: number;
  /** The greatest number of waits that this instance holds. */
  max: number;
  followers: FollowLimits;
}

/** Instances look at times of their own, and sooner than promised: what is found must be loaded as well. */
const [SOONEST, LATEST] = [0.8, 0.9];

/** Rooms that are asked for at once: their answer is read without yielding. */
const ROOMS_AT_ONCE = 2_500;

/** A wait that the database keeps from its last read ends this much after its time, or after its instance was told to. */
const LAST_READ_MS = 1_500;

/**
 * The waits of this instance. One query an interval asks for the revisions of all rooms that are waited for; a
 * room that moved is loaded once for all its waits. The writes of this instance wake them without the poll.
 */
export function createWatch(
  database: Database,
  reader: Reader,
  { poll, max, followers }: WatchOptions,
): Watch {
  const rooms = new Map<string, RoomWatch>();
  /** What the last look found of each room. A room that has less at the next one has gone back. */
  let found = new Map<string, Change[]>();
  /** Rooms in which what is due is being ended. */
  const ending = new Set<string>();
  const results = new Set<Promise<unknown>>();
  const marks = new Map<Waiter, Mark>();
  let waits = 0;
  let lookers = 0;
  let draining = false;
  const time = database.elapsed;
  const { advance, begin } = createRounds(database, reader, createShares(), poll);
  const looking = createInterval(() => poll * (SOONEST + (LATEST - SOONEST) * Math.random()), look);

  const follows = createFollows(database, followers, count);

  database.listen(hear);

  /** A wait or a follower comes (1) or goes (-1): somebody has to look for as long as there are any. */
  function count(by: 1 | -1) {
    lookers += by;
    if (lookers === 0) looking.stop();
    else if (by === 1 && lookers === 1) looking.start();
  }

  function hear(change: Change) {
    const { room, part, revision } = change;
    follows.hear(change);
    const watch = rooms.get(room);
    if (!watch || watch.latest[part] >= revision) return;
    watch.latest[part] = revision;
    advance(watch);
  }

  /** A room has gone back, or is gone: its database was restored from a copy, or emptied. All is looked at anew. */
  function rewind(room: string, isThere: boolean) {
    follows.rewind(room);
    const watch = rooms.get(room);
    if (!watch) return;
    for (const part of PARTS) watch.latest[part] = 0;
    for (const waiter of watch.waiters) {
      waiter.revision = -1;
      waiter.dueAtOnce = true; // also where it reads nothing of the room
      if (isThere) marks.get(waiter)?.renew();
    }
  }

  async function look() {
    const due: Due[] = [];
    try {
      const all = [...new Set([...rooms.keys(), ...follows.rooms()])];
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
      skip(error);
    }
    for (const watch of rooms.values()) {
      if (isBusy()) await yieldToOthers();
      advance(watch);
    }
    for (const each of due) {
      if (isBusy()) await yieldToOthers();
      end(each);
    }
  }

  /** Ends what is due, once at a time in each room. No look waits for it: the database may be slow to take writes. */
  function end(due: Due) {
    if (ending.has(due.room)) return;
    ending.add(due.room);
    makeEndings(database, SERVICE, due).catch(skip).finally(() => ending.delete(due.room));
  }

  /** The next look catches up. */
  function skip(error: unknown) {
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

  /** Takes the first look, and shows the wait to all if it goes on. */
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
      if (waits >= max) throw new Refusal("unavailable", { why: "waits", most: max });
      const { waiter, watch, result } = subscribe(request);
      const leave = () => waiter.settle(undefined);
      const finish = () => {
        timer = setTimeout(lose, LAST_READ_MS, waiter);
        waiter.final = true;
        advance(watch);
      };
      let timer = setTimeout(finish, draining ? 0 : request.timeout);
      request.signal.addEventListener("abort", leave);
      results.add(result);
      const mark = request.agent === undefined ? undefined : createMark(database, waiter);
      if (mark) marks.set(waiter, mark);
      try {
        if (request.signal.aborted) leave();
        // Not awaited: the first look may hang for longer than the wait lasts.
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
    async drain() {
      draining = true;
      follows.drain();
      for (const watch of rooms.values()) {
        watch.waiters.forEach((waiter) => waiter.final = true);
        advance(watch);
      }
      const loseAll = () => rooms.forEach(({ waiters }) => waiters.forEach(lose));
      const timer = setTimeout(loseAll, LAST_READ_MS);
      await Promise.allSettled(results);
      clearTimeout(timer);
    },
  };
}

function lose(waiter: Waiter): void {
  waiter.settle(new DatabaseUnavailable("The database did not answer in time.", false));
}
