import { join as joinByAddress, type Joined, type Joiner, type Role, type Room } from "../client/mod.ts";
import type { Command, Input } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { keepToken } from "./kept_tokens.ts";
import { json, plain } from "./plain.ts";
import { print } from "./print.ts";
import { PATIENCE, reachingFetch } from "./reach.ts";
import { UsageError } from "./values.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const room: Command = {
  usage: "[id] [--locked]",
  about:
    "Create a room, or join it if it exists; prints its id. Without an id it gets a UUID. --locked: a new room " +
    "that answers nobody without a token; its admin's is kept.",
  options: { locked: flag },
  words: [0, 1],
  async run(input) {
    const opened = await input.server.open(input.words[0], {
      locked: input.flags.locked === true || undefined,
    });
    if (opened.token !== undefined) keep(input, opened, opened.token);
    print(input.json ? json({ id: opened.id, page: opened.page }) : plain(opened.id));
    return EXIT.done;
  },
};

/** Keeps a token and says how to use it. */
function keep(input: Input, { id, connection, agent }: Room, token: string): void {
  const file = keepToken(input.environment, { server: connection.url, room: id, agent, token });
  const set = { CONVENE_URL: connection.url, CONVENE_ROOM: id, ...agent && { CONVENE_AGENT: agent } };
  const words = Object.entries(set).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`);
  console.error(plain(`The token is kept in ${file}, for whoever works here in the room.`));
  console.error(plain(`export ${words.join(" ")}`));
}

/** A code as the service writes it, and as people may write it where no room is named for whose agent a word stands. */
const CODE = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;
const LIKE_A_CODE = /^(?:[0-9A-TV-Z]-*){10}$/i;

function isInvitation({ roomId }: Input, word: string): boolean {
  return word.includes("/join/") || CODE.test(word) || roomId === undefined && LIKE_A_CODE.test(word);
}

export const join: Command = {
  usage: "[id | address of an invitation | code] [--name NAME] [--role ROLE] [--if-new] [--secure]",
  about: "Register as an agent of the room; prints its id. Without an id: --agent, or a UUID. " +
    "--if-new: exits with 1 if the id exists. --secure: nobody else acts as it. By a code, which names the room: as " +
    "--agent, or the one that is invited. Tokens are kept for the following commands.",
  options: { name: text, role: text, "if-new": flag, secure: flag },
  words: [0, 1],
  async run(input) {
    const [word] = input.words;
    if (word !== undefined && isInvitation(input, word)) return await joinBy(input, word);
    const id = word ?? input.agent;
    const { room } = input;
    const { token, ...agent } = await room.join({
      id,
      name: input.text("name") ?? id,
      role: input.text("role"),
      if_new: input.flags["if-new"] === true || undefined,
      secure: input.flags.secure === true || undefined,
    });
    if (token) keep(input, room.as(agent.id), token);
    print(input.json ? json(agent) : plain(agent.id));
    return EXIT.done;
  },
};

/** Joins by the address of an invitation, or by its code at the server. */
async function joinBy(input: Input, word: string): Promise<number> {
  if (input.flags["if-new"] === true) {
    throw new UsageError("--if-new is not for codes: they register new agents.");
  }
  const who = { agent: input.named, name: input.text("name"), role: input.text("role") };
  const { room, agent, token, revision, guide } = word.includes("/join/")
    ? await joinAt(word, who)
    : await input.server.join(word, who);
  keep(input, room, token);
  const shown = { server: room.connection.url, room: room.id, agent, revision, guide };
  print(input.json ? json(shown) : plain(agent));
  return EXIT.done;
}

async function joinAt(url: string, who: Joiner): Promise<Joined> {
  try {
    const fetch = reachingFetch(URL.parse(url)?.origin ?? url);
    return await joinByAddress(url, { ...who, fetch, patience: PATIENCE });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

export const invite: Command = {
  usage: "[agent] [--role ROLE] [--uses N] [--ttl 15m] [--note TEXT]",
  about:
    "Make a join code for an agent on another machine; prints the address to paste there. --role admin, member " +
    "(the default) or reader.",
  options: { role: text, uses: text, ttl: text, note: text },
  words: [0, 1],
  async run(input) {
    const made = await input.room.invites.create({
      role: input.text("role") as Role | undefined,
      agent: input.words[0],
      uses: input.number("uses"),
      ttl: input.seconds("ttl"),
      note: input.text("note"),
    });
    print(input.json ? json(made) : plain(made.url));
    return EXIT.done;
  },
};

export const leave: Command = {
  usage: "[id]",
  about: "Take an agent, --agent without an id, off the roster; its claims and reservations end.",
  words: [0, 1],
  async run(input) {
    const agent = input.words[0] ?? input.actor;
    const left = await input.room.leave({ agent });
    if (input.json) print(json({ left }));
    else print(plain(left ? `${agent} left` : `${agent} was not there`));
    return EXIT.done;
  },
};
