import { noneIn, type Row } from "./row.ts";

/** Errors of tasks and reservations. */
export const TASKS = {
  already_claimed: {
    status: 409,
    cause: "Another agent holds the message: `claimed_by`, until `claimed_until` if that is not null.",
    cure: "Take another task.",
    members: ["claimed", "claimed_by", "claimed_at", "claimed_until"],
    say: ({ message, claimed_by, claimed_at, claimed_until }: {
      message: number;
      claimed_by: string;
      claimed_at: string;
      claimed_until: string | null;
    }) => ({
      message: `Message ${message} is claimed by ${JSON.stringify(claimed_by)}.`,
      claimed: false,
      claimed_by,
      claimed_at,
      claimed_until,
      hint: "Take the next one: POST /rooms/:id/messages/claim",
    }),
  },
  task_blocked: {
    status: 409,
    cause: "The message needs others that are not done yet: `blocked_by`.",
    cure: "Take one of those, or wait until its `status` is `open`.",
    members: ["blocked_by"],
    say: ({ message, blocked_by }: { message: number; blocked_by: number[] }) => ({
      message: `Message ${message} is blocked by ${blocked_by.join(", ")}.`,
      blocked_by,
      hint: "Take one of those, or wait until its status is open.",
    }),
  },
  task_over: {
    status: 409,
    cause: "The task is done or has failed: `status`.",
    cure: "Take another task.",
    members: ["status", "done_at", "claimed_by"],
    say: ({ message, status, done_at, claimed_by }: {
      message: number;
      status: string;
      done_at: string;
      claimed_by: string | null;
    }) => ({
      message: `Message ${message} ${status === "done" ? "is done" : "has failed"}.`,
      status,
      done_at,
      claimed_by,
      hint: "Take the next one: POST /rooms/:id/messages/claim",
    }),
  },
  lease_lost: {
    status: 409,
    cause:
      "The claim or reservation is no longer the agent's under this `fence`: it ended, or was never made.",
    cure: "Drop the work, and claim the message again if it is `open`, or reserve the paths again.",
    members: ["fence", "status?", "claimed_by?", "claimed_until?", "agent?", "expires_at?"],
    // Of a message, or of a reservation, of which all are null where it is over. `unnamed`: the agent holds the message,
    // but has not named the fence, as a claim with a ttl demands. `anothers`: another agent holds it, under the fence that
    // was named, if any was. `own`: the task was completed under the claim that was named. `others`: another agent has
    // completed it. `unclaimed`: nobody ever claimed it.
    say: ({ message, reservation, unnamed: _, anothers, own, others, unclaimed, ...lost }: {
      message?: number;
      status?: string;
      claimed_by?: string | null;
      claimed_until?: string | null;
      fence: number | null;
      unnamed?: boolean;
      anothers?: boolean;
      own?: boolean;
      others?: boolean;
      unclaimed?: boolean;
      reservation?: string;
      agent?: string | null;
      expires_at?: string | null;
    }) =>
      reservation === undefined
        ? {
          message: lost.status === "claimed"
            ? `Message ${message} is claimed by ${
              JSON.stringify(lost.claimed_by)
            } under the fence ${lost.fence}.`
            : `Message ${message} is ${lost.status}, not claimed.`,
          ...lost,
          hint: lost.status === "open"
            ? `Claim it ${unclaimed ? "first" : "again"}: POST /rooms/:id/messages/:msgId/claim`
            : lost.status === "blocked"
            ? "It cannot be claimed until what it needs is done."
            : unclaimed
            ? "Nobody claimed it: there is nothing to end."
            : own
            ? "You have completed it under this claim: there is nothing more to end."
            : others
            ? "Drop the work: another agent has completed it."
            : lost.status === "failed"
            ? "Drop the work: the task has failed, and nobody can claim it again."
            : anothers
            ? "It is another agent's claim. Drop the work, unless you are the agent in `claimed_by`: then name it."
            : "Drop the work: what you did under another fence does not count.",
        }
        : {
          message: lost.agent === null
            ? `The reservation ${JSON.stringify(reservation)} is over.`
            : `${JSON.stringify(lost.agent)} holds the reservation ${
              JSON.stringify(reservation)
            }, under the fence ${lost.fence}.`,
          ...lost,
          hint: anothers
            ? "It is another agent's. Reserve the paths again, unless you are the one in `agent`: then name it."
            : "Reserve the paths again: POST /rooms/:id/reservations",
        },
  },
  reserved: {
    status: 409,
    cause:
      "Other agents have reserved some of the paths: see `conflicts`; `more` says that there are others.",
    cure: "Reserve other paths, or send `timeout` to wait until they are free.",
    members: ["conflicts", "more?"],
    say: ({ conflicts, more, waited }: {
      conflicts: Array<{ agent: string; paths: string[] }>;
      more: boolean;
      waited: boolean;
    }) => ({
      message: `${JSON.stringify(conflicts[0]!.agent)} has reserved ${conflicts[0]!.paths.join(", ")}.`,
      conflicts,
      ...(more && { more }),
      hint: waited
        ? "They were not free in time. Reserve other paths, or send the same again to go on waiting."
        : "Reserve other paths, or wait until these are free: `timeout`, in milliseconds.",
    }),
  },
  reservation_not_found: {
    status: 404,
    cause: "The room never had a reservation with this id.",
    cure: "Take the id from the answer that made it, or from `GET /rooms/:id/reservations`.",
    say: ({ id }: { id: string }) => ({
      message: noneIn("reservation", id),
      hint: "List those in force: GET /rooms/:id/reservations",
    }),
  },
} satisfies Record<string, Row>;
