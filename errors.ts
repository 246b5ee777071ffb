/**
 * The table of error codes: the only place with each one's status, cause, cure and further members. The API's answers,
 * /docs/errors, OpenAPI and the client's type are made from it. A test compares docs/api.md with it.
 */

export interface Row {
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503;
  /** The reason and what to do about it, as Markdown for /docs/errors. */
  cause: string;
  cure: string;
  /** Members of the answer besides `error`, `message`, `hint` and `docs`; `?` marks optional ones. */
  members?: string[];
  /** Words the API's refusal. Its parameter declares the facts that a refusal with this code carries. */
  say?: (facts: never) => Words;
}

/** The members of an error's answer after `error`, in order. */
export interface Words {
  message: string;
  hint?: string;
  [member: string]: unknown;
}

/** A refused write of a batch: its index, and the version that earlier writes of the batch gave the key. */
interface RefusedWrite {
  index?: number;
  after?: number;
}

const named = (key: string, scope: string) => `${JSON.stringify(key)} in ${JSON.stringify(scope)}`;
const isAfter = (after?: number) => after === undefined ? "" : "After the earlier writes of this batch, ";

/** What each edit needs of a value. */
const EDITS = {
  merge: ["merge", "an object"],
  append: ["append", "a list"],
  remove: ["remove", "a list"],
  change: ["set or unset", "an object or a list"],
};

const TYPES = {
  null: "null",
  boolean: "a boolean",
  number: "a number",
  string: "a text",
  array: "a list",
  object: "an object",
};

const AGAIN = "Nothing was written. Try again.";
const OR_WAIT = "Try again in a moment, or wait with a condition.";

/** The reasons for `unavailable`, each with its message and hint. */
const UNAVAILABLE = {
  later_release: [
    "This room needs a later release of the service than this instance has.",
    "Try again in a moment: the service is being upgraded, and an instance of the later release may answer.",
  ],
  others_first: ["The requests before this one took too long.", AGAIN],
  value_moved: ["The value changed each time before it could be added to or edited.", AGAIN],
  gate_moved: ["The room changed each time before the gated write could be made.", AGAIN],
  views_moved: ["The room's views changed faster than they could be read."],
  too_large: ["The room is too large, or changed faster than all of it could be read."],
  waits: ["This instance already holds # waits, the maximum.", "Try again in a moment."],
  followers: ["This instance already has # followers, the maximum.", OR_WAIT],
  followers_of_room: ["This room already has # followers, the maximum.", OR_WAIT],
  client_left: ["The client has left."],
  ending: ["This server is closing its connections. Nothing was done.", "Send it again."],
} satisfies Record<string, [message: string, hint?: string]>;

/** Whom an open room lets invite. */
const INVITES =
  "In an open room anybody invites members under ids that are new to it. Other invitations are made by an admin.";

/** What a token may that is shown for more, each with its message and hint. */
const MAY = {
  read: [
    "The token is a reader's.",
    "It may read, wait, follow and evaluate. Writing needs a member's or an admin's.",
  ],
  write: [
    "This needs an admin's token.",
    "A member's may read, write, claim and wait, and make tokens for its own agent.",
  ],
  all_but_delete: [
    "Only the operator deletes an open room.",
    "The token may do all else in the room. An admin of a locked room deletes that.",
  ],
  one_room: [
    "The token is of one room.",
    "Only the operator's lists rooms here. Ask for the room by its id.",
  ],
  locked: [
    "Only the operator makes open rooms here.",
    "Send locked: true. The answer has a token, with which others are let in.",
  ],
  narrower: [
    "The token may not make such a token.",
    "A member's makes readers, and members for its own agent. Others are made by an admin.",
  ],
  invite: ["The token may not make such an invitation.", INVITES],
} satisfies Record<string, [message: string, hint: string]>;

