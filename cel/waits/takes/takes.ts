import type { Part } from "../../../db/bus.ts";
import type { Database } from "../../../db/database.ts";
import {
  type Noticed,
  type Registration,
  selectRegistrations,
  toRegistrations,
} from "../../../db/agents/registration.ts";
import { DatabaseUnavailable } from "../../../db/driver/faults.ts";
import type { Statement } from "../../../db/driver/statement.ts";
import { releaseClaim } from "../../../db/messages/finish.ts";
import type { Message } from "../../../db/messages/message.ts";
import { reachedOf, takenOf, takeTask } from "../../../db/messages/take.ts";
import { selectThere } from "../../../db/messages/open.ts";
import { recordHeartbeat } from "../../../db/agents/heartbeat.ts";
import { revisionOf, ROOM_CURRENT } from "../../../db/rooms/room.ts";
import { Refusal } from "../../../db/refusal.ts";
import { MAX_WAIT_MS } from "../../../db/serialize.ts";
import type { Operation } from "../../../db/write/context.ts";
import { SERVICE, type Viewer } from "../../../db/viewer.ts";
import { readCurrent } from "../../../db/write/current.ts";
import type { Expression, Failure } from "../../rooms/expression.ts";
import { readsViews } from "../../rooms/definitions.ts";
import type { Reader } from "../../rooms/reader.ts";
import {
  giveBack,
  ownWrite,
  type Queued,
  type QueueRequest,
  settleFailed,
  unqueued,
} from "../queues/queued.ts";
import { createTakeChains } from "./take_chains.ts";
import type { Asked, Take, Try } from "./take_look.ts";
import { partsOf } from "../conditions/waiter.ts";
import type { Watch } from "../watch.ts";

/**
 * What was taken; or that there was nothing, with where to look further, why the last one could not be judged, and
 * whether nothing of the kind was ever posted.
 */
export type TakeAnswer =
  & Noticed
  & { revision: number }
  & (
    | { message: Message }
    | { message?: undefined; unknown: boolean; next?: number; failure?: Failure }
  );

interface TakeRequest extends QueueRequest, Omit<Take, "write" | "isOver" | "waits"> {}

type Waiting = Queued<TakeRequest, Try>;

/** The number of takes that are tried without first counting what there is to take. */
const FEW = 4;

