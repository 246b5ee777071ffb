import { join as joinByAddress, type Joined, type Joiner } from "../client/mod.ts";
import { type Command, flag, type Hints, text } from "./command.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { keepJoined } from "./keeping.ts";
import { tell } from "./print.ts";
import { PATIENCE, reachingFetch } from "./reach.ts";
import { UsageError } from "./values.ts";

/** A code as the service writes it, and as people may write it where a word cannot be an agent's id. */
const CODE = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;
const LIKE_A_CODE = /^(?:[0-9A-TV-Z]-*){10}$/i;

/** True of what is no agent's id, though it may be no invitation's address either, as of the page of a room. */
const isAddress = (word: string) => word.includes("/join/") || /^https?:\/\//i.test(word);

/** True of a word beside the option that names the agent: it is no other agent's id. */
const isBesideAgent = (input: Input, word: string) => ![undefined, "", word].includes(input.text("agent"));

function isInvitation(input: Input, word = ""): word is string {
  if (isAddress(word) || CODE.test(word)) return true;
  return (input.roomId === undefined || isBesideAgent(input, word)) && LIKE_A_CODE.test(word);
}

/** Refuses a word that is neither a code nor an id, as one that was cut when it was pasted. */
function refuseCut(input: Input, word: string): void {
  const code = "A join code has ten characters, such as 7KQ2M-X9D4T.";
  if (isBesideAgent(input, word)) {
    throw new UsageError(`${word} and --agent ${input.text("agent")} are two ids: say one. ${code}`);
  }
  if (input.roomId === undefined) {
    throw new UsageError(`Which room is ${word} to register in? Say --room ID or set CONVENE_ROOM. ${code}`);
  }
}

/** What to do about a code that is refused. */
const OF_CODES: Hints = {
  invite_not_found:
    "Check the code letter for letter. If it is right, ask whoever invited you for a new one, which lasts longer or " +
    "lets more in: convene invite --ttl 1h --uses N. If you have joined by it before, go on with the token that is " +
    "kept: say --room.",
  rate_limited: "Wait a minute, then try the right code; ask whoever invited you for it: convene invite.",
};

export const join: Command = {
  usage:
    "[id | address of an invitation | code] [--name NAME] [--role ROLE] [--if-new] [--secure] [--private]",
  about: "Register as an agent of the room; prints its id. Without an id: --agent, or a UUID. " +
    "--if-new: exits with 1 if the id exists. --secure: nobody else but an admin acts as it. --private: that, and the scope of its " +
    "name is its own. By a code, which names the room: as --agent, or the one that is invited, and secure. Tokens are " +
    "kept for the following commands, each agent's: --agent takes it. An admin's goes on counting for all.",
  options: { name: text, role: text, "if-new": flag, secure: flag, private: flag },
  words: [0, 1],
  hints: (input) => isInvitation(input, input.words[0]) ? OF_CODES : {},
  async run(input) {
    const [word] = input.words;
    if (isInvitation(input, word)) return await joinBy(input, word);
    if (word !== undefined) refuseCut(input, word);
    const id = word ?? input.agent;
    const { room } = input;
    const hides = input.flags.private === true;
    const { token, ...joined } = await room.join({
      id,
      name: input.text("name") ?? id,
      role: input.text("role"),
      if_new: input.flags["if-new"] === true || undefined,
      secure: hides || input.flags.secure === true || undefined,
      private: hides || undefined,
    });
    const agent = having(joined, "id");
    if (token) await keepJoined(input, room.as(agent.id), token);
    tell(input, agent, agent.id);
  },
};

/** Joins by the address of an invitation, or by its code at the server. */
async function joinBy(input: Input, word: string): Promise<void> {
  if (input.flags["if-new"] === true) {
    throw new UsageError("--if-new is not for codes: they register new agents.");
  }
  const who = {
    agent: input.named,
    name: input.text("name"),
    role: input.text("role"),
    private: input.flags.private === true || undefined,
  };
  const { room, agent, token, revision, guide } = isAddress(word)
    ? await joinAt(word, who)
    : await input.server.join(word, who);
  await keepJoined(input, room, token);
  const shown = { server: room.connection.url, room: room.id, agent, revision, guide };
  tell(input, shown, agent);
}

async function joinAt(url: string, who: Joiner): Promise<Joined> {
  try {
    const fetch = reachingFetch(URL.canParse(url) ? new URL(url).origin : url);
    return await joinByAddress(url, { ...who, fetch, patience: PATIENCE });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

export const leave: Command = {
  usage: "[id]",
  about: "Take an agent, --agent without an id, off the roster; its claims and reservations end.",
  words: [0, 1],
  async run(input) {
    const agent = input.words[0] ?? input.actor;
    const { left } = having({ left: await input.room.leave({ agent }) }, "left");
    tell(input, { left }, left ? `${agent} left` : `${agent} was not there`);
  },
};
