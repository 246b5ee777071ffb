import { pause } from "../../db/pause.ts";

/** Platforms end a process 5 s after they told it to. */
const MAX_END_MS = 4_500;

/** Milliseconds in which requests are answered; what is left is for the database. */
const ANSWERED_WITHIN_MS = 4_000;

/** Milliseconds in which the database may answer; requests that it keeps for longer are refused in the rest. */
export const KEPT_FOR_MS = 3_000;

/** A signal to the group of processes and the one that a task runner passes on come this close together. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs `answer`, then `close`, once when the process is told to end (SIGINT, SIGTERM), then ends it: in time whatever
 * `answer` waits for, such as a reader that takes nothing, and at once when it is told again. A second signal within
 * a second is the same one. Does nothing on runtimes without signals.
 */
export function onEnd(answer: () => Promise<unknown>, close: () => Promise<unknown>): void {
  let told: number | undefined;
  const listener = async () => {
    if (told !== undefined) {
      if (performance.now() - told > SAME_SIGNAL_MS) Deno.exit(1);
      return;
    }
    told = performance.now();
    setTimeout(() => Deno.exit(0), MAX_END_MS);
    const late = pause(ANSWERED_WITHIN_MS);
    await Promise.race([answer(), late]);
    await close();
    Deno.exit(0);
  };
  try {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, listener);
  } catch {
    // The platform ends the process by itself.
  }
}
