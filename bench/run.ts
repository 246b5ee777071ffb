/** Runs the benchmarks that are named, or all, each in a process of its own; `--quick` for a run of seconds each. */
import { aligned, quick, type Results, targetRow } from "./support/report.ts";

const ALL = [
  "throughput",
  "round_trips",
  "wake",
  "idle",
  "scaling",
  "contention",
  "gates",
  "queue",
  "tokens",
  "globs",
  "page",
  "cel",
  "cold_start",
  "profile",
];
const DEADLINE_MS = quick ? 120_000 : 900_000;

const options = Deno.args.filter((arg) => arg.startsWith("--"));
const names = Deno.args.filter((arg) => !options.includes(arg));
const unknown = names.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark called ${unknown.join(", ")}. There are: ${ALL.join(", ")}`);
  Deno.exit(1);
}

const failed: string[] = [];
const rows = [];
for (const name of names.length > 0 ? names : ALL) {
  if (!await run(name)) failed.push(name);
  else {rows.push(
      ...(await resultsOf(name)).targets.map((target) => ({ benchmark: name, ...targetRow(target) })),
    );}
}
console.log(`\n# targets${quick ? " (a quick run shows no more than that everything works)" : ""}\n`);
console.log(aligned(rows));
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(", ")}`);
  Deno.exit(1);
}

async function run(name: string): Promise<boolean> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(`${name}.ts`, import.meta.url).pathname, ...options],
    stdin: "null",
  }).spawn();
  const late = setTimeout(() => process.kill("SIGTERM"), DEADLINE_MS);
  const { success } = await process.status;
  clearTimeout(late);
  return success;
}

async function resultsOf(name: string): Promise<Results> {
  return JSON.parse(await Deno.readTextFile(new URL(`results/${name}.json`, import.meta.url)));
}
