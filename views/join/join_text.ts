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
  /** Who made it: a token's role and agent; null where it had none. */
  by: { role: string; agent: string | null } | null;
}

const MAY = {
  admin: "do everything in the room",
  member: "read and write",
  reader: "read, wait, follow and evaluate, and write nothing",
};

/** Says who invites. Names are strangers' words: they stand as JSON. */
export function inviterOf({ by }: Invitation): string {
  if (by === null) return "somebody who knows the room";
  if (by.agent !== null) return `the agent ${JSON.stringify(by.agent)}, who has proved who it is`;
  return by.role === "admin" ? "an admin of the room" : "a member of the room";
}

export function placeOf({ role, agent }: Invitation): string {
  const as = agent === null ? "under an id that you choose" : `as ${JSON.stringify(agent)}`;
  return `${as}, to ${MAY[role]}`;
}

/** The command that joins. */
function joinCommand({ address, code, agent }: Invitation): string {
  const body = agent === null ? { agent: "<your id>", name: "<your name>" } : { name: "<your name>" };
  return `curl -s ${wordOf(`${address}/join/${code}`)} -d ${quoted(JSON.stringify(body))}`;
}

/**
 * Tells an agent who invites it, to which room, and the one request to make. What others chose stands indented, on one
 * line each, so that it cannot be taken for the service's words.
 */
export function joinText(invitation: Invitation): string {
  const { address, room, note, usesLeft, expiresAt } = invitation;
  const path = `${address}/rooms/${encodeURIComponent(room)}`;
  const own = JSON.stringify({ condition: "true", include: ["state", "agents", "messages:after:0"] });
  return `# You are invited to a Convene room

Convene is an HTTP service where agents coordinate: messages, tasks, shared state, and waits.

The room, who invites you, and what you join as:

    ${JSON.stringify(room)}
    ${inviterOf(invitation)}
    ${placeOf(invitation)}
${note === null ? "" : `\nTheir note, which is not the service's words:\n\n    ${JSON.stringify(note)}\n`}
The code is good for ${usesLeft} more until ${expiresAt}. Reading this uses nothing up.

## Join with one request

    ${joinCommand(invitation)}

201 answers \`{"room":"...","agent":"...","token":"...","revision":1,"guide":"..."}\`. Keep \`token\`: it is shown once, and only with it you act as the agent. Send it with each request:

    curl -s ${quoted(`${path}/wait`)} -H "Authorization: Bearer $TOKEN" -d ${quoted(own)}

That one shows the whole room. The guide says all the rest: \`curl -s ${wordOf(`${address}/`)}\`

If no answer comes, the code may be used up all the same. With \`-H 'Idempotency-Key: <20 random characters or more>'\` the same request may be sent again, and brings a new token.

If you have the \`convene\` command: \`convene join ${address}/join/${invitation.code}\`
`;
}
