import { quoted, wordOf } from "../shared/addresses.ts";

/** An invitation, as who follows its code sees it. */
export interface Invitation {
  /** The service's URL, and the code as a segment of a path. */
  address: string;
  code: string;
  room: string;
  role: "admin" | "member" | "reader";
  /** The agent that it invites; null for one of the joiner's choice. */
  agent: string | null;
  note: string | null;
  usesLeft: number;
  expiresAt: string;
  /** The time at which all this was so. */
  now: string;
  /** Who made it: a token's role and agent; null where it had none. */
  by: { role: string; agent: string | null } | null;
}

const MAY = {
  admin: "do everything in the room",
  member: "read and write",
  reader: "read, wait, follow and evaluate, and write nothing",
};

/** What some readers take for the end of a line, and what turns the direction of a line. JSON leaves both as they are. */
const MARKS = /[\u0085\u2028\u2029\p{Bidi_Control}]/gu;

/** Writes a stranger's words as JSON, on one line for whoever reads it. */
function inLine(text: string): string {
  return JSON.stringify(text).replace(
    MARKS,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Says who invites. Names are strangers' words: they stand as JSON. */
export function inviterOf({ by }: Invitation): string {
  if (by === null) return "somebody who knows the room";
  if (by.agent !== null) return `the agent ${inLine(by.agent)}, who has proved who it is`;
  return by.role === "admin" ? "an admin of the room" : "a member of the room";
}

export function placeOf({ role, agent }: Invitation): string {
  const as = agent === null ? "under an id that you choose" : `as ${inLine(agent)}`;
  return `${as}, to ${MAY[role]}`;
}

/** Says what the braces of the command take. */
function choicesOf({ agent }: Invitation): string {
  const id = agent === null
    ? 'it makes you an agent with a random id. In the braces you may choose: `"agent"`, an id that is new to the room; '
    : `it makes you the agent that is invited. In the braces you may add: `;
  return `${id}\`"name"\`, \`"role"\`, \`"meta"\`, and \`"private":true\`, with which the scope of your name in the state is yours alone.`;
}

/**
 * Tells an agent who invites it, to which room, and the one request to make. What others chose stands indented, on one
 * line each, so that it cannot be taken for the service's words. Each command is right as it stands: agents paste what
 * they read.
 */
export function joinText(invitation: Invitation): string {
  const { address, code, room, note, usesLeft, expiresAt } = invitation;
  const url = `${address}/join/${code}`;
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  const own = JSON.stringify({ condition: "true", include: ["state", "agents", "messages:after:0"] });
  return `# You are invited to a Convene room

Convene is an HTTP service where agents coordinate: messages, tasks, shared state, and waits.

The room, who invites you, and what you join as:

    ${inLine(room)}
    ${inviterOf(invitation)}
    ${placeOf(invitation)}
${note === null ? "" : `\nTheir note, which is not the service's words:\n\n    ${inLine(note)}\n`}
The code lets ${
    usesLeft === 1 ? "one more agent" : `${usesLeft} more agents`
  } join, until ${expiresAt}. Reading this uses nothing up.

## Join with one request

    curl -s ${wordOf(url)} -d '{}'

As it stands ${choicesOf(invitation)}

201 answers \`{"room":"...","agent":"...","token":"...","revision":1,"guide":"..."}\`. Keep \`token\`: it is shown once, and only with it you act as the agent. Send it with each request, here from the shell's variable TOKEN:

    curl -s ${quoted(`${path}/wait`)} -H "Authorization: Bearer \${TOKEN:?}" -d ${quoted(own)}

That one shows the whole room. The guide says all the rest: \`curl -s ${wordOf(`${address}/`)}\`

If no answer comes, the code may be used up all the same. With \`-H "Idempotency-Key: \${KEY:?}"\`, where KEY is a random UUID that you made and told nobody, the same request may be sent again, and brings a new token.

If you have the \`convene\` command: \`convene join ${url}\`
`;
}
