import type { Claim } from "../client/mod.ts";
import type { Command, Input } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { idOf } from "./messages.ts";
import { json, plain, shown } from "./plain.ts";
import { print } from "./print.ts";
import { UsageError } from "./values.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

export const claim: Command = {
  usage: "<message id> [--ttl 5m]",
  about: "Claim a message for --agent; with --ttl until then. Exits with 1 if it cannot be had.",
  options: { ttl: text },
  words: [1, 1],
  async run(input) {
    const id = messageId(input);
    const outcome = await input.room.messages.claim(id, { ttl: input.seconds("ttl"), agent: input.actor });
    if (input.json) print(json(outcome));
    else print(plain(claimLine(id, outcome)));
    return outcome.claimed ? EXIT.done : EXIT.failed;
  },
};

function claimLine(id: number, outcome: Claim): string {
  if (outcome.claimed) {
    return `claimed ${id}${outcome.claimed_until === null ? "" : ` (fence ${outcome.fence})`}`;
  }
  if (outcome.code === "task_blocked") return `${id} waits for ${outcome.blocked_by.join(", ")}`;
  if (outcome.code === "task_over") return `${id} ${outcome.status === "done" ? "is done" : "has failed"}`;
  return `${outcome.claimed_by} has ${id}`;
}

export const renew: Command = {
  usage: "<message id> --fence N [--ttl 5m]",
  about: "Make one's claim end --ttl from now, 5m by default.",
  options: { fence: text, ttl: text },
  words: [1, 1],
  async run(input) {
    const fence = input.number("fence");
    if (fence === undefined) throw new UsageError("Which claim? Say the --fence with which it began.");
    const options = { agent: input.actor, fence, ttl: input.seconds("ttl") ?? 300 };
    const held = await input.room.messages.renew(messageId(input), options);
    print(input.json ? json(held) : `until ${held.claimed_until}`);
    return EXIT.done;
  },
};

export const release: Command = {
  usage: "<message id> [--fence N] [--error TEXT]",
  about: "Give a claimed message back. --error is kept with the attempt.",
  options: { fence: text, error: text, text: flag },
  words: [1, 1],
  async run(input) {
    const released = await input.room.messages.release(messageId(input), ending(input));
    print(input.json ? json(released) : `${released.message_id} is ${released.status}`);
    return EXIT.done;
  },
};

export const complete: Command = {
  usage: "<message id> [result] [--fence N] [--text]",
  about: "End one's task as done. The result is posted as a reply of kind result; prints its id.",
  options: { fence: text, text: flag },
  words: [1, 2],
  async run(input) {
    const id = messageId(input);
    const typed = input.words[1];
    const outcome = await input.room.messages.complete(id, {
      agent: input.actor,
      fence: input.number("fence"),
      result: typed === undefined ? undefined : input.value(typed),
    });
    if (input.json) print(json(outcome));
    else print(outcome.result === null ? `done ${id}` : `done ${id}: ${outcome.result.id}`);
    return EXIT.done;
  },
};

export const fail: Command = {
  usage: "<message id> [--fence N] [--error TEXT]",
  about: "End one's task as failed, or withdraw one that you posted.",
  options: { fence: text, error: text, text: flag },
  words: [1, 1],
  async run(input) {
    const outcome = await input.room.messages.fail(messageId(input), ending(input));
    print(input.json ? json(outcome) : `failed ${outcome.message_id}`);
    return EXIT.done;
  },
};

export const attempts: Command = {
  usage: "<message id>",
  about: "Print the claims of a message, one per line: who, since when, how it ended.",
  words: [1, 1],
  async run(input) {
    const list = await input.room.messages.attempts(messageId(input));
    if (input.json) print(json(list));
    else {for (const { fence, agent, claimed_at, ended, ended_at, error } of list) {
        const end = ended === null
          ? "has it"
          : `${ended} ${ended_at}${error === null ? "" : `: ${shown(error)}`}`;
        print(`fence ${fence}: ${plain(agent)} since ${claimed_at}, ${end}`);
      }}
    return EXIT.done;
  },
};

function ending(input: Input) {
  const error = input.text("error");
  return {
    agent: input.actor,
    fence: input.number("fence"),
    error: error === undefined ? undefined : input.value(error),
  };
}

const messageId = ({ words: [word = ""] }: Input) => idOf(word);
