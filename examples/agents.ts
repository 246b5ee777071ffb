import { Room } from "./client.ts";

/** The service to talk to: the first argument, CONVENE_URL, or where `deno task start` serves. */
export const serviceUrl = Deno.args[0] ?? Deno.env.get("CONVENE_URL") ?? "http://localhost:8000";

/** Makes a new room, an open one unless told otherwise. Where the service refuses, the program ends and says why. */
export async function newRoom(make: (url: string) => Promise<Room> = Room.open): Promise<Room> {
  try {
    return await make(serviceUrl);
  } catch (error) {
    const { message, cause } = error as Error;
    console.error(cause instanceof Error ? `${message}: ${cause.message}` : message);
    Deno.exit(1);
  }
}

/**
 * Runs one process of `script` for each list of arguments, and `work` beside them, until all have ended.
 * When one fails, so does this, and the other processes are ended: none is left.
 */
export async function withAgents<T>(script: string, lists: string[][], work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const agents = lists.map((args) => runAgent(script, args, stop.signal));
  try {
    const [outcome] = await Promise.all([work(), ...agents]);
    return outcome;
  } finally {
    stop.abort();
    await Promise.allSettled(agents);
  }
}

async function runAgent(script: string, args: string[], signal: AbortSignal): Promise<void> {
  const { success, code } = await startAgent(script, args, signal).status;
  if (!success) throw new Error(`Agent ${args.at(-1)} ended with code ${code}`);
}

/** Starts one process of `script`. */
export function startAgent(script: string, args: string[], signal?: AbortSignal): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", new URL(script, import.meta.url).href, ...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
    signal,
  }).spawn();
}
