/**
 * Runs `end` once when the process is told to end (SIGINT, SIGTERM), then ends it: told twice, at once. Does
 * nothing on runtimes that have no signals.
 */
export function onEnd(end: () => Promise<unknown>): void {
  let told = false;
  const listener = async () => {
    if (told) Deno.exit(1);
    told = true;
    await end();
    Deno.exit(0);
  };
  try {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, listener);
  } catch {
    // The platform ends the process by itself.
  }
}
