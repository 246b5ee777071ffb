import { noneIn, type Row } from "./row.ts";

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
  no_rotation: [
    "The operator's token is of no room.",
    "It is set in OPERATOR_TOKEN, where its operator changes it.",
  ],
  one_room: [
    "The token is of one room.",
    "This needs the operator's. Ask for the room by its id.",
  ],
  locked: [
    "Only the operator makes open rooms here.",
    "Send `locked: true`. The answer has a token, with which others are let in. To enter a room that is there, show its " +
    "token, or join by a code.",
  ],
  narrower: [
    "The token may not make such a token.",
    "A member's makes readers, and members for its own agent. Others are made by an admin.",
  ],
  invite: ["The token may not make such an invitation.", INVITES],
} satisfies Record<string, [message: string, hint: string]>;

/** Errors of tokens and invitations. */
export const ACCESS = {
  unauthenticated: {
    status: 401,
    cause:
      "The token is malformed, unknown, revoked or expired, or of another room; or there is none, and the agent is secure.",
    cure:
      "Send `Authorization: Bearer <token>` with a token of this room that is in force: see [who may do what]($CONVENE/docs/access).",
    say: ({ agent, none, may }: { agent?: string; none?: boolean; may?: "invite" | "delete" }) => ({
      message: may === "invite"
        ? "This invitation needs an admin's token of the room."
        : may === "delete"
        ? "Only the operator deletes an open room."
        : none
        ? "This needs a token of the room."
        : agent === undefined
        ? "The token is not one of this room that is in force."
        : `The agent ${JSON.stringify(agent)} is secure: only its token or an admin's acts as it.`,
      hint: may === "invite"
        ? INVITES
        : may === "delete"
        ? "Its operator sends Authorization: Bearer <OPERATOR_TOKEN>, letter for letter; another text there is ignored."
        : none
        ? "Send Authorization: Bearer <token>. An agent that registers with `secure: true` gets one."
        : agent === undefined
        ? "Send another, which an admin or an invitation gives, or in an open room none."
        : "Send Authorization: Bearer <token> with a token of this room, or name another agent.",
    }),
  },
  forbidden: {
    status: 403,
    cause:
      "The token may not do this; or a page of another origin called an instance at a private address, or by a name that is not the instance's own.",
    cure:
      "`hint` says what the token may, or what the instance's operator may set. Call it as localhost or by its address. See [who may do what]($CONVENE/docs/access).",
    // Of what a token may; of one that is bound to `agent`; of the agent that a code invites; of the secure agent of
    // another token.
    say: (
      facts: { may: keyof typeof MAY } | { agent: string } | { invited: string } | { other: string },
    ) =>
      "may" in facts ? { message: MAY[facts.may][0], hint: MAY[facts.may][1] } : "invited" in facts
        ? {
          message: `The code invites the agent ${JSON.stringify(facts.invited)}.`,
          hint: `Join as ${JSON.stringify(facts.invited)}: leave \`agent\` out.`,
        }
        : "agent" in facts
        ? {
          message: `The token is bound to the agent ${JSON.stringify(facts.agent)}.`,
          hint: `It acts as ${
            JSON.stringify(facts.agent)
          } alone: leave \`agent\`, or of a message \`from\`, out.`,
        }
        : {
          message: `The agent ${
            JSON.stringify(facts.other)
          } is secure: only its token or an admin's acts as it.`,
          hint: "Name an agent of your own, or show the token of this one.",
        },
  },
  token_not_found: {
    status: 404,
    cause: "The room has no such token in force, or the caller may not know of it.",
    cure: "Take the id from `GET /rooms/:id/tokens`.",
    say: ({ id }: { id: string }) => ({
      message: noneIn("token", id),
      hint: "Take the id of one in force: GET /rooms/:id/tokens",
    }),
  },
  invite_not_found: {
    status: 404,
    cause:
      "The code is used up, expired, revoked or mistyped; or the room has no such invitation that counts.",
    cure: "Check the code letter for letter, or ask whoever invites you for a new one.",
    // Of the `id` of an invitation; of a code.
    say: ({ id }: { id?: string }) =>
      id === undefined
        ? {
          message: "There is no such invitation: it is used up, expired, revoked or mistyped.",
          hint:
            "Check the code letter for letter. If it is right, ask whoever invites you for a new one, with a longer " +
            "`ttl` or more `uses`: POST /rooms/:id/invites.",
        }
        : {
          message: noneIn("invitation", id),
          hint: "Those that count: GET /rooms/:id/invites",
        },
  },
} satisfies Record<string, Row>;
