import type { Database } from "../../../db/database.ts";
import type { Noticed } from "../../../db/agents/registration.ts";
import type { Asked, Limits } from "../../../db/reservations/conflicts.ts";
import type { Reservation } from "../../../db/reservations/read.ts";
import { reservedOf } from "../../../db/reservations/write.ts";
import type { Operation, Outcome } from "../../../db/write/context.ts";
import { createServe, type ReserveRequest } from "./serve_reservations.ts";
import type { Watch } from "../watch.ts";

/** Creates the reservations of this instance. Requests for paths of a room wait in a queue (queue.ts). */
export function createReserving(database: Database, watch: Watch, limits: Limits) {
  const queue = watch.createQueue<ReserveRequest, Outcome>(createServe(database, limits));

  return {
    /**
     * Reserves paths once they are free, or gives up after `timeout` milliseconds. Errors: `room_not_found`, `reserved`,
     * `limit_reached`, `unavailable`.
     */
    reserve: (
      room: string,
      asked: Asked,
      { timeout, signal }: { timeout: number; signal: AbortSignal },
    ): Operation<{ reservation: Reservation; revision: number } & Noticed> => ({
      acts: { as: asked.agent },
      run(keyed) {
        // A keyed request has a fixed time, but its reservation begins when it is granted.
        const context = { ...keyed, time: () => database.time() };
        const waitingOn = `reserve ${asked.paths.join(" ")}`;
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
        });
      },
      answer: reservedOf,
    }),
  };
}
