import { pause } from "../../../db/pause.ts";
import type { Part } from "../../../db/bus.ts";
import { FIRST_PAGE_BYTES, FIRST_PAGE_WEIGHT, PAGE_BYTES } from "../../../db/consistent_read/listing.ts";
import type { Database } from "../../../db/database.ts";
import { isRefusal } from "../../../db/refusal.ts";
import { keyFor } from "../../../db/viewer.ts";
import { judgeActs, unprovenActors } from "../../../db/write/acts.ts";
import { weightOfReads } from "../../../db/snapshots/snapshot_sql.ts";
import { runAsTask } from "../../../db/yield.ts";
import { NOTHING } from "../../rooms/definitions.ts";
import { registrationAt } from "../departures.ts";
import { inTime } from "../in_time.ts";
import { completeInclude, queriesOfInclude } from "./include.ts";
import type { Reader, RoomData } from "../../rooms/reader.ts";
import { type Reads, unionReads } from "../../language/dependencies.ts";
import { createAccounts, MAX_REST_MS, MIN_COST_MS, type Shares, type Weight } from "./shares.ts";
import { judgeAll, type Turns } from "./judge_waiters.ts";
import { failAll, hasMoved, isAlone, isAnswerable, loadable, readsOf, type Waiter } from "./waiter.ts";

/** The waits of one room, and the latest revision of each part that this instance knows of. */
export interface RoomWatch {
  readonly room: string;
  readonly waiters: Set<Waiter>;
  readonly latest: Record<Part, number>;
  /** Waits whose first look has not started. */
  newcomers: Newcomer[];
  /** First looks in progress. */
  beginning: number;
  busy: boolean;
  /** Waits that read the time are due if they were last judged before this. */
  timedAt: number;
}

interface Newcomer {
  waiter: Waiter;
  resolve(): void;
  reject(error: unknown): void;
}

const TIMED_EVERY_MS = 1_000;
/** Milliseconds by which a wait that only the time makes due may be judged early, and its load may start late. */
const LATER_MS = 50;
/** The maximum number of a room's first looks in flight. Waits that begin meanwhile share the next one. */
const BEGINNINGS = 2;
/** First looks that take longer no longer delay others: they may never end. */
const OVERDUE_MS = 1_000;
/** The length beyond which what a read of lists brings is large: it takes more than two round trips. */
const LARGE = FIRST_PAGE_BYTES + PAGE_BYTES;

/** Creates an empty watch. Its random `timedAt` spreads rooms whose waits read the time over the second. */
export function createRoomWatch(room: string, now: number): RoomWatch {
  return {
    room,
    waiters: new Set(),
    latest: { state: 0, private: 0, agents: 0, departures: 0, messages: 0, reservations: 0, meta: 0 },
    newcomers: [],
    beginning: 0,
    busy: false,
    timedAt: now - TIMED_EVERY_MS * Math.random(),
  };
}

