import { startLibsqlServer } from "../../tests/support/libsql_server.ts";
import { startScript } from "./script.ts";

/** Where the database is: a file, a libSQL server beside the service, or one further away. */
export type Place = "file" | "libsql" | "libsql + 10 ms";
export const PLACES: Place[] = ["file", "libsql", "libsql + 10 ms"];

const running = new Set<AsyncDisposableStack>();

/** Ends what was started for a benchmark, the last first, whatever became of it. */
export async function withCleanup(run: (stack: AsyncDisposableStack) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  running.add(stack);
  stack.defer(() => void running.delete(stack));
  await run(stack);
}

// A libSQL server is in a process group of its own: what ends a benchmark from outside does not reach it.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    for (const stack of [...running].reverse()) await stack.disposeAsync().catch(console.error);
    Deno.exit(1);
  });
}

/** An empty database of its own at a place; ended by the stack. */
export async function openDatabase(stack: AsyncDisposableStack, place: Place): Promise<string> {
  if (place === "file") {
    const folder = await Deno.makeTempDir({ prefix: "convene-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    return `file:${folder}/bench.db`;
  }
  const server = await startLibsqlServer();
  stack.defer(() => server.stop());
  if (place === "libsql") return server.url;
  const proxy = await startScript("delay_proxy.ts", { TARGET: server.url, DELAY_MS: "10" });
  stack.defer(() => proxy.stop());
  return proxy.url;
}
