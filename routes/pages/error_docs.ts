import { type ErrorCode, STATUS } from "../http/errors.ts";

/** Of each code why it comes, and what to do. A code without its row does not compile. */
const EXPLAINED: Record<ErrorCode, [cause: string, cure: string]> = {
  invalid_request: [
    "The JSON or a parameter is not as it must be.",
    "Mend what `issues` names: each has a `path` and a `message`.",
  ],
  invalid_expression: [
    "A CEL expression does not parse, names an unknown root, or cannot be right for any data.",
    "Look at `position` and `hint`; try it with `POST /rooms/:id/eval`.",
  ],
  evaluation_failed: [
    "An expression given to `eval` failed on the room as it stands; `cause` says how.",
    "Guard missing keys with `has(...)` or `.?key.orValue(x)`.",
  ],
  room_not_found: ["There is no room with this id.", "Create it with `POST /rooms`, or check the id."],
  agent_not_found: [
    "No agent with this id is registered in the room.",
    "Register it with `POST /rooms/:id/agents`.",
  ],
  message_not_found: [
    "The room has no message with this id.",
    "Take the id from a message that you read in this room.",
  ],
  key_not_found: [
    "Nobody wrote this key, or it was deleted.",
    "Write it, or wait for it: `has(state._shared.key)`.",
  ],
  forbidden: [
    "A page of another origin called an instance at a private address, or by a name that is not the instance's own.",
    "Call it as localhost or by its address; `hint` names what its operator may set.",
  ],
  not_found: ["There is nothing at this path.", "See /docs/api for the paths."],
  method_not_allowed: ["The path does not take this method.", "Use one of those in `Allow`."],
  request_timeout: ["The body did not arrive in time.", "Send it again, faster or shorter."],
  version_conflict: [
    "`if_version` is not the entry's version: somebody wrote in between.",
    "Decide again from `current`, and send the write with its version.",
  ],
  etag_mismatch: [
    "`If-Match` or `If-None-Match` does not hold: somebody wrote in between.",
    "Decide again from `current`, and send the write with its version as the `ETag`.",
  ],
  precondition_failed: [
    "The gate `if` was not true of the state that the write would have changed.",
    "Wait until it is, with the same expression as `condition`; `cause` tells of a missing key.",
  ],
  not_a_number: [
    "The entry to be incremented holds no number, or the sum is out of range.",
    "Write a number first, or use another key.",
  ],
  already_claimed: ["Another agent holds the message: `claimed_by`.", "Take another task."],
  agent_exists: [
    "An agent was registered with `if_new`, and its id is there already.",
    "Take another id, or register without `if_new` if the agent is you.",
  ],
  limit_reached: [
    "The room has as many keys, views or agents as it may have, or its views would be too long in all.",
    "Delete keys and views that nobody needs, or open another room.",
  ],
  idempotency_mismatch: [
    "The `Idempotency-Key` was used in this room for another request, or before a release that cannot repeat the answer.",
    "Take a new random UUID for each request, and the same one only to repeat it. `message` says which it was.",
  ],
  too_large: [
    "The body or a value has too many bytes.",
    "Keep large data elsewhere and share where it is.",
  ],
  unsupported_encoding: [
    "The body is packed (`Content-Encoding`), and bodies are read as they are.",
    "Send it without `Content-Encoding`.",
  ],
  rate_limited: ["Too many requests came at once.", "Wait `Retry-After` seconds, then repeat."],
  internal: ["Something went wrong on our side. It was logged.", "Try again; tell us if it stays."],
  unavailable: [
    "The database does not answer, the instance holds as many waits as it can, or the room needs a later release than it has.",
    "Wait `Retry-After` seconds. Read before you repeat a message or an increment: it may have worked.",
  ],
};

/** Every error code as Markdown; its headings are what `docs` of an error points to. */
export function errorsPage(): string {
  const codes = Object.entries(EXPLAINED) as Array<[ErrorCode, [string, string]]>;
  const rows = codes.map(([code, [cause, cure]]) =>
    `## ${code}\n\nStatus ${STATUS[code]}. ${cause}\n\n**Do this:** ${cure}\n`
  );
  return `# Errors\n\nAn error is \`{"error":"<code>","message":"...","hint":"...","docs":"/docs/errors#<code>"}\`.\n\n${
    rows.join("\n")
  }\n## Read next\n\n[The guide]($CONVENE/help), [every operation]($CONVENE/docs/api).\n`;
}
