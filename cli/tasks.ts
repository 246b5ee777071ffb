import type { Claim, NoneTaken, Taken, TaskAttempt } from "../client/mod.ts";
import { type Command, flag, text } from "./command.ts";
import { EXIT } from "./exit.ts";
import { having } from "./having.ts";
import type { Input } from "./input.ts";
import { FILTER, filterOf, idOf, lineWith } from "./messages.ts";
import { shown, worded } from "./plain.ts";
import { print, remark, remarkUnregistered, tell, tellList } from "./print.ts";
import { toldWaiting } from "./reach.ts";
import { UsageError } from "./values.ts";

export const claim: Command = {
  usage: "<message id> [--ttl 5m]",
  about:
    "Claim a message for --agent, for --ttl; without it until the agent ends the claim. Exits with 1 if it cannot be had.",
  options: { ttl: text },
  words: [1, 1],
  async run(input) {
    const id = messageId(input);
    const claiming = input.room.messages.claim(id, { ttl: input.seconds("ttl"), agent: input.actor });
    const outcome = having(await claiming, "claimed");
    tell(input, outcome, claimLine(id, outcome));
    if (!outcome.claimed) return EXIT.failed;
    remarkUnregistered(outcome);
  },
};

function claimLine(id: number, outcome: Claim): string {
  if (outcome.claimed) {
    const { claimed_until, fence } = having(outcome, "claimed_until", "fence");
    return `claimed ${id}${claimed_until === null ? "" : ` (fence ${fence})`}`;
  }
  if (outcome.code === "task_blocked") {
    return `${id} waits for ${having(outcome, "blocked_by").blocked_by.join(", ")}`;
  }
  if (outcome.code === "task_over") return `${id} ${outcome.status === "done" ? "is done" : "has failed"}`;
  return `${outcome.claimed_by} has ${id}`;
}

export const take: Command = {
  usage: "[--kind KIND] [--from AGENT] [--to AGENT] [--thread ID] [--where CEL] [--ttl 5m] [--timeout 2h]",
  about:
    "Take the oldest open task that fits, and wait where there is none; prints the message, with the fence of the " +
    "claim after its id. Without --kind: of any kind but message, result and ask. --where is CEL over the message, " +
    "such as 'message.body.n > 1'. Exits with 124 after --timeout. The claim ends after --ttl, 5m by default, unless " +
    "it is renewed.",
  options: { ...FILTER, where: text, ttl: text, timeout: text },
  words: [0, 0],
  async run(input) {
    const { room } = input;
    const taking: Promise<Taken | NoneTaken> = room.tasks.next({
      ...filterOf(input),
      where: input.text("where"),
      agent: input.actor,
      ttl: input.seconds("ttl"),
      timeout: input.duration("timeout") ?? Infinity,
    });
    const outcome = await toldWaiting(`a task in ${room.id}`, taking);
    remarkUnregistered(outcome);
    if (outcome.claimed) return tell(input, outcome, takenLine(outcome));
    const { hint, last_error } = outcome;
    const failure = last_error
      ? { ...last_error, message: `No task fits. One could not be judged: ${last_error.message}` }
      : { message: "There is no task.", hint };
    if (input.json) print(JSON.stringify(outcome));
    else remark(`convene: The time is over. ${worded(failure)}`);
    return EXIT.timedOut;
  },
};

/** Formats a message that was just taken, with its fence: `7 (fence 9) task ada: body ...`. */
function takenLine(taken: Taken): string {
  const { fence, message } = having(taken, "fence");
  return lineWith(message, ` (fence ${fence})`);
}

