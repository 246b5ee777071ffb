import type { ConveneError, ErrorCode } from "../client/mod.ts";
import type { Hints } from "./command.ts";

/** Hints of the command, in place of the service's. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  agent_not_found: "Register it first: convene join --agent ID.",
  already_claimed: "Take the next one: convene take.",
  key_not_found: 'Write it with convene set KEY, or wait for it: convene wait "has(state._shared.KEY)".',
  message_not_found: "See what there is: convene read.",
  reservation_not_found: "See what is reserved: convene reserve.",
  reserved: "Wait for them with --timeout, or see who has them: convene reserve --path PATH.",
  room_not_found:
    "Create it with convene room ID, or check --room. A locked one needs a token of it: join by a code, or set CONVENE_TOKEN.",
  task_over: "Take the next one: convene take.",
  unauthenticated: "Join by a code: convene join CODE.",
  version_conflict:
    "See what is there with convene get KEY --json, decide again, and say its version as --if-version.",
};

/** What stands in hints of the service and the client that depend on the case, and in words of the command. */
const WORDS: Array<[service: string, command: string]> = [
  [
    "Is the service running, and is this its address?",
    "Is it running? Say its address as --server URL, or set CONVENE_URL.",
  ],
  [
    "POST /rooms/:id/tokens with `role` admin, without a `ttl`",
    "convene tokens make --role admin, without --ttl",
  ],
  [
    "leave `agent`, or of a message `from`, out.",
    "leave --agent and CONVENE_AGENT out. Or join as the other: each agent's token is kept, and --agent takes it.",
  ],
  ["leave `agent` out", "leave --agent and CONVENE_AGENT out"],
  ["register without if_new", "leave out --if-new"],
  ["leave out locked", "leave out --locked"],
  ["send `timeout` to wait", "say --timeout to wait"],
  ["with the same expression as `condition`", "with convene wait"],
  [
    "Send the `fence` that the answer to the claim has.",
    "Say it as --fence: take and claim print it, and so does convene attempts ID.",
  ],
  [
    "Send a path such as `_shared.turn` in two parts: `scope` _shared, `key` turn.",
    "Say it in two parts: convene get KEY --scope SCOPE.",
  ],
  ["POST /rooms/:id/messages/:msgId/claim", "convene claim ID"],
  ["POST /rooms/:id/reservations", "convene reserve PATH"],
  ["unless you are the agent in `claimed_by`: then name it", "unless that is you: then say --agent"],
  ["unless you are the one in `agent`: then name it", "unless that is you: then say --agent"],
];

/** Returns what to do about a refusal, in words of the command: `own` are those of the one that ran. */
export function hintOf({ code, hint }: ConveneError, own: Hints = {}): string | undefined {
  return own[code] ?? HINTS[code] ??
    (hint && WORDS.reduce((text, [service, command]) => text.replaceAll(service, command), hint));
}
