import process from "node:process";
import { ConveneError, type Json, type Message, type TaskLease } from "../client/mod.ts";
import { type Command, text } from "./command.ts";
import type { Input } from "./input.ts";
import { FILTER, filterOf, lineOf } from "./messages.ts";
import { remark, tell } from "./print.ts";
import { findProgram, runProgram } from "./program.ts";
import { toldWaiting } from "./reach.ts";
import { readValue, UsageError } from "./values.ts";

/** The signals that stop the worker. The last comes when its terminal is closed. */
const STOPS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export const work: Command = {
  usage:
    "[--kind KIND] [--from AGENT] [--to AGENT] [--thread ID] [--where CEL] [--ttl 60s] [--concurrency N] " +
    "-- PROGRAM [argument...]",
  about:
    "Run a program for each task, with the message as JSON on its input, and renew the claim while it runs. If it " +
    "exits with 0, the task is done, and what it printed is the result (nothing: none). Otherwise, and when Ctrl-C " +
    "ends the worker, the task is given back. The program finds the task in CONVENE_TASK and CONVENE_FENCE, and can " +
    "call convene without --server, --room and --agent. If the worker is killed, be it with kill -9, its programs are " +
    "ended, and another worker gets the task after --ttl. A program that has left its process group, and all on a " +
    "machine that is cut off, run on: what they change elsewhere can refuse them by CONVENE_FENCE, a number that " +
    "rises with every claim.",
  options: { ...FILTER, where: text, ttl: text, concurrency: text },
  words: [1, Infinity],
  async run(input) {
    const agent = input.actor;
    const stop = new AbortController();
    const leave = () => stop.abort(new Error("The worker was told to stop."));
    for (const signal of STOPS) process.on(signal, leave);
    let work = () => {};
    const idle = new Promise<void>((resolve) => work = resolve);
    try {
      await findProgram(input.words[0]!);
      toldWaiting(`tasks in ${input.room.id}`, idle);
      await input.room.tasks.worker((message, lease) => {
        work();
        return handle(input, message, lease, stop);
      }, {
        ...filterOf(input),
        where: input.text("where"),
        agent,
        ttl: input.seconds("ttl"),
        concurrency: input.number("concurrency"),
        signal: stop.signal,
      });
    } finally {
      work();
      for (const signal of STOPS) process.off(signal, leave);
    }
    const { reason } = stop.signal;
    if (reason instanceof UsageError || reason instanceof ConveneError) throw reason;
  },
};

/** Runs the program for a task. If there is no such program, the worker stops. */
async function handle(
  input: Input,
  message: Message,
  { signal, fence }: TaskLease,
  stop: AbortController,
): Promise<Json | undefined> {
  try {
    tell(input, message, lineOf(message));
  } catch (error) {
    stop.abort(error); // not a message of Convene: the worker would take it again and again
    throw error;
  }
  const env = {
    ...process.env,
    // With these the program can call the command for its room.
    CONVENE_URL: input.server.connection.url,
    CONVENE_ROOM: message.room_id,
    CONVENE_AGENT: input.agent,
    CONVENE_TASK: String(message.id),
    CONVENE_FENCE: String(fence),
  };
  try {
    const printed = await runProgram({
      words: input.words,
      env,
      input: `${JSON.stringify(message)}\n`,
      signal,
    });
    return resultOf(printed);
  } catch (error) {
    if (error instanceof UsageError) stop.abort(error);
    const { reason = error } = signal;
    if (!(reason instanceof UsageError)) remark(`convene: ${message.id}: ${reason.message}`);
    throw reason;
  }
}

/** Reads a program's output: JSON, else text without the final line break. */
function resultOf(printed: string): Json | undefined {
  const text = printed.replace(/\n+$/, "");
  if (text === "") return undefined;
  try {
    return readValue(text);
  } catch {
    return text; // a number that a double would change
  }
}