export const renew: Command = {
  usage: "<message id | reservation id> --fence N [--ttl 5m]",
  about: "Make one's claim or reservation end --ttl from now, 5m by default.",
  options: { fence: text, ttl: text },
  words: [1, 1],
  async run(input) {
    const fence = input.number("fence");
    if (fence === undefined) throw new UsageError("Which claim? Say the --fence with which it began.");
    const options = { agent: input.actor, fence, ttl: input.seconds("ttl") ?? 300 };
    const { room, words: [id] } = input;
    if (isMessage(id!)) {
      const held = having(await room.messages.renew(messageId(input), options), "claimed_until");
      tell(input, held, `until ${held.claimed_until}`);
    } else {
      const reservation = having(await room.reservations.renew(id!, options), "expires_at");
      tell(input, reservation, `until ${reservation.expires_at}`);
    }
  },
};

export const release: Command = {
  usage: "<message id | reservation id> [--fence N] [--error TEXT] [--text]",
  about:
    "Give a claimed message or a reservation back. A claim with a --ttl is named by its --fence. --error is kept with the attempt.",
  options: { fence: text, error: text, text: flag },
  words: [1, 1],
  async run(input) {
    const { room, words: [id] } = input;
    if (isMessage(id!)) {
      const released = having(await room.messages.release(messageId(input), ending(input)), "status");
      return tell(input, released, `${id} is ${released.status}`);
    }
    if (input.text("error") !== undefined) {
      throw new UsageError("--error is for claims: a reservation has none.");
    }
    const releasing = room.reservations.release(id!, { agent: input.actor, fence: input.number("fence") });
    const { released } = having({ released: await releasing }, "released");
    tell(input, { released }, released ? `released ${id}` : `${id} was over`);
  },
};

export const complete: Command = {
  usage: "<message id> [result] [--fence N] [--text]",
  about:
    "End one's task as done. A claim with a --ttl is named by its --fence. The result is posted as a reply of kind result; prints its id.",
  options: { fence: text, text: flag },
  words: [1, 2],
  async run(input) {
    const id = messageId(input);
    const typed = input.words[1];
    const completed = await input.room.messages.complete(id, {
      agent: input.actor,
      fence: input.number("fence"),
      result: typed === undefined ? undefined : input.value(typed),
    });
    const outcome = having(completed, "result");
    const line = outcome.result === null ? `done ${id}` : `done ${id}: ${having(outcome.result, "id").id}`;
    tell(input, outcome, line);
  },
};

export const fail: Command = {
  usage: "<message id> [--fence N] [--error TEXT] [--text]",
  about:
    "End one's task as failed, whatever is left of its attempts, or withdraw one that one has posted and nobody " +
    "holds. A claim with a --ttl is named by its --fence. --error is kept with the task.",
  options: { fence: text, error: text, text: flag },
  words: [1, 1],
  async run(input) {
    const outcome = having(await input.room.messages.fail(messageId(input), ending(input)), "message_id");
    tell(input, outcome, `failed ${outcome.message_id}`);
  },
};

export const attempts: Command = {
  usage: "<message id>",
  about: "Print the claims of a message, one per line: who, since when, how it ended.",
  words: [1, 1],
  async run(input) {
    tellList(input, await input.room.messages.attempts(messageId(input)), attemptLine);
  },
};

/** Formats an attempt on one line: `fence 7: ada since 2026-11-22T04:20:00.000Z, released 2026-...: error`. */
function attemptLine(attempt: TaskAttempt): string {
  const { fence, agent, claimed_at, ended, ended_at, error } = having(
    attempt,
    "fence",
    "agent",
    "claimed_at",
    "ended",
    "ended_at",
    "error",
  );
  const end = ended === null ? "has it" : `${ended} ${ended_at}${error === null ? "" : `: ${shown(error)}`}`;
  return `fence ${fence}: ${agent} since ${claimed_at}, ${end}`;
}

function ending(input: Input) {
  const error = input.text("error");
  return {
    agent: input.actor,
    fence: input.number("fence"),
    error: error === undefined ? undefined : input.value(error),
  };
}

/** Ids of messages are numbers, those of reservations are not. */
const isMessage = (word: string) => /^\d+$/.test(word);

const messageId = ({ words: [word = ""] }: Input) => idOf(word);
