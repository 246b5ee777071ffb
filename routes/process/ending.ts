import { pause } from "../../db/pause.ts";

/** Platforms kill a process 5 s after the signal. */
const MAX_END_MS = 4_500;

/** Milliseconds for answering requests; the rest is for closing the database. */
const ANSWERED_WITHIN_MS = 4_000;

/** Milliseconds for the database to answer; requests that it holds longer are then refused. */
export const HELD_FOR_MS = 3_000;

/** Maximum milliseconds between a signal to the process group and the copy that a task runner passes on. */
const SAME_SIGNAL_MS = 1_000;

/** Milliseconds for the runtime to tell of a signal that came while the thread was busy with answers. */
const TOLD_WITHIN_MS = 20;

/**
 * On SIGINT or SIGTERM runs `answer`, then `close`, and exits: in time even if `answer` hangs, such as on a stalled
 * reader, and at once on a further signal. A signal within a second of the first is a copy of it. Does nothing on
 * runtimes without signals.
 */
export function onEnd(answer: () => Promise<unknown>, close: () => Promise<unknown>): void {
  let heed: "first" | "copies" | "further" = "first";
  const listener = async () => {
    if (heed === "further") Deno.exit(1);
    if (heed === "copies") return;
    heed = "copies";
    // A copy may be told of long after it came, since answers keep the thread busy: the timers are as late.
    setTimeout(() => setTimeout(() => heed = "further", TOLD_WITHIN_MS), SAME_SIGNAL_MS);
    setTimeout(() => Deno.exit(0), MAX_END_MS);
    const late = pause(ANSWERED_WITHIN_MS);
    await Promise.race([answer(), late]);
    await close();
    Deno.exit(0);
  };
  try {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, listener);
  } catch {
    // The platform ends the process itself.
  }
}