/** Loads and judges the waits of rooms. `poll`: the maximum milliseconds between two calls of `advance`. */
export function createRounds(database: Database, reader: Reader, shares: Shares, poll: number) {
  const time = database.elapsed;
  const accountOf = createAccounts();

  /** Judges the room's due waits until none is due. A change during a round leads to another round. */
  async function advance(watch: RoomWatch) {
    if (watch.busy) return;
    watch.busy = true;
    try {
      for (let due = dueOf(watch); due.waiters.length > 0; due = dueOf(watch)) {
        const groups = groupsOf(due.waiters).map((waiters) => judged(watch, waiters, due.later));
        const cost = Math.max(...await Promise.all(groups));
        if (cost >= MIN_COST_MS) await pause(Math.min(cost, MAX_REST_MS));
      }
    } catch (error) {
      failAll(watch.waiters, error);
    } finally {
      watch.busy = false;
    }
  }

  function dueOf(watch: RoomWatch) {
    const now = time();
    if (now + poll + LATER_MS >= watch.timedAt + TIMED_EVERY_MS) watch.timedAt = now;
    let later = LATER_MS;
    const waiters = [...watch.waiters].filter((waiter) => {
      const { begun, final, dueAtOnce, readsTime, judgedAt } = waiter;
      const atOnce = final || dueAtOnce || hasMoved(waiter, watch.latest);
      if (begun && atOnce) later = 0;
      return begun && (atOnce || readsTime && judgedAt < watch.timedAt);
    });
    return { later, waiters };
  }

  /** Judges waits with one load. Returns the milliseconds that their evaluations took. */
  async function judged(watch: RoomWatch, due: Waiter[], later: number): Promise<number> {
    const waiters = loadable(due);
    const answerable = new Set(waiters.filter(isAnswerable));
    const data = await load(watch, waiters, { later }).catch((error) => refuseHolder(error, due));
    if (data === undefined) return 0;
    return (await judgeAll({ waiters, answerable }, data, time(), turnsOf(watch, waiters))).cost;
  }

  function turnsOf({ room }: RoomWatch, waiters: Waiter[]): Turns {
    const account = accountOf(waiters[0]!.request.viewer, room);
    return { run: (length, piece) => shares.work(account, length, piece), steps: account.steps };
  }

  /** Loads what waits read; with the `agents` that begin to wait, and which of them the viewer may not act as. */
  function load(
    { room }: RoomWatch,
    waiters: Waiter[],
    { later = 0, agents = [] }: { later?: number; agents?: string[] },
  ): Promise<RoomData> {
    const { viewer, include } = waiters[0]!.request;
    const account = accountOf(viewer, room);
    const alone = isAlone(waiters[0]!);
    const extra = alone ? queriesOfInclude(viewer, room, include) : [];
    const reads = unionReads([...new Set(waiters.map(readsOf)), { ...NOTHING, agents }]);
    const actors = agents.flatMap((as) => unprovenActors({ viewer, acts: { as } }));
    const weight = weightOfLoad(reads, extra.length);
    const run = async () => {
      const data = await reader.load(viewer, room, reads, extra, { actors });
      if (alone) await completeInclude(database, viewer, room, include, data.snapshot.extra);
      if (weight.lists > 0) account.isLarge = data.snapshot.size > LARGE;
      return data;
    };
    return shares.load(account, weight, alone ? () => runAsTask(run) : run, later);
  }

  function enqueue(watch: RoomWatch, newcomer: Newcomer) {
    watch.newcomers.push(newcomer);
    beginAll(watch);
  }

  async function beginAll(watch: RoomWatch) {
    if (watch.beginning >= BEGINNINGS) return;
    watch.beginning++;
    while (watch.newcomers.length > 0) {
      const byWaiter = new Map(watch.newcomers.splice(0).map((newcomer) => [newcomer.waiter, newcomer]));
      for (const waiter of byWaiter.keys()) waiter.dueAtOnce = true;
      const groups = groupsOf([...byWaiter.keys()]);
      const looks = groups.map((waiters) => firstLook(watch, waiters.map((waiter) => byWaiter.get(waiter)!)));
      await inTime(Promise.all(looks), OVERDUE_MS);
    }
    watch.beginning--;
  }

  async function firstLook(watch: RoomWatch, newcomers: Newcomer[]) {
    try {
      const waiters = loadable(newcomers.map(({ waiter }) => waiter));
      const [looked, answerable] = [new Set(waiters), new Set(waiters.filter(isAnswerable))];
      const agents = [...new Set(waiters.flatMap(({ request: { agent } }) => agent ?? []))];
      const data = await load(watch, waiters, { agents });
      if (data.snapshot.guarded) refuseOthers(waiters, data.snapshot.secured);
      const joined = new Map(data.snapshot.agents.map((agent) => [agent.id, agent.joined]));
      for (const waiter of waiters) {
        const { agent } = waiter.request;
        if (agent !== undefined && waiter.registration === undefined) {
          waiter.registration = registrationAt(data.snapshot.revisions.revision, joined.get(agent));
        }
      }
      const { left } = await judgeAll({ waiters, answerable }, data, time(), turnsOf(watch, waiters));
      for (const newcomer of newcomers) {
        if (left.has(newcomer.waiter) || !looked.has(newcomer.waiter)) enqueue(watch, newcomer);
        else newcomer.resolve();
      }
    } catch (error) {
      for (const { reject } of newcomers) reject(error);
    }
  }

  /** Ends the waits of a viewer whose token is not in force any more; those of others go on. */
  function refuseHolder(error: unknown, waiters: Waiter[]): undefined {
    const ofToken = isRefusal(error, "unauthenticated") || isRefusal(error, "room_not_found");
    if (waiters[0]!.request.viewer.token === undefined || !ofToken) throw error;
    for (const waiter of waiters) waiter.settle(error as Error);
  }

  return {
    advance,
    /**
     * Takes a wait's first look, with all that its answer may include, and sets `registration`. Waits that begin at
     * once share it. Errors: `room_not_found`, `unavailable`.
     */
    begin: (watch: RoomWatch, waiter: Waiter) =>
      new Promise<void>((resolve, reject) => {
        const begun = () => {
          waiter.begun = true;
          resolve();
        };
        enqueue(watch, { waiter, resolve: begun, reject });
      }),
  };
}

/** Ends the waits of agents as which their viewer may not act. */
function refuseOthers(waiters: Waiter[], secured: string[]): void {
  for (const { request: { viewer, agent }, settle } of waiters) {
    const refusal = agent && judgeActs({ viewer, acts: { as: agent } }, { writes: false, secured });
    if (refusal) settle(refusal);
  }
}

/**
 * Groups waits by what one load can serve: a viewer's waits that need only what they read, or that include the same.
 */
function groupsOf(waiters: Waiter[]): Waiter[][] {
  const groups = Map.groupBy(
    waiters,
    (waiter) => keyFor(waiter.request.viewer, isAlone(waiter) ? JSON.stringify(waiter.request.include) : ""),
  );
  return [...groups.values()];
}

function weightOfLoad(reads: Reads, further: number): Weight {
  const { named, lists: own } = weightOfReads(reads);
  const lists = own + Number(reads.facts.id.length > 0) + further;
  return { weight: named + FIRST_PAGE_WEIGHT * lists, lists };
}