/** Creates the takes of this instance. Those that wait for a task of a room queue up (queues/queue.ts). */
export function createTaking(database: Database, reader: Reader, watch: Watch) {
  const chains = createTakeChains(database, reader);
  const looks = ({ where, thread }: Asked) => where !== undefined || thread !== undefined;

  /** Takes by the filters alone, which the database does. */
  async function takeFirst(room: string, take: Take, before?: Registration): Promise<Try> {
    const { asked, context, write, waits } = take;
    const wanted = { ...asked, room };
    const { outcome, joined } =
      (await write(() => takeTask(database, context, wanted, { joined: before, waits })))!;
    return { outcome, joined, next: reachedOf(outcome) };
  }

  /** Counts what there is for takes that want the same, so that only as many try as there are messages for. */
  async function withChances(room: string, queued: Waiting[]) {
    if (queued.length <= FEW) return { waiting: queued };
    const groups = [...Map.groupBy(queued, wantedBy).values()];
    const counted: Statement[] = groups.map((group) => {
      const { asked } = group[0]!.request;
      return selectThere({ ...asked, room }, group.map(({ request }) => request.asked.to ?? request.agent));
    });
    const newcomers = queued.filter(({ joined }) => joined === undefined);
    const [rooms, agents, ...found] = await readCurrent(database, SERVICE, [
      { sql: ROOM_CURRENT, args: { room } },
      selectRegistrations(room, newcomers.map(({ request }) => request.agent)),
      ...counted,
    ]);
    const registrations = toRegistrations(agents!);
    for (const one of newcomers) one.joined = registrations.get(one.request.agent) ?? null;
    const waiting = groups.flatMap((group, n) => {
      const own = new Set<string>(JSON.parse(found[n]![0]!.own as string));
      let free = Number(found[n]![0]!.free);
      return group.filter(({ request: { asked } }) => {
        if (own.has(asked.to ?? asked.agent)) return true;
        return asked.to === undefined && free-- > 0;
      });
    });
    return { waiting, revision: revisionOf(rooms!) };
  }

  const queue = watch.createQueue<TakeRequest, Try>({
    isJudging: chains.isJudging,
    async serve(room, queued) {
      const lookers = queued.filter(({ request }) => looks(request.asked));
      const others = queued.filter(({ request }) => !looks(request.asked));
      const { waiting, revision = Infinity } = await withChances(room, others);
      let seen = revision; // of those who got nothing
      const settle = async (one: Waiting, trying: Promise<Try>) => {
        try {
          const tried = await trying;
          if (one.joined === undefined) one.joined = tried.joined;
          const { taken, revision } = takenOf(tried.outcome);
          if (!taken) [seen, one.tried, one.wrote] = [Math.min(seen, revision), tried, undefined];
          const isOver = (taken || one.final) && !one.settle(tried);
          if (taken && isOver) await giveBack(database, one.request.by, releaseOf(one.request, taken));
        } catch (error) {
          settleFailed(one, error);
        }
      };
      const tries = [...waiting, ...others.filter((one) => one.final && !waiting.includes(one))];
      const writing = (one: Waiting): Take => {
        const { request, write, isOver, marked, final } = one;
        return { ...request, write, isOver, waits: marked || !final };
      };
      await all(tries.map((one) => settle(one, takeFirst(room, writing(one), one.joined))));
      await all(lookers.map((one) => settle(one, chains.take(room, writing(one), one.joined))));
      return seen === Infinity ? 0 : seen;
    },
  });

  const releaseOf = ({ room, agent }: TakeRequest, { id: message, fence }: Message) =>
    releaseClaim(database, { room, message, agent, fence: fence! });

  /** Takes without waiting. An attempt that finds nothing writes nothing, so its heartbeat is a write of its own. */
  async function takeOnce(room: string, take: Take): Promise<Try> {
    if (!looks(take.asked)) return await takeFirst(room, take);
    const tried = await takeQueued(room, take);
    const { taken } = takenOf(tried.outcome);
    if (!taken) await recordHeartbeat(database, take.context, room, take.asked.agent).catch(withoutHeartbeat);
    return tried;
  }

  /** Takes once it is its turn; gives up if others of the room are judged for too long before. */
  async function takeQueued(room: string, take: Take): Promise<Try> {
    let [isOver, wrote] = [false, false];
    const write: Take["write"] = (make) => {
      if (isOver) throw new Refusal("unavailable", { why: "unjudged" });
      wrote = true;
      return take.write(make);
    };
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      if (wrote || !chains.isJudging(room)) return;
      isOver = true;
      reject(new Refusal("unavailable", { why: "unjudged" }));
    }, MAX_WAIT_MS);
    const trying = chains.take(room, { ...take, write, isOver: () => isOver || take.isOver() });
    return await Promise.race([trying, late]).finally(() => clearTimeout(timer));
  }

  return {
    /**
     * Claims the oldest open message that fits, once there is one, or gives up after `timeout` milliseconds.
     * Errors: `room_not_found`, `unavailable`, `DatabaseUnavailable`.
     */
    take(
      room: string,
      asked: Asked,
      { timeout, signal }: { timeout: number; signal: AbortSignal },
    ): Operation<TakeAnswer> {
      let tried: Try | undefined;
      return {
        acts: { as: asked.agent },
        async run(keyed) {
          const { agent, where } = asked;
          // A keyed request has one time, but what it waits for is taken later.
          const context = { ...keyed, time: () => database.time() };
          const shown = { agent, waitingOn: waitingOn(asked) };
          const moved = movedBy(where, context.viewer);
          const request = { room, ...shown, ...moved, timeout, signal, asked, context, by: context };
          const write: Take["write"] = (make) => ownWrite(make());
          const isOver = () => signal.aborted;
          const once = { ...request, write, isOver, waits: false };
          tried = await (timeout === 0 ? unqueued(takeOnce(room, once)) : queue.wait(request));
          return tried.outcome;
        },
        answer(outcome) {
          const { taken: message, unknown, noticed, revision } = takenOf(outcome);
          const answer = { ...noticed, revision };
          if (message) return { ...answer, message };
          return { ...answer, unknown, next: tried?.next, failure: tried?.failure };
        },
      };
    },
  };
}

/** Names what a take wants, whoever it is for. */
function wantedBy({ request: { asked: { kind, from, to, after } } }: Waiting): string {
  return JSON.stringify([kind, from, to, after]);
}

/** What others see that an agent waits on. */
function waitingOn({ kind }: Asked): string {
  return kind === undefined ? "claim" : `claim ${kind}`;
}

/** What may make a message fit that did not: changes of parts of the room, or the time. */
function movedBy(where: Expression | undefined, viewer: Viewer): { parts: Part[]; timed: boolean } {
  if (where === undefined) return { parts: ["messages"], timed: false };
  const { now, heartbeats, alive } = where.reads;
  const parts = partsOf(where.reads, viewer.token !== undefined);
  // A view may be evaluated with the eyes of an agent whose scope is private.
  const ofViews: Part[] = readsViews(where.reads) ? ["private"] : [];
  return {
    parts: [...new Set<Part>(["messages", ...parts, ...ofViews])],
    timed: now || heartbeats || alive,
  };
}

/** Resolves once all have ended. Throws the first failure among them. */
async function all(works: Array<Promise<void>>): Promise<void> {
  const results = await Promise.allSettled(works);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Ignores that the database takes no writes: what was found is true without the heartbeat. */
function withoutHeartbeat(error: unknown): void {
  if (!(error instanceof DatabaseUnavailable)) throw error;
}
