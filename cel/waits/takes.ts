import type { Part } from "../../db/bus.ts";
import type { Database } from "../../db/database.ts";
import { hasEnded, hasLeft, selectRegistrations, toRegistrations } from "../../db/departures.ts";
import { releaseClaim } from "../../db/messages/finish.ts";
import type { Message } from "../../db/messages/read.ts";
import {
  MAX_PASSED,
  reachedOf,
  selectThere,
  takenOf,
  takeTask,
  type Wanted,
} from "../../db/messages/take.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { recordHeartbeat } from "../../db/presence.ts";
import { Refusal } from "../../db/refusal.ts";
import { revisionOf, ROOM_CURRENT } from "../../db/rooms.ts";
import { readCurrent } from "../../db/write/endings.ts";
import type { Operation, Outcome, WriteContext } from "../../db/write/context.ts";
import { storedOutcome } from "../../db/write/idempotency.ts";
import type { Guard } from "../../db/write/read_set.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { EvaluationFailed, type Expression } from "../language/expression.ts";
import { toCel } from "../language/values.ts";
import { NOTHING } from "../rooms/definitions.ts";
import { readSetAt } from "../rooms/judging.ts";
import { lookAt } from "../rooms/look.ts";
import type { Reader } from "../rooms/reader.ts";
import { ownWrite, type Queued, type QueueRequest, settleFailed, unqueued } from "./queue.ts";
import { pageOf } from "./take_pages.ts";
import { partsOf } from "./waiter.ts";
import type { Watch } from "./watch.ts";

/** What an agent asks for: the filters, and what is judged of each message that passes them. */
export interface Asked extends Omit<Wanted, "room"> {
  thread?: number;
  /** Must be truthy of the `message`. */
  where?: Expression;
}

/** What was taken; or that there was nothing, with where to look further and why the last one could not be judged. */
export type TakeAnswer =
  & { revision: number }
  & ({ message: Message } | { message?: undefined; next?: number; failure?: EvaluationFailed });

export interface Taking {
  /**
   * Claims the oldest open message that fits, once there is one, or gives up after `timeout` milliseconds.
   * Errors: `room_not_found`, `unavailable`, `DatabaseUnavailable`.
   */
  take(room: string, asked: Asked, waiting: { timeout: number; signal: AbortSignal }): Operation<TakeAnswer>;
}

/** One try: the outcome, and what a look by `where` has found beside it. */
interface Try {
  outcome: Outcome;
  /** The registration of the agent. */
  joined?: number | null;
  next?: number;
  failure?: EvaluationFailed;
}

interface TakeRequest extends QueueRequest {
  asked: Asked;
  context: WriteContext;
}

type Waiting = Queued<TakeRequest, Try>;
type Taker = Pick<TakeRequest, "asked" | "context">;

/** How many may try without a count of what is there. */
const FEW = 4;
/** How often one that looks is beaten by others before it waits for its next turn. */
const TRIES = 8;

