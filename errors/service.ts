import type { Row } from "./row.ts";

const AGAIN = "Nothing was written. Try again.";
const OR_WAIT = "Try again in a moment, or wait with a condition.";

/** The reasons for `unavailable`, each with its message and hint. */
const UNAVAILABLE = {
  later_release: [
    "This room needs a later release of the service than this instance has.",
    "Try again in a moment: the service is being upgraded, and an instance of the later release may answer.",
  ],
  others_first: ["Others were first, each time.", AGAIN],
  unjudged: [
    "Those who ask before this one in the room take too long to judge. Nothing was done.",
    "Try again in a moment. A `where` that loops over less lets more take in time.",
  ],
  value_moved: ["The value changed each time before it could be added to or edited.", AGAIN],
  gate_moved: ["The room changed each time before the gated write could be made.", AGAIN],
  views_moved: ["The room's views changed faster than they could be read.", "Try again in a moment."],
  too_large: [
    "The room is too large, or changed faster than all of it could be read.",
    "Read less of it at a time: one scope, keys with a prefix, a list with a `limit`.",
  ],
  waits: ["This instance already holds # waits, the maximum.", "Try again in a moment."],
  followers: ["This instance already has # followers, the maximum.", OR_WAIT],
  followers_of_room: ["This room already has # followers, the maximum.", OR_WAIT],
  client_left: ["The client has left."],
  ending: ["This server is closing its connections. Nothing was done.", "Send it again."],
} satisfies Record<string, [message: string, hint?: string]>;

/** Errors of the service, which pass by themselves. */
export const SERVICE = {
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
      "The database does not answer, the instance holds as many waits as it can or cannot judge in time, or the room needs a later release than it has.",
    cure:
      "Wait `Retry-After` seconds. Before you repeat a message or an increment, read the room: it may have taken effect.",
    say: ({ why, max }: { why: keyof typeof UNAVAILABLE; max?: number }) => {
      const [message, hint]: [string, string?] = UNAVAILABLE[why];
      return { message: message.replace("#", String(max)), hint };
    },
  },
} satisfies Record<string, Row>;
