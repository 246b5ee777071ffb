import type { Message } from "../client/mod.ts";
import type { Command } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { json, plain, shown } from "./plain.ts";
import { UsageError } from "./values.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const say: Command = {
  usage: "<body> [--to AGENT] [--kind KIND] [--reply-to ID] [--text]",
  about: "Post a message; prints its id.",
  options: { to: text, kind: text, "reply-to": text, text: flag },
  words: [1, 1],
  async run(input) {
    const message = await input.room.messages.post(input.value(input.words[0]!), {
      to: input.text("to"),
      kind: input.text("kind"),
      reply_to: input.number("reply-to"),
    });
    console.log(input.json ? json(message) : message.id);
    return EXIT.done;
  },
};

export const read: Command = {
  usage:
    "[--after ID|now] [--last N] [--kind KIND] [--from AGENT] [--to AGENT] [--thread ID] [--unclaimed] [--follow]",
  about:
    "Print the messages, one per line; --follow then prints each new one; with --after now only new ones.",
  options: {
    after: text,
    last: text,
    kind: text,
    from: text,
    to: text,
    thread: text,
    unclaimed: flag,
    follow: flag,
  },
  words: [0, 0],
  async run(input) {
    const filter = {
      kind: input.text("kind"),
      from: input.text("from"),
      to: input.text("to"),
      thread: input.number("thread"),
      unclaimed: input.flags.unclaimed === true || undefined,
    };
    const print = (message: Message) => console.log(input.json ? json(message) : lineOf(message));
    const { messages } = input.room;
    if (input.flags.follow === true) {
      if (input.flags.last !== undefined) throw new UsageError("--follow begins at --after, not at --last.");
      for await (const message of messages.follow({ ...filter, after: input.after })) print(message);
    } else {
      const [after, last] = [input.number("after"), input.number("last")];
      for (const message of await messages.list({ ...filter, after, last })) print(message);
    }
    return EXIT.done;
  },
};

export const claim: Command = {
  usage: "<message id>",
  about: "Claim a message for --agent. Exits with 1 if another agent holds it.",
  words: [1, 1],
  async run(input) {
    const id = Number(input.words[0]);
    if (!/^[1-9]\d{0,15}$/.test(input.words[0]!) || !Number.isSafeInteger(id)) {
      throw new UsageError(`${input.words[0]} is no message's id.`);
    }
    if (input.agent === undefined) throw new UsageError("Who claims? Say --agent ID or set CONVENE_AGENT.");
    const outcome = await input.room.messages.claim(id);
    if (input.json) console.log(json(outcome));
    else console.log(outcome.claimed ? `claimed ${id}` : plain(`${outcome.claimed_by} has ${id}`));
    return outcome.claimed ? EXIT.done : EXIT.failed;
  },
};

/** Formats a message on one line: `7 task ada -> bob (reply to 5): body [claimed by cyd]`. */
export function lineOf({ id, kind, from_agent, to_agent, reply_to, claimed_by, body }: Message): string {
  const way = plain(`${from_agent ?? "-"}${to_agent === null ? "" : ` -> ${to_agent}`}`);
  const reply = reply_to === null ? "" : ` (reply to ${reply_to})`;
  const claimed = claimed_by === null ? "" : plain(` [claimed by ${claimed_by}]`);
  return `${id} ${plain(kind)} ${way}${reply}: ${shown(body)}${claimed}`;
}
