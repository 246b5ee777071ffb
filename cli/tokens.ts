import process from "node:process";
import type { Role, Token } from "../client/mod.ts";
import { type Command, flag, text } from "./command.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { keep as keepFor } from "./keeping.ts";
import { keptAs, renewToken } from "./kept_tokens.ts";
import { print, remark, tell, tellList } from "./print.ts";
import { UsageError } from "./values.ts";

const HOW =
  "[make [agent] [--role ROLE] [--ttl 30d] [--note TEXT] | revoke <id> | rotate [--revoke-made] | keep]";

export const tokens: Command = {
  usage: HOW,
  about:
    "Print the tokens of the room that count, one per line: to an admin all, to others their own and those that they " +
    "made. make: prints a new one, this once; --role admin, member (the default) or reader, for an agent as whom alone it acts. " +
    "revoke: it and all that it made end. rotate: one's own gets a new text, which is kept as the old one was, or printed " +
    "where that was in CONVENE_TOKEN. keep: reads one, or the file of one, on its input, and keeps it for the following commands.",
  options: { role: text, ttl: text, note: text, "revoke-made": flag },
  words: [0, 2],
  hints: {
    token_not_found: "convene tokens prints the ids of those that count.",
    unauthenticated:
      "Set CONVENE_TOKEN to a token of the room that counts, or get one: convene join --secure, or by a code.",
  },
  run(input) {
    const [act = "list", word] = input.words;
    const run = Object.hasOwn(ACTS, act) ? ACTS[act] : undefined;
    if (run === undefined) throw new UsageError(`This is how: convene tokens ${HOW}`);
    const other = Object.keys(input.flags).find((name) => OF[name] !== undefined && OF[name] !== act);
    if (other !== undefined) throw new UsageError(`--${other} is for convene tokens ${OF[other]}.`);
    return run(input, word);
  },
};

/** Which act each option is for. */
const OF: Record<string, string> = { role: "make", ttl: "make", note: "make", "revoke-made": "rotate" };

const ACTS: Record<string, (input: Input, word?: string) => Promise<void>> = {
  list,
  make,
  revoke,
  rotate,
  keep,
};

async function list(input: Input, word?: string): Promise<void> {
  if (word !== undefined) throw new UsageError(`This is how: convene tokens ${HOW}`);
  tellList(input, await input.room.tokens.list(), lineOf);
}

async function make(input: Input, agent?: string): Promise<void> {
  const made = await input.room.tokens.create({
    role: (input.text("role") ?? "member") as Role,
    agent,
    ttl: input.seconds("ttl"),
    note: input.text("note"),
  });
  tell(input, having(made, "id"), made.token);
  remark(`convene: It is shown this once. It ends with: convene tokens revoke ${made.id}`);
}

async function revoke(input: Input, id?: string): Promise<void> {
  if (id === undefined) {
    throw new UsageError("Which token? convene tokens revoke <id>, as convene tokens prints it.");
  }
  if (id.startsWith("cvn_")) {
    throw new UsageError(
      "revoke takes the id of a token, as convene tokens prints it, not its text, which others on this machine can see now.",
    );
  }
  await input.room.tokens.revoke(id);
  tell(input, { revoked: true }, `revoked ${id}`);
}

async function rotate(input: Input, word?: string): Promise<void> {
  if (word !== undefined) throw new UsageError("rotate takes no id: each rotates its own token.");
  const { kept, room } = input;
  const revokeMade = input.flags["revoke-made"] === true || undefined;
  if (kept === undefined) {
    const made = await room.tokens.rotate({ revokeMade });
    tell(input, made, made.token);
    return remark("convene: It is shown this once, and the one in CONVENE_TOKEN counts no longer.");
  }
  renewToken(input.environment, kept); // fails before the old one ends, if it cannot be kept
  const { token, ...rotated } = await room.tokens.rotate({ revokeMade });
  try {
    renewToken(input.environment, { ...kept, token });
    remark(`The new text is kept in ${kept.file}, in place of the old one.`);
  } catch (error) {
    print(token); // nothing else has it
    throw error;
  }
  const { id } = having(rotated, "id");
  tell(input, rotated, `rotated ${id}`);
}

async function keep(input: Input, word?: string): Promise<void> {
  if (word !== undefined) throw new UsageError("keep reads a token on its input: convene tokens keep < FILE");
  const id = input.neededRoom;
  if (process.stdin.isTTY) remark("convene: Paste the token, then Ctrl-D.");
  let read = "";
  for await (const piece of process.stdin.setEncoding("utf8")) read += piece;
  const kept = keptAs(read);
  if (kept && (kept.room !== id || kept.server !== input.server.connection.url)) {
    throw new UsageError(
      `This token is of the room ${kept.room} at ${kept.server}: say --server and --room.`,
    );
  }
  const token = kept?.token ?? read.trim();
  if (!/^cvn_[amr]_\w+$/.test(token)) {
    throw new UsageError("keep reads a token of the room on its input, and this is none.");
  }
  const { server } = input;
  const self = await server.room(id, { token }).eval<string | null>("self"); // refused where the token does not count
  const agent = having({ self }, "self").self ?? undefined;
  keepFor(input, server.room(id, { agent, token }), token);
  tell(input, { room: id, agent: agent ?? null }, agent ?? id);
}

/** The members that a line has. */
const SHOWN = ["id", "role", "agent", "expires_at", "last_used_at", "note"] as const;

/** Formats a token on one line: `<id>: member for bob until 2026-11-22T04:20:00.000Z, used in the hour of 2026-11-21T04:00:00.000Z: note`. */
function lineOf(token: Token): string {
  const { id, role, agent, expires_at, last_used_at, note } = having(token, ...SHOWN);
  const whom = agent === null ? "" : ` for ${agent}`;
  const end = expires_at === null ? "" : ` until ${expires_at}`;
  const used = last_used_at === null ? "" : `, used in the hour of ${last_used_at}`;
  const why = note === null ? "" : `: ${note}`;
  return `${id}: ${role}${whom}${end}${used}${why}`;
}
