/** Platforms end a process 5 s after they told it to. */
const MOST_MS = 4_500;

/**
 * Runs `end` once when the process is told to end (SIGINT, SIGTERM), then ends it: told twice, at once, and in
 * time whatever `end` waits for, such as a reader that takes nothing. Does nothing on runtimes without signals.
 */
export function onEnd(end: () => Promise<unknown>): void {
  let told = false;
  const listener = async () => {
    if (told) Deno.exit(1);
    told = true;
    setTimeout(() => Deno.exit(0), MOST_MS);
    await end();
    Deno.exit(0);
  };
  try {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, listener);
  } catch {
    // The platform ends the process by itself.
  }
}