export const ERRORS = {
  invalid_request: {
    status: 400,
    cause: "The JSON, a parameter or a header is not valid.",
    cure: "Correct what `issues` names: each has a `path` and a `message`.",
    members: ["issues", "index?"],
  },
  invalid_expression: {
    status: 400,
    cause: "A CEL expression does not parse, names an unknown root, or would fail on any data.",
    cure: "Look at `position` and `hint`; try it with `POST /rooms/:id/eval`.",
    members: ["expression", "position", "index?"],
  },
  evaluation_failed: {
    status: 400,
    cause: "The expression of `eval` failed on the room as it is now; `cause` says why.",
    cure: "Guard missing keys with `has(...)` or `.?key.orValue(x)`.",
    members: ["expression", "cause"],
  },
  room_not_found: {
    status: 404,
    cause: "There is no room with this id.",
    cure: "Create it with `POST /rooms`, or check the id.",
    say: (_: object) => ({
      message: "There is no room with this id.",
      hint: "Create it with POST /rooms, or check the id.",
    }),
  },
  agent_not_found: {
    status: 404,
    cause: "No agent with this id is registered in the room, or it has left while it waited.",
    cure: "Register it with `POST /rooms/:id/agents`.",
    // It left while it waited for something.
    say: ({ agent, left = false }: { agent: string; left?: boolean }) => ({
      message: left
        ? `The agent ${JSON.stringify(agent)} has left this room, which ends its waits.`
        : `No agent ${JSON.stringify(agent)} is registered in this room.`,
      hint: "Register it first with POST /rooms/:id/agents.",
    }),
  },
  message_not_found: {
    status: 404,
    cause: "The room has no message with this id.",
    cure: "Take the id from a message that you read in this room.",
    // 0 if the caller's text cannot be a message id.
    say: ({ message }: { message: number | string }) =>
      message === 0
        ? {
          message: "There is no such message in this room.",
          hint: "A message's id is a whole number from 1 on.",
        }
        : { message: `There is no message ${message} in this room.` },
  },
  reservation_not_found: {
    status: 404,
    cause: "The room never had a reservation with this id.",
    cure: "Take the id from the answer that made it, or from `GET /rooms/:id/reservations`.",
    say: ({ id }: { id: string }) => ({
      message: `There is no reservation ${JSON.stringify(id)} in this room.`,
      hint: "List those in force: GET /rooms/:id/reservations",
    }),
  },
  token_not_found: {
    status: 404,
    cause: "The room has no such token in force, or the caller may not know of it.",
    cure: "Take the id from `GET /rooms/:id/tokens`.",
    say: ({ id }: { id: string }) => ({
      message: `There is no token ${JSON.stringify(id)} in this room.`,
      hint: "Those in force: GET /rooms/:id/tokens",
    }),
  },
  room_exists: {
    status: 409,
    cause: "`locked` asks for a new room, and there is an open one with this id.",
    cure: "Take another id, or leave `id` out. Without `locked` you join the open one.",
    say: (_: object) => ({
      message: "There is an open room with this id, which cannot be locked.",
      hint: "Take another id, or leave it out; to join the open room, leave out locked.",
    }),
  },
  id_unavailable: {
    status: 409,
    cause: "No room can be made under this id.",
    cure: "Take another id, or leave `id` out. A locked room answers whoever shows a token of it.",
    say: (_: object) => ({
      message: "This id is not available.",
      hint: "Take another id, or leave it out: the service makes one that nobody can guess.",
    }),
  },
  invite_not_found: {
    status: 404,
    cause:
      "The code is used up, expired, revoked or mistyped; or the room has no such invitation that counts.",
    cure: "Check the code letter for letter, or ask whoever invites you for a new one.",
    say: (_: object) => ({
      message: "There is no such invitation: it is used up, expired, revoked or mistyped.",
      hint: "Check the code letter for letter, or ask whoever invites you for a new one.",
    }),
  },
  key_not_found: {
    status: 404,
    cause: "Nobody wrote this key, or it was deleted.",
    cure: "Write it, or wait for it: `has(state._shared.key)`.",
    say: ({ scope, key }: { scope: string; key: string }) => ({
      message: `There is no key ${JSON.stringify(key)} in scope ${JSON.stringify(scope)}.`,
      hint: "Write it with PUT /rooms/:id/state, or wait for it with has(...).",
    }),
  },
  unauthenticated: {
    status: 401,
    cause:
      "The token is malformed, unknown, revoked or expired, or of another room; or there is none, and the agent is secure.",
    cure: "Send `Authorization: Bearer <token>` with a token of this room that is in force.",
    say: ({ agent, none, may }: { agent?: string; none?: boolean; may?: "invite" }) => ({
      message: may !== undefined
        ? "This invitation needs an admin's token of the room."
        : none
        ? "This needs a token of the room."
        : agent === undefined
        ? "The token is not one of this room that is in force."
        : `The agent ${JSON.stringify(agent)} is secure: only its token acts as it.`,
      hint: may !== undefined
        ? INVITES
        : none
        ? "Send Authorization: Bearer <token>. An agent that registers with secure: true gets one."
        : "Send Authorization: Bearer <token> with a token of this room, or take another agent.",
    }),
  },
  forbidden: {
    status: 403,
    cause:
      "The token may not do this; or a page of another origin called an instance at a private address, or by a name that is not the instance's own.",
    cure:
      "`hint` says what the token may, or what the instance's operator may set. Call it as localhost or by its address.",
    // Of what a token may; of one that is bound to `agent`; of the agent that a code invites; of the secure agent of
    // another token.
    say: (
      facts: { may: keyof typeof MAY } | { agent: string } | { invited: string } | { other: string },
    ) =>
      "may" in facts ? { message: MAY[facts.may][0], hint: MAY[facts.may][1] } : "invited" in facts
        ? {
          message: `The code invites the agent ${JSON.stringify(facts.invited)}.`,
          hint: `Join as ${JSON.stringify(facts.invited)}: leave out the agent.`,
        }
        : "agent" in facts
        ? {
          message: `The token is bound to the agent ${JSON.stringify(facts.agent)}.`,
          hint: `It acts as ${JSON.stringify(facts.agent)} alone: leave out the agent.`,
        }
        : {
          message: `The agent ${JSON.stringify(facts.other)} is secure: only its token acts as it.`,
          hint: "Act as an agent of your own.",
        },
  },
  not_found: {
    status: 404,
    cause: "There is nothing at this path.",
    cure: "See /docs/api for the paths.",
  },
  method_not_allowed: {
    status: 405,
    cause: "The path does not take this method.",
    cure: "Use one of those in `Allow`.",
  },
  request_timeout: {
    status: 408,
    cause: "The body did not arrive in time.",
    cure: "Send it again, faster or shorter.",
  },
  version_conflict: {
    status: 409,
    cause: "`if_version` is not the entry's version: somebody wrote in between.",
    cure: "Decide again from `current`, and send the write with its version.",
    members: ["current", "index?"],
    say: ({ scope, key, expected, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      expected: number;
      /** The stored entry. A refused batch stores nothing. */
      current: { version: number } | null;
    }) => {
      const version = after ?? current?.version;
      const is = version === undefined
        ? `does not exist, so it is not at version ${expected}`
        : expected === 0
        ? `exists, at version ${version}`
        : `is at version ${version}, not ${expected}`;
      const hint = after === undefined
        ? "Decide again from `current`, and send its version as if_version (0: must not exist)."
        : "A write sees those before it: write the key once, or leave if_version to its first write.";
      return { message: `${isAfter(after)}${named(key, scope)} ${is}.`, index, current, hint };
    },
  },
  etag_mismatch: {
    status: 412,
    cause: "`If-Match` or `If-None-Match` does not match: somebody wrote in between.",
    cure: "Decide again from `current`, and send the write with its version as the `ETag`.",
    members: ["current"],
    say: ({ current }: { current: object | null }) => ({
      message: "The entry does not match the ETag.",
      current,
      hint: "Decide again from `current`, and send its version as the ETag.",
    }),
  },
  precondition_failed: {
    status: 409,
    cause: "The gate `if` was not true of the state that the write would have changed.",
    cure:
      "Wait until it is true, with the same expression as `condition`. `cause` says why it failed, such as a missing key.",
    members: ["expression", "evaluated", "cause?"],
    say: ({ failure, byNobody, ...members }: {
      expression: string;
      evaluated: unknown;
      failure?: { code: string; message: string; hint?: string };
      /** It reads `self`, and the request names no agent. */
      byNobody: boolean;
    }) =>
      failure
        ? {
          message: `The gate could not be evaluated: ${failure.message}`,
          ...members,
          cause: { code: failure.code, message: failure.message },
          hint: failure.hint,
        }
        : {
          message: "The gate is not true in the room's present state.",
          ...members,
          hint: byNobody ? "`self` is null: send the `agent` that writes." : undefined,
        },
  },
  not_a_number: {
    status: 409,
    cause: "The value to be incremented is not a number, or the sum is out of range.",
    cure: "Write a number first, or use another key.",
    members: ["current", "index?"],
    say: ({ scope, key, delta, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      delta: number;
      current: object | null;
    }) => ({
      message: `${isAfter(after)}${named(key, scope)} cannot be incremented by ${delta}.`,
      index,
      current,
      hint: "Only a number can be incremented, and the result must lie within ±(2^53 - 1).",
    }),
  },
  not_editable: {
    status: 409,
    cause:
      "The value is not of the type that the edit needs (`path` is empty), or `path` names nothing in it. Nothing was changed.",
    cure: "Look at `current`. Write the whole value, or first create what the pointer leads through.",
    members: ["current", "path", "index?"],
    // `found`: the type of what the edit finds, undefined where there is no value.
    say: ({ scope, key, edit, path, found, current, after, index }: RefusedWrite & {
      scope: string;
      key: string;
      edit: keyof typeof EDITS;
      path: string;
      found?: keyof typeof TYPES;
      current: object | null;
    }) => {
      const [name, type] = EDITS[edit];
      const members = { index, current, path };
      if (path !== "") {
        return {
          message: `${isAfter(after)}${JSON.stringify(path)} names nothing in the value of ${
            named(key, scope)
          }.`,
          ...members,
          hint:
            "A pointer can only lead through what exists. `set` creates its last member; an index may be at most the list's length, which `-` stands for.",
        };
      }
      return found === undefined
        ? {
          message: `${named(key, scope)} does not exist, so there is nothing to ${name}.`,
          ...members,
          hint: "Write its value first. Only merge, append and append_all make a key that is missing.",
        }
        : {
          message: `${isAfter(after)}${named(key, scope)} is ${TYPES[found]}, and ${name} needs ${type}.`,
          ...members,
          hint: "Use an edit for its type, or write the whole value.",
        };
    },
  },
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
    // but has not named the fence, as a claim with a ttl demands.
    say: ({ message, reservation, unnamed: _, ...lost }: {
      message?: number;
      status?: string;
      claimed_by?: string | null;
      claimed_until?: string | null;
      fence: number | null;
      unnamed?: boolean;
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
            ? "Claim it again: POST .../messages/:msgId/claim"
            : "Drop the work: what you did under another fence does not count.",
        }
        : {
          message: lost.agent === null
            ? `The reservation ${JSON.stringify(reservation)} is over.`
            : `${JSON.stringify(lost.agent)} holds the reservation ${
              JSON.stringify(reservation)
            }, under the fence ${lost.fence}.`,
          ...lost,
          hint: "Reserve the paths again: POST /rooms/:id/reservations",
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
  agent_exists: {
    status: 409,
    cause:
      "The request has `if_new`, and an agent with this id exists; or it has `secure`, and somebody has acted under the id.",
    cure: "Take another id, or register without `if_new` if the agent is you.",
    // `used`: the id cannot become secure, since somebody has acted under it.
    say: ({ agent, used }: { agent: string; used?: true }) => ({
      message: used
        ? `Somebody has acted as ${JSON.stringify(agent)} in this room, registered or not.`
        : `An agent ${JSON.stringify(agent)} is registered in this room.`,
      hint: used
        ? "Take another id: one that was used becomes secure by an admin of the room only."
        : "Take another id, or register without if_new if this agent is you.",
    }),
  },
  limit_reached: {
    status: 409,
    cause:
      "The room has the maximum number of keys, views, agents, reservations, tokens or invitations, its views or globs would be too long in total, or too many unfinished tasks would be linked by `needs`.",
    cure:
      "Delete keys and views, release reservations, finish tasks before posting more that need them, or use another room.",
    members: ["index?"],
    // `bytes`: the size that the views or the globs would have.
    say: ({ index, ...full }:
      & { index?: number; max: number }
      & (
        | { of: "keys" | "private keys" | "views" | "agents" | "reservations" | "tokens" | "invitations" }
        | { of: "needs" | "last_admin" }
        | { of: "bytes" | "globs"; bytes: number }
      )) => {
      if (full.of === "needs") {
        return {
          message: `At most ${full.max} unfinished tasks may be linked by needs.`,
          index,
          hint: "Finish some of them first, or name fewer needs.",
        };
      }
      if (full.of === "last_admin") {
        return {
          message: "This is the room's last admin token without an end.",
          index,
          hint: "Make another first: POST /rooms/:id/tokens",
        };
      }
      if (full.of === "private keys") {
        return {
          message: `A private scope holds at most ${full.max} keys.`,
          index,
          hint: "Delete some first.",
        };
      }
      if (!("bytes" in full)) return { message: `A room holds at most ${full.max} ${full.of}.`, index };
      return full.of === "globs"
        ? {
          message:
            `A room's reservations have globs of at most ${full.max} bytes in all; they would have ${full.bytes}.`,
          index,
          hint: "Reserve whole directories instead of many paths, or release reservations that nobody needs.",
        }
        : {
          message: `A room's views have at most ${full.max} bytes in all; they would have ${full.bytes}.`,
          index,
          hint: "Shorten or delete views first.",
        };
    },
  },
  idempotency_mismatch: {
    status: 422,
    cause:
      "The `Idempotency-Key` was used in this room for another request, or before a release that cannot repeat the answer.",
    cure:
      "Take a new random UUID for each request, and the same one only to repeat it. `message` says which it was.",
    say: ({ key, by }: { key: string; by: "another request" | "another release" }) =>
      by === "another request"
        ? {
          message: `Another request was made under the key ${JSON.stringify(key)} in this room.`,
          hint: "A key belongs to one exact request for 24 hours. Take a new key for a new request.",
        }
        : {
          message: `The request under the key ${
            JSON.stringify(key)
          } was made by another release, whose answer this one cannot repeat.`,
          hint: "It took effect: read the room. Take a new key only to make the change once more.",
        },
  },
  too_large: {
    status: 413,
    cause: "The body or a value is too large, or a value would be after an edit. Nothing was changed.",
    cure: "Store large data elsewhere and share its address.",
    members: ["index?"],
    say: (
      { max, index, ...of }:
        & { max: number; index?: number }
        & ({ what: string } | { scope: string; key: string; bytes: number }),
    ) => ({
      message: "what" in of
        ? `${of.what} may have at most ${max} bytes.`
        : `A value may have at most ${max} bytes; ${named(of.key, of.scope)} would have ${of.bytes}.`,
      index,
      hint: "Store large data elsewhere and share its address.",
    }),
  },
  unsupported_encoding: {
    status: 415,
    cause: "The body is compressed (`Content-Encoding`); the service does not decompress bodies.",
    cure: "Send it without `Content-Encoding`.",
  },
  rate_limited: {
    status: 429,
    cause: "Too many requests came at once.",
    cure: "Wait `Retry-After` seconds, then repeat.",
  },
  internal: {
    status: 500,
    cause: "Something went wrong on our side. It was logged.",
    cure: "Try again. If it happens again, report it.",
  },
  unavailable: {
    status: 503,
    cause:
      "The database does not answer, the instance holds as many waits as it can, or the room needs a later release than it has.",
    cure:
      "Wait `Retry-After` seconds. Before you repeat a message or an increment, read the room: it may have taken effect.",
    say: ({ why, max }: { why: keyof typeof UNAVAILABLE; max?: number }) => {
      const [message, hint]: [string, string?] = UNAVAILABLE[why];
      return { message: message.replace("#", String(max)), hint };
    },
  },
} satisfies Record<string, Row>;

type Errors = typeof ERRORS;
export type ErrorCode = keyof Errors;

/** Codes that depend on the state of the room or service. All others depend on the request alone. */
export type RefusalCode = {
  [Code in ErrorCode]: Errors[Code] extends { say: unknown } ? Code : never;
}[ErrorCode];

/** The facts of a refusal, such as the key, the version found, or the limit. */
export type Facts<Code extends RefusalCode> = Code extends RefusalCode ? Parameters<Errors[Code]["say"]>[0]
  : never;
