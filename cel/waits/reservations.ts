import {
  type Asked,
  checkRoom,
  createConflicts,
  hasLost,
  type Limits,
  readBoard,
  refusalOf,
} from "../../db/reservations/conflicts.ts";
import type { Reservation } from "../../db/reservations/read.ts";
import { releaseReservation, reservationOf, tryReserve } from "../../db/reservations/write.ts";
import type { Database } from "../../db/database.ts";
import { hasEnded, hasLeft } from "../../db/departures.ts";
import { Refusal } from "../../db/refusal.ts";
import { SERVICE } from "../../db/viewer.ts";
import { BY_SERVICE, type Operation, type Outcome, type WriteContext } from "../../db/write/context.ts";
import { refusalOf as refusalOfActs } from "../../db/write/acts.ts";
import { ownWrite, type Queued, type QueueRequest, settleFailed } from "./queued.ts";
import type { Watch } from "./watch.ts";

export interface Reserving {
  /**
   * Reserves paths: once they are free, or gives up after `timeout` milliseconds. Errors: `room_not_found`, `reserved`,
   * `limit_reached`, `unavailable`.
   */
  reserve(
    room: string,
    asked: Asked,
    waiting: { timeout: number; signal: AbortSignal },
  ): Operation<{ reservation: Reservation; revision: number }>;
}

interface ReserveRequest extends QueueRequest {
  asked: Asked;
  context: WriteContext;
  conflictsOf: ReturnType<typeof createConflicts>;
}

type Waiting = Queued<ReserveRequest, Outcome>;

/** How often a request that must be answered is tried while other instances are faster. */
const TRIES = 20;

/** Creates the reservations of this instance: those who ask for paths of a room queue up (queue.ts). */
export function createReserving(database: Database, watch: Watch, limits: Limits): Reserving {
  const queue = watch.createQueue<ReserveRequest, Outcome>({
    async serve(room, queued) {
      const agents = queued.map(({ request: { agent } }) => agent);
      let board = await readBoard(database, SERVICE, room, agents);
      /** Something has ended since those before were judged: what they wait for may be free, and they come first. */
      let freed = false;
      const left = new Set(queued);
      for (const one of queued) {
        if (one.joined === undefined) one.joined = board.joined.get(one.request.agent) ?? null;
      }

      function end(one: Waiting, answer: Outcome | Refusal): boolean {
        left.delete(one);
        return one.settle(answer);
      }

      /** Gives one what it asks for if it is free. Others may be faster, which needs a new look. */
      async function serveOne(one: Waiting) {
        const { request: { asked, context, conflictsOf, timeout }, joined, final } = one;
        const refusal = board.guarded && await refusalOfActs(database, context, room, { writes: true });
        if (refusal) throw refusal;
        for (let tries = 0; tries < TRIES; tries++) {
          if (hasEnded(joined, board.joined.get(asked.agent))) {
            throw hasLeft(asked.agent, board.revision);
          }
          const found = await conflictsOf(board);
          if (found.length > 0) {
            if (final) end(one, await refusalOf(database, context.viewer, room, found, board, timeout > 0));
            return;
          }
          checkRoom(board, asked, limits);
          const outcome = await ownWrite(tryReserve(database, context, room, asked, board));
          if (outcome && !end(one, outcome)) await giveBack(room, outcome);
          if (outcome) return;
          const before = board;
          board = await readBoard(database, SERVICE, room, agents);
          freed ||= hasLost(before, board);
          if (freed && !final) return;
        }
        if (final) end(one, new Refusal("unavailable", { why: "others_first" }));
        else freed = true;
      }

      const { seen: seenFirst } = board;
      for (let passes = 0; passes < TRIES; passes++) {
        freed = false;
        for (const waiting of left) {
          try {
            await serveOne(waiting);
          } catch (error) {
            left.delete(waiting);
            settleFailed(waiting, error);
          }
          if (freed) break;
        }
        if (!freed) return board.seen;
      }
      return seenFirst;
    },
  });

  /** Releases what was reserved for a client that has left. */
  async function giveBack(room: string, outcome: Outcome) {
    const { id, agent, fence } = reservationOf(outcome).reservation;
    const context = { ...BY_SERVICE, time: () => database.time(), newId: () => database.newId() };
    await releaseReservation(database, room, { id, agent, fence }).run(context).catch(() => {});
  }

  return {
    reserve: (room, asked, { timeout, signal }) => ({
      acts: { as: asked.agent },
      run(keyed) {
        // A keyed request has one time, but what it waits for is reserved later.
        const context = { ...keyed, time: () => database.time() };
        const waitingOn = `reserve ${asked.paths.join(" ")}`;
        const conflictsOf = createConflicts(asked);
        return queue.wait({
          room,
          agent: asked.agent,
          waitingOn,
          parts: ["reservations"],
          timeout,
          signal,
          asked,
          context,
          by: context,
          conflictsOf,
        });
      },
      answer: reservationOf,
    }),
  };
}
