import type { Database } from "../../../db/database.ts";
import { hasEnded, hasLeft } from "../../../db/agents/registration.ts";
import { Refusal } from "../../../db/refusal.ts";
import {
  type Asked,
  type Board,
  checkRoom,
  createConflicts,
  hasLost,
  type Limits,
  readBoard,
  refusalOf,
} from "../../../db/reservations/conflicts.ts";
import { releaseReservation, reservationOf, tryReserve } from "../../../db/reservations/write.ts";
import { SERVICE } from "../../../db/viewer.ts";
import { isBusy, yieldToOthers } from "../../../db/yield.ts";
import { refusalOf as refusalOfActs, unprovenActors } from "../../../db/write/acts.ts";
import type { Outcome, WriteContext } from "../../../db/write/context.ts";
import { createJudging } from "./judging.ts";
import { giveBack, type Queued, type QueueRequest, settleFailed } from "./queued.ts";
import type { QueueKind } from "./room_queue.ts";

/** A request for paths that waits in the queue of its room. */
export interface ReserveRequest extends QueueRequest {
  asked: Asked;
  context: WriteContext;
}

type Waiting = Queued<ReserveRequest, Outcome>;

/** An attempt for all due requests of a room. */
interface Round {
  room: string;
  agents: string[];
  /** The requests that are not settled, in order of arrival. */
  left: Set<Waiting>;
  /** The refusals under way, of requests that are no longer among these. */
  refusing: Array<Promise<unknown>>;
  board: Board;
  /** Those of its agents that are secure, if that is known. */
  secured?: string[];
  /** A reservation has ended since earlier requests were judged: they may succeed now, and come first. */
  freed: boolean;
}

/** The maximum attempts for a request while other instances change the reservations of the room. */
const TRIES = 20;

/** Makes what grants what is free. */
export function createServe(database: Database, limits: Limits): QueueKind<ReserveRequest, Outcome> {
  const judging = createJudging(database.elapsed);
  /**
   * The reservation that was in conflict with each request at its last attempt. While that is in force, nothing has to
   * be compared again; what a comparison builds, up to a megabyte, is not kept while the request waits.
   */
  const blockers = new WeakMap<Waiting, string>();

  /** Whether the reservation is still in force that kept a request waiting at its last attempt. */
  function isBlocked(one: Waiting, { reservations }: Board): boolean {
    const blocker = blockers.get(one);
    return blocker !== undefined && reservations.some(({ id }) => id === blocker);
  }

  /** Grants what a request asks for if it is free. Reads the board again if other instances changed it first. */
  async function serveOne(round: Round, one: Waiting): Promise<void> {
    const { room, secured } = round;
    const { request: { asked, context, timeout }, joined, final } = one;
    const refusal = round.board.guarded &&
      await refusalOfActs(database, context, room, { writes: true, secured });
    if (refusal) throw refusal;
    let conflictsOf: ReturnType<typeof createConflicts> | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      const { board } = round;
      if (hasEnded(joined, board.joined.get(asked.agent))) throw hasLeft(asked.agent, board.revision);
      if (!final && isBlocked(one, board)) return;
      const conflicts = conflictsOf ??= createConflicts(asked);
      const found = await judging.during(room, () => conflicts(board));
      if (found.length > 0) {
        blockers.set(one, found[0]!.id);
        if (final) {
          refuse(round, one, refusalOf(database, context.viewer, room, found, board, timeout > 0));
        }
        return;
      }
      checkRoom(board, asked, limits);
      const outcome = await one.write(() => tryReserve(database, context, room, asked, board));
      if (outcome && !end(round, one, outcome)) await giveBack(database, context, releaseOf(room, outcome));
      if (outcome) return;
      round.board = await readBoard(database, SERVICE, room, round.agents);
      round.freed ||= hasLost(board, round.board);
      if (round.freed && !final) return;
    }
    if (final) end(round, one, new Refusal("unavailable", { why: "others_first" }));
    else round.freed = true;
  }

  /** Tries the requests in order, up to one after which earlier ones may succeed. */
  async function serveInOrder(round: Round): Promise<void> {
    round.freed = false;
    for (const waiting of round.left) {
      if (isBusy()) await yieldToOthers();
      if (waiting.isOver()) {
        round.left.delete(waiting);
        continue;
      }
      try {
        await serveOne(round, waiting);
      } catch (error) {
        round.left.delete(waiting);
        settleFailed(waiting, await failureOf(waiting, error));
      }
      if (round.freed) return;
    }
  }

  function releaseOf(room: string, outcome: Outcome) {
    const { id, agent, fence } = reservationOf(outcome).reservation;
    return releaseReservation(database, room, { id, agent, fence });
  }

  /**
   * Returns the failure of a request; that of its token, if that is not in force: the service has read the board, and
   * the request may not have come to the database yet.
   */
  async function failureOf({ request: { by } }: Waiting, error: unknown): Promise<unknown> {
    if (!(error instanceof Refusal) || by.viewer.token === undefined) return error;
    return await database.read(by.viewer, []).then(() => error, (refusal) => refusal);
  }

  async function serve(room: string, queued: Waiting[]): Promise<number> {
    const agents = queued.map(({ request: { agent } }) => agent);
    const actors = queued.flatMap(({ request: { context } }) => unprovenActors(context));
    const first = await readBoard(database, SERVICE, room, agents, actors);
    for (const one of queued) {
      if (one.joined === undefined) one.joined = first.joined.get(one.request.agent) ?? null;
    }
    const { secured } = first;
    const round: Round = {
      room,
      agents,
      left: new Set(queued),
      refusing: [],
      board: first,
      secured,
      freed: true,
    };
    for (let passes = 0; passes < TRIES && round.freed; passes++) await serveInOrder(round);
    await Promise.all(round.refusing);
    return round.freed ? first.seen : round.board.seen;
  }

  return { serve, isJudging: judging.is };
}

/** Refuses a request. What its refusal reads shares a round trip with that of others. */
function refuse({ left, refusing }: Round, one: Waiting, refusal: Promise<Refusal>): void {
  left.delete(one);
  refusing.push(refusal.then(one.settle, one.settle));
}

function end({ left }: Round, one: Waiting, answer: Outcome | Refusal): boolean {
  left.delete(one);
  return one.settle(answer);
}
