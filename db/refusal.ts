/** Why a request about a room was refused. The words are part of the HTTP contract. */
export type RefusalCode =
  | "room_not_found"
  | "agent_not_found"
  | "message_not_found"
  | "key_not_found"
  | "version_conflict"
  | "etag_mismatch"
  | "precondition_failed"
  | "not_a_number"
  | "already_claimed"
  | "agent_exists"
  | "limit_reached"
  | "idempotency_mismatch"
  | "unavailable";

/**
 * A request that cannot be served as the room stands: nothing was changed.
 * `details` are members of the answer beside `error` and `message`;
 * `revision` is the room's revision that the refusal reflects, where the room exists.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly revision?: number,
  ) {
    super(message);
  }
}

export function roomNotFound(): Refusal {
  return new Refusal("room_not_found", "There is no room with this id.", {
    hint: "Create it with POST /rooms, or check the id.",
  });
}

/** The room has what came with a later release than this instance's. */
export function roomOfLaterRelease(): Refusal {
  return new Refusal(
    "unavailable",
    "This room needs a later release of the service than this instance has.",
    {
      hint:
        "Try again in a moment: the service is being upgraded, and an instance of the later release may answer.",
    },
  );
}

/** A room's revision as a query for it has it (release.ts). Errors: `unavailable` where it may not be served. */
export function served(revision: unknown): number {
  if (revision === null) throw roomOfLaterRelease();
  return Number(revision);
}

export function agentNotFound(agent: string, revision: number): Refusal {
  return new Refusal("agent_not_found", `No agent ${JSON.stringify(agent)} is registered in this room.`, {
    hint: "Register it first with POST /rooms/:id/agents.",
  }, revision);
}

export function agentExists(agent: string, revision: number): Refusal {
  return new Refusal("agent_exists", `An agent ${JSON.stringify(agent)} is registered in this room.`, {
    hint: "Take another id, or register without if_new if this agent is you.",
  }, revision);
}

/** `message` is 0 where the caller named something that can be no message's id. */
export function messageNotFound(message: number | string, revision: number): Refusal {
  return message === 0
    ? new Refusal("message_not_found", "There is no such message in this room.", {
      hint: "A message's id is a whole number from 1 on.",
    }, revision)
    : new Refusal("message_not_found", `There is no message ${message} in this room.`, {}, revision);
}

export function keyNotFound(scope: string, key: string, revision: number): Refusal {
  return new Refusal(
    "key_not_found",
    `There is no key ${JSON.stringify(key)} in scope ${JSON.stringify(scope)}.`,
    {
      hint: "Write it with PUT /rooms/:id/state, or wait for it with has(...).",
    },
    revision,
  );
}
