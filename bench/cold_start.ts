/** From the start of a process to its first answer, with a remote database that has its tables. */
import { startService } from "../tests/support/service.ts";
import { Connection } from "./support/connection.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { startScript } from "./support/script.ts";
import { alternate, median, quantile } from "./support/statistics.ts";

const ROUNDS = quick ? 3 : 20;

const report = new Report("cold_start");
await withCleanup(async (stack) => {
  const database = await openDatabase(stack, "libsql");
  const fresh = await firstAnswer(() => startService({ database }), "POST", "/rooms", { id: "r" });
  const subjects = {
    "nothing but a server": () => firstAnswer(() => startScript("support/trivial_server.ts"), "GET", "/"),
    "naive": () => firstAnswer(() => startNaive(database), "PUT", "/rooms/r/state", { key: "a", value: 1 }),
    "ours": () => firstAnswer(() => startService({ database }), "GET", "/rooms/r"),
    "ours, a write": () =>
      firstAnswer(() => startService({ database }), "PUT", "/rooms/r/state", { key: "a", value: 1 }),
    "ours, its modules alone": () => moduleLoading(database),
  };
  const names = Object.keys(subjects) as (keyof typeof subjects)[];
  const times = await alternate(names, ROUNDS, (subject) => subjects[subject]());

  const rows = names.map((subject) => ({
    subject,
    "p50 ms": median(times[subject]),
    "most ms": quantile(times[subject], 1),
  }));
  report.table(`from spawn to the first answer, medians of ${ROUNDS} rounds`, rows);
  report.table("the very first start, which makes the tables", [{ ms: fresh }]);
  report.target("from spawn to the first answer", median(times.ours), { most: 300 }, " ms");
  report.target("of which module loading", median(times["ours, its modules alone"]), { most: 150 }, " ms");
});
await report.finish();

function startNaive(database: string) {
  return startScript("naive.ts", { DATABASE_URL: database });
}

/** Milliseconds until a process has answered its first request. */
async function firstAnswer(
  start: () => Promise<{ url: string; stop(): Promise<void> }>,
  ...request: [method: string, path: string, body?: unknown]
): Promise<number> {
  const began = performance.now();
  const running = await start();
  try {
    const connection = await Connection.open(running.url);
    const { status, text } = await connection.request(...request);
    if (status >= 300) throw new Error(`${request.join(" ")}: ${status} ${text}`);
    const took = performance.now() - began;
    connection.close();
    return took;
  } finally {
    await running.stop();
  }
}

/** Milliseconds that a fresh process takes to load the service's modules, its database client among them. */
async function moduleLoading(database: string): Promise<number> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("support/module_loading.ts", import.meta.url).pathname],
    env: { TURSO_DATABASE_URL: database },
    stdin: "null",
    stderr: "inherit",
  });
  const { success, stdout } = await process.output();
  if (!success) throw new Error("The service's modules could not be loaded.");
  return Number(new TextDecoder().decode(stdout));
}
