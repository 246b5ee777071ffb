import type { Invite, Role } from "../client/mod.ts";
import { type Command, text } from "./command.ts";
import { having } from "./having.ts";
import { remark, tell, tellList } from "./print.ts";
import { UsageError } from "./values.ts";

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
    tell(input, made, made.url);
    const hostname = URL.canParse(made.url) ? new URL(made.url).hostname : "";
    if (LOOPBACK.test(hostname)) {
      remark(
        `convene: Another machine cannot reach ${hostname}. For it start the service with HOST=0.0.0.0, and write ` +
          "this machine's address in place of that.",
      );
    }
  },
};

/** Names of the machine that says them. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/;

const HOW = "[revoke <id>]";

export const invites: Command = {
  usage: HOW,
  about:
    "Print the invitations that count, one per line, without their codes: to an admin all, to others those that their " +
    "token made. revoke: an admin ends one; who has joined by it stays. convene invite makes them.",
  words: [0, 2],
  hints: { invite_not_found: "convene invites prints the ids of those that count." },
  async run(input) {
    const [act, id] = input.words;
    const { invites } = input.room;
    if (act === undefined) return tellList(input, await invites.list(), lineOf);
    if (act !== "revoke" || id === undefined) {
      throw new UsageError(`This is how: convene invites ${HOW}. convene invite makes one.`);
    }
    await invites.revoke(id);
    tell(input, { revoked: true }, `revoked ${id}`);
  },
};

/** The members that a line has. */
const SHOWN = ["id", "role", "agent", "uses", "uses_left", "expires_at", "note"] as const;

/** Formats an invitation on one line: `<id>: member for bob, 1 of 2 left until 2026-11-22T04:20:00.000Z: note`. */
function lineOf(invite: Invite): string {
  const { id, role, agent, uses, uses_left, expires_at, note } = having(invite, ...SHOWN);
  const whom = agent === null ? "" : ` for ${agent}`;
  const why = note === null ? "" : `: ${note}`;
  return `${id}: ${role}${whom}, ${uses_left} of ${uses} left until ${expires_at}${why}`;
}