/** Creates the takes of this instance. Those that wait for a task of a room queue up (queue.ts). */
export function createTaking(database: Database, reader: Reader, watch: Watch): Taking {
  const looks = ({ where, thread }: Asked) => where !== undefined || thread !== undefined;

  /** Takes by the filters alone, which the database does. */
  async function takeFirst(room: string, { asked, context }: Taker, before?: number | null): Promise<Try> {
    const wanted = { ...asked, room };
    const { outcome, joined } = (await ownWrite(takeTask(database, context, wanted, { joined: before })))!;
    return { outcome, joined, next: reachedOf(outcome) };
  }

  /** Looks at the open messages that pass the filters, and takes the first that fits. */
  async function takeFitting(room: string, { asked, context }: Taker, before?: number | null): Promise<Try> {
    let tried = new Set<number>();
    let joined = before;
    for (let tries = 0; tries < TRIES; tries++) {
      const { fitting, guard, revision, joined: now, ...found } = await look(room, asked, context, tried);
      if (joined === undefined) joined = now;
      if (hasEnded(joined, now)) throw hasLeft(asked.agent, revision);
      if (fitting === undefined) {
        const outcome = await storedOutcome(database, context.idempotencyKey);
        if (outcome) return { outcome, joined };
        return { outcome: nothingAt(revision, await context.time()), joined, ...found };
      }
      const { id } = fitting;
      const judged = { id, guard, nonce: context.newId() };
      const taken = await ownWrite(takeTask(database, context, { ...asked, room }, { judged, joined }));
      if (taken) return { ...taken, joined };
      // Where the guard has moved, what was tried may fit now.
      tried = guard === undefined ? tried.add(id) : new Set();
    }
    throw new Refusal("unavailable", { why: "others_first" });
  }

  /** Finds the first message that fits, among at most `MAX_PASSED`. */
  async function look(room: string, asked: Asked, { viewer }: WriteContext, tried: Set<number>) {
    const { where, agent } = asked;
    let after = asked.after;
    let left = MAX_PASSED;
    let failure: EvaluationFailed | undefined;
    let joined: number | null | undefined;
    for (;;) {
      const { queries, read } = pageOf({ ...asked, room }, after, left);
      const extra = [...queries, selectRegistrations(room, [agent])];
      const sight = { viewer, room, reads: where?.reads ?? NOTHING, self: agent, extra };
      const { result, data } = await lookAt(reader, sight, async (context, { snapshot }) => {
        const page = await read(snapshot.extra);
        const { context: variables } = context.from({ self: agent });
        let failed: EvaluationFailed | undefined;
        for (const message of page.messages) {
          if (isBusy()) await yieldToOthers();
          if (tried.has(message.id)) continue;
          try {
            if (!where || where.judge(withMessage(variables, message)).truthy) {
              return { fitting: message, page };
            }
          } catch (error) {
            if (!(error instanceof EvaluationFailed)) throw error;
            failed = error;
          }
        }
        return { failed, page };
      });
      const { revision } = data.snapshot.revisions;
      if (joined === undefined) joined = toRegistrations(data.snapshot.extra.at(-1)!).get(agent) ?? null;
      const guard: Guard | undefined = where && readsRoom(where) ? readSetAt(data) : undefined;
      if (result.fitting) return { fitting: result.fitting, guard, revision, joined };
      failure = result.failed ?? failure;
      left -= result.page.passed;
      after = result.page.reached ?? after;
      if (!result.page.more) return { revision, failure, joined };
      if (left <= 0) return { revision, failure, joined, next: after };
    }
  }

  /** Counts what is there for those who want the same, so that no more try than can have something. */
  async function withChances(
    room: string,
    queued: Waiting[],
  ): Promise<{ waiting: Waiting[]; revision?: number }> {
    if (queued.length <= FEW) return { waiting: queued };
    const groups = [
      ...Map.groupBy(
        queued,
        ({ request: { asked: { kind, from, to, after } } }) => JSON.stringify([kind, from, to, after]),
      ).values(),
    ];
    const counted: Statement[] = groups.map((group) => {
      const { asked } = group[0]!.request;
      return selectThere({ ...asked, room }, group.map(({ request }) => request.asked.to ?? request.agent));
    });
    const newcomers = queued.filter(({ joined }) => joined === undefined);
    const [rooms, agents, ...found] = await readCurrent(database, queued[0]!.request.context.viewer, [
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
    async serve(room, queued) {
      const [lookers, others] = [
        queued.filter(({ request }) => looks(request.asked)),
        queued.filter(({ request }) => !looks(request.asked)),
      ];
      const { waiting, revision = Infinity } = await withChances(room, others);
      let seen = revision;
      const settle = async (one: Waiting, trying: Promise<Try>) => {
        try {
          const tried = await trying;
          if (one.joined === undefined) one.joined = tried.joined;
          const { taken, revision } = takenOf(tried.outcome);
          seen = Math.min(seen, revision);
          const isOver = (taken || one.final) && !one.settle(tried);
          if (taken && isOver) await giveBack(room, one.request, taken);
        } catch (error) {
          settleFailed(one, error);
        }
      };
      const tries = [...waiting, ...others.filter((one) => one.final && !waiting.includes(one))];
      await Promise.all(tries.map((one) => settle(one, takeFirst(room, one.request, one.joined))));
      for (const one of lookers) await settle(one, takeFitting(room, one.request, one.joined));
      return seen === Infinity ? 0 : seen;
    },
  });

  /** Releases what was taken for a client that has left. */
  async function giveBack(room: string, { agent, context }: TakeRequest, { id: message, fence }: Message) {
    const { viewer } = context;
    const again = { viewer, time: () => database.time(), newId: () => database.newId() };
    await releaseClaim(database, { room, message, agent, fence: fence! }).run(again).catch(() => {});
  }

  return {
    take(room, asked, { timeout, signal }) {
      let tried: Try | undefined;
      return {
        async run(keyed) {
          const { agent, where } = asked;
          // A keyed request has one time, but what it waits for is taken later.
          const context = { ...keyed, time: () => database.time() };
          const shown = { agent, waitingOn: waitingOn(asked) };
          const request = { room, ...shown, ...movedBy(where), timeout, signal, asked, context };
          const once = looks(asked) ? takeFitting : takeFirst;
          tried = await (timeout === 0 ? unqueued(once(room, request)) : queue.wait(request));
          // A look that finds nothing writes nothing else.
          if (looks(asked) && !takenOf(tried.outcome).taken) {
            await recordHeartbeat(database, room, agent).catch(withoutHeartbeat);
          }
          return tried.outcome;
        },
        answer(outcome) {
          const { taken: message, revision } = takenOf(outcome);
          return message ? { message, revision } : { revision, next: tried?.next, failure: tried?.failure };
        },
      };
    },
  };
}

/** Ignores that the database takes no writes: a look works without its heartbeat. */
function withoutHeartbeat(error: unknown): void {
  if (!(error instanceof DatabaseUnavailable)) throw error;
}

/** What others see that an agent waits on. */
function waitingOn({ kind }: Asked): string {
  return kind === undefined ? "claim" : `claim ${kind}`;
}

/** True where more than the message is read. */
function readsRoom({ reads: { state, agents, messages, now } }: Expression): boolean {
  const keys = state === "all" || state.scopes.length + state.keys.length > 0;
  return keys || agents === "all" || agents.length > 0 || messages || now;
}

/** What may make a message fit that did not. */
function movedBy(where: Expression | undefined): { parts: Part[]; timed: boolean } {
  if (where === undefined) return { parts: ["messages"], timed: false };
  const { now, heartbeats, alive } = where.reads;
  return {
    parts: [...new Set<Part>(["messages", ...partsOf(where.reads)])],
    timed: now || heartbeats || alive,
  };
}

const withMessage = (variables: ReadonlyMap<string, unknown>, message: Message) =>
  new Map([...variables, ["message", toCel(message as never)]]);

/** The outcome of a look that took nothing, at a revision. */
function nothingAt(revision: number, now: Date): Outcome {
  return { now, revision: undefined, rows: [[{ revision }], []] };
}
