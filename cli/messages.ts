import type { Message, TaskFailure, TaskStatus } from "../client/mod.ts";
import { type Command, flag, text } from "./command.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { plain, shown } from "./plain.ts";
import { remark, remarkUnregistered, tell } from "./print.ts";
import { UsageError } from "./values.ts";

/** The options that say which messages fit, tasks or others. */
export const FILTER = { kind: text, from: text, to: text, thread: text };

export function filterOf(input: Input) {
  return {
    kind: input.text("kind"),
    from: input.text("from"),
    to: input.text("to"),
    thread: input.number("thread"),
  };
}

export const say: Command = {
  usage: "<body> [--to AGENT] [--kind KIND] [--reply-to ID] [--needs ID,ID] [--max-attempts N] [--text]",
  about:
    "Post a message; prints its id. As a task it is blocked until those it --needs are done, and fails when --max-attempts claims have ended without complete.",
  options: { to: text, kind: text, "reply-to": text, needs: text, "max-attempts": text, text: flag },
  words: [1, 1],
  async run(input) {
    const posted = await input.room.messages.post(input.value(input.words[0]!), {
      to: input.text("to"),
      kind: input.text("kind"),
      reply_to: input.number("reply-to"),
      needs: input.text("needs")?.split(",").map((id) => idOf(id.trim())),
      max_attempts: input.number("max-attempts"),
    });
    const message = having(posted, "id");
    tell(input, message, message.id);
    remarkUnregistered(message);
    const { to_agent, recipient } = message;
    if (recipient && !(recipient.registered && recipient.alive)) {
      const how = recipient.registered ? "gives no sign of life" : "is not registered";
      remark(`convene: ${to_agent} ${how}: nobody may read this.`);
    }
  },
};

export const read: Command = {
  usage:
    "[--after ID|now] [--last N] [--kind KIND] [--from AGENT] [--to AGENT] [--thread ID] [--reply-to ID] " +
    "[--status STATUS] [--claimed-by AGENT] [--unclaimed] [--follow]",
  about:
    "Print the messages, one per line, with \u2713 behind a sender who has proved who it is; --follow then prints each " +
    "new one; with --after now only new ones.",
  options: {
    after: text,
    last: text,
    ...FILTER,
    "reply-to": text,
    status: text,
    "claimed-by": text,
    unclaimed: flag,
    follow: flag,
  },
  words: [0, 0],
  async run(input) {
    const filter = {
      ...filterOf(input),
      reply_to: input.number("reply-to"),
      status: input.text("status") as TaskStatus | undefined,
      claimed_by: input.text("claimed-by"),
      unclaimed: input.flags.unclaimed === true || undefined,
    };
    const show = (message: Message) => tell(input, message, lineOf(message));
    const { messages } = input.room;
    if (input.flags.follow === true) {
      if (input.flags.last !== undefined) throw new UsageError("--follow begins at --after, not at --last.");
      for await (const message of messages.follow({ ...filter, after: input.after })) show(message);
    } else {
      if (input.after === "now") {
        throw new UsageError("--after now is for --follow: without it nothing is new.");
      }
      const [after, last] = [input.number("after"), input.number("last")];
      for (const message of await messages.list({ ...filter, after, last })) show(message);
    }
  },
};

/** Errors: `UsageError` for a word that is no message's id. */
export function idOf(word: string): number {
  const id = Number(word);
  if (!/^[1-9]\d{0,15}$/.test(word) || !Number.isSafeInteger(id)) {
    throw new UsageError(`${word} is no message's id.`);
  }
  return id;
}

/** Stands behind a sender who has proved who it is. */
const VERIFIED = "\u2713";
/** What readers take for it. */
const CHECK_MARKS = /[\u2611\u2705\u2713\u2714\u221a\u{1f5f8}\u{1f5f9}]/gu;

/** Formats a name. One that has the mark of those who have proved who they are has it escaped. */
function named(text: string): string {
  return plain(text).replace(CHECK_MARKS, (mark) => `\\u${mark.codePointAt(0)!.toString(16)}`);
}

/** The members that a line has. */
const SHOWN = ["id", "kind", "from_agent", "to_agent", "reply_to", "body"] as const;

/** Formats a message on one line: `7 task ada✓ -> bob (reply to 5): body [claimed by cyd]`. */
export const lineOf = (message: Message) => lineWith(message, "");

/** The same with a note on its claim before all that others wrote. */
export function lineWith(message: Message, claim: string): string {
  const { id, kind, from_agent, to_agent, verified, reply_to, body } = having(message, ...SHOWN);
  const from = from_agent === null ? "-" : named(from_agent) + (verified ? VERIFIED : "");
  const to = to_agent === null ? "" : ` -> ${named(to_agent)}`;
  const reply = reply_to === null ? "" : ` (reply to ${reply_to})`;
  return `${id}${claim} ${named(kind)} ${from}${to}${reply}: ${shown(body)}${stateOf(message)}`;
}

/** Formats the status of a message as a task; empty for an open one. */
function stateOf({ status, claimed_by, needs, result_id, failure }: Message): string {
  if (status === "claimed") return ` [claimed by ${claimed_by}]`;
  if (status === "blocked") return ` [needs ${needs.join(", ")}]`;
  if (status === "done" && claimed_by !== null) {
    return ` [done by ${claimed_by}${result_id === null ? "" : `: ${result_id}`}]`;
  }
  return failure ? ` [${failureOf(claimed_by, failure)}]` : "";
}

/** Formats why a task failed: `failed by ada: no disk`. */
function failureOf(claimed_by: string | null, { reason, error, message }: TaskFailure): string {
  const why = error === undefined ? "" : `: ${shown(error)}`;
  if (reason === "failed") return `${claimed_by === null ? "called off" : `failed by ${claimed_by}`}${why}`;
  if (reason === "attempts") return `failed, no attempts left${why}`;
  return `failed: ${message === undefined ? reason : `it needs ${message}`}${why}`;
}
