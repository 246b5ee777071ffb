import { PARTS } from "../../../db/bus.ts";
import type { Database } from "../../../db/database.ts";
import { Refusal } from "../../../db/refusal.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import type { Departures } from "../departures.ts";
import type { Holders } from "../holders.ts";
import { createMark, type Mark } from "../mark.ts";
import type { Watched } from "../watched.ts";
import type { Reader } from "../../rooms/reader.ts";
import { giveUpLater } from "./give_up.ts";
import { createRoomWatch, createRounds, type RoomWatch } from "./rounds.ts";
import { createShares } from "./shares.ts";
import { createWaiter, type Waiter, type WaitRequest, type WaitResult } from "./waiter.ts";

/** The waits for conditions, for the instance's watch. */
interface ConditionWaits extends Watched {
  /** As `Watch.wait` (../watch.ts). */
  wait(request: WaitRequest): Promise<WaitResult | undefined>;
  /** Judges the waits that are due by the time. Yields in between. */
  advance(): Promise<void>;
  /** Answers every wait now, and later ones at once. */
  drain(): Promise<void>;
}

interface Surroundings {
  /** The maximum milliseconds between two calls of `advance`. */
  poll: number;
  departures: Departures;
  holders: Holders;
  /** Called with 1 for each wait that begins, which it may refuse by throwing, and with -1 for each that ends. */
  counted(by: 1 | -1): void;
  /** Called when a wait of a room has begun, before its first look. */
  began(room: string): void;
}

/** Creates the waits for conditions of this instance. */
export function createConditionWaits(
  database: Database,
  reader: Reader,
  { poll, departures, holders, counted, began }: Surroundings,
): ConditionWaits {
  const rooms = new Map<string, RoomWatch>();
  const results = new Set<Promise<unknown>>();
  const marks = new Map<Waiter, Mark>();
  let draining = false;
  const time = database.elapsed;
  const { advance, begin } = createRounds(database, reader, createShares(), poll);

  function subscribe(request: WaitRequest) {
    counted(1);
    const { room } = request;
    const watch = rooms.get(room) ?? createRoomWatch(room, time());
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult | undefined>();
    const waiter = createWaiter(request, {
      wait: database.newId(),
      began: time(),
      final: draining || request.timeout === 0,
      settle(result) {
        if (!watch.waiters.delete(waiter)) return;
        waiter.over = true;
        waiter.ended?.();
        if (watch.waiters.size === 0) rooms.delete(room);
        counted(-1);
        if (result instanceof Error) reject(result);
        else resolve(result);
      },
    });
    rooms.set(room, watch);
    watch.waiters.add(waiter);
    began(room);
    return { waiter, watch, result: promise };
  }

  function markOf({ request, viewpoint, began, settle }: Waiter) {
    const { viewer, room, agent, condition, timeout } = request;
    if (agent === undefined) return undefined;
    const shown = { waitingOn: condition.source, began, timeout };
    const by = { viewer, acts: { as: agent } };
    return createMark(database, { room, agent, by, token: viewpoint.wait!, ...shown }, settle);
  }

  /**
   * Takes the first look. If the wait goes on and its agent is registered, sets the mark, and ends it if that leaves.
   */
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
      const { waiter, watch, result } = subscribe(request);
      const leave = () => waiter.settle(undefined);
      const finish = () => {
        timers.push(...giveUpLater(() => [waiter]));
        waiter.final = true;
        advance(watch);
      };
      // A wait that only looks has the time of any request, which its caller limits.
      const timers = request.timeout === 0 ? [] : [setTimeout(finish, draining ? 0 : request.timeout)];
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
        timers.forEach(clearTimeout);
        release();
        marks.delete(waiter);
        await (isLeft ? mark?.leave() : mark?.clear());
        results.delete(result);
      }
    },
    rooms: () => rooms.keys(),
    has: (room) => rooms.has(room),
    isNews({ room, part, revision }) {
      const watch = rooms.get(room);
      if (!watch || watch.latest[part] >= revision) return false;
      for (const waiter of watch.waiters) {
        if (waiter.parts.includes(part) && waiter.revision < revision) return true;
      }
      return false;
    },
    hear({ room, part, revision }) {
      const watch = rooms.get(room);
      if (!watch || watch.latest[part] >= revision) return;
      watch.latest[part] = revision;
      advance(watch);
    },
    rewind(room, isThere) {
      const watch = rooms.get(room);
      if (!watch) return;
      for (const part of PARTS) watch.latest[part] = 0;
      for (const waiter of watch.waiters) {
        waiter.revision = -1;
        waiter.dueAtOnce = true; // even where it reads nothing of the room
        if (isThere) marks.get(waiter)?.renew();
      }
      advance(watch);
    },
    endBefore(room, first) {
      for (const { begun, revision, settle } of rooms.get(room)?.waiters ?? []) {
        if (begun && revision < first) settle(new Refusal("room_not_found", {}));
      }
    },
    async advance() {
      for (const watch of rooms.values()) {
        if (isBusy()) await yieldToOthers();
        advance(watch);
      }
    },
    async drain() {
      draining = true;
      for (const watch of rooms.values()) {
        watch.waiters.forEach((waiter) => waiter.final = true);
        advance(watch);
      }
      const timers = giveUpLater(() => [...rooms.values()].flatMap(({ waiters }) => [...waiters]));
      await Promise.allSettled(results);
      timers.forEach(clearTimeout);
    },
  };
}
