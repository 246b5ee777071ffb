import type { RoomInfo } from "../client/mod.ts";
import { type Command, flag, type Hints, text } from "./command.ts";
import { EXIT } from "./exit.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { keepMade } from "./keeping.ts";
import { forgetTokens } from "./kept_tokens.ts";
import { print, remark, tell, tellList } from "./print.ts";
import { aboutToken } from "./token_hint.ts";
import { UsageError } from "./values.ts";

const HOW = "[id] [--locked] | delete <id>";

const OF_CREATION: Hints = {
  forbidden:
    "Say --locked where only the operator makes open rooms, or set CONVENE_TOKEN to the operator's token.",
  id_unavailable:
    "Take another id. That of a room that was just deleted is free again after a moment. Whoever has a token of a " +
    "locked room enters it without --locked, under the token that is kept or in CONVENE_TOKEN.",
};

const BY_WHOM =
  "A locked room is deleted under an admin's token of it, an open one under the operator's: set CONVENE_TOKEN to that.";
const OF_DELETION: Hints = { forbidden: BY_WHOM, unauthenticated: BY_WHOM };

export const room: Command = {
  usage: HOW,
  about:
    "Create a room, or enter it if it exists; prints its id. Without an id it gets a UUID. --locked: a new room " +
    "only, that answers nobody without a token; its admin's is kept. delete: an admin of a locked room does so, or the " +
    "operator; its id is free again after a moment.",
  options: { locked: flag },
  words: [0, 2],
  hints: ({ words }) => words[0] === "delete" ? OF_DELETION : OF_CREATION,
  async run(input) {
    const [id, further] = input.words;
    const locked = input.flags.locked === true;
    if (id === "delete") return await remove(input, further, locked);
    if (further !== undefined) throw new UsageError(`This is how: convene room ${HOW}`);
    const server = input.serverFor(locked ? undefined : id);
    const opened = await server.open(id, { locked: locked || undefined });
    const { token } = opened;
    if (token !== undefined && token !== server.connection.token) keepMade(input, opened, token);
    tell(input, { id: opened.id, page: opened.page }, opened.id);
  },
};

async function remove(input: Input, id: string | undefined, locked: boolean): Promise<number | void> {
  if (id === undefined) throw new UsageError("Which room? convene room delete <id>");
  if (locked) throw new UsageError(`--locked is for new rooms: convene room delete ${id}`);
  const server = input.serverFor(id);
  const deleted = await server.room(id).delete();
  if (input.json) print(JSON.stringify({ deleted }));
  if (!deleted) {
    remark(`convene: There is no room ${id}. A locked one answers its own tokens alone.`);
    const ofToken = aboutToken(input);
    if (ofToken) remark(ofToken);
    return EXIT.failed;
  }
  forgetTokens(input.environment, server.connection.url, id);
  if (!input.json) print(`deleted ${id}`);
}

export const rooms: Command = {
  usage: "[--all] [--limit N]",
  about:
    "Print the rooms, newest first, one per line: 100, or --limit, at most 1,000. --all, by the operator: those " +
    "too that are in no list.",
  options: { all: flag, limit: text },
  words: [0, 0],
  hints: {
    forbidden: "Set CONVENE_TOKEN to the operator's token, which is OPERATOR_TOKEN of the service.",
    unauthenticated: "Set CONVENE_TOKEN to the operator's token, which is OPERATOR_TOKEN of the service.",
  },
  async run(input) {
    const all = input.flags.all === true || undefined;
    tellList(input, await input.serverFor().rooms({ all, limit: input.number("limit") }), lineOf);
  },
};

/** Formats a room on one line: `lobby since 2026-11-22T04:20:00.000Z (locked)`. */
function lineOf(room: RoomInfo): string {
  const { id, created_at, locked, listed } = having(room, "id", "created_at");
  const kind = locked ? " (locked)" : listed === false ? " (not listed)" : "";
  return `${id} since ${created_at}${kind}`;
}
