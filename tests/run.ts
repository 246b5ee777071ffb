/**
 * Runs the tests: `together` those that disturb no other, several files at once, `alone` those that measure what one
 * caller can do to others; of these those whose path begins with the second argument. The files of a folder run in
 * groups, a group in one isolate, one file after the other: so modules are loaded, and services and browsers started,
 * once for a group. Each file runs by itself too.
 */
import { statfsSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { eachLine } from "./support/lines.ts";
import { ROOT } from "./support/sources.ts";

/** They measure: whatever runs beside them counts as theirs. But one of them measures the work of its thread alone. */
const ALONE = /^tests\/(hostile\/(?!large_rooms\.)|browser\/load\.|faults\/thousand_waits\.)/;

/** They wait nearly all the time: they run one after the other beside the rest, and take up none of its places. */
const WAITING =
  /^tests\/(contract\/(clocks|crashes|events|fair_use|far_database|wake_ups)|faults\/outages|routes\/deadlines)\./;

/** Files of a group. The folders named here take long: they begin first, what computes beside what waits. */
const SIZES: Record<string, number> = {
  model: 1,
  browser: 5,
  faults: 2,
  contract: 16,
  mcp: 3,
  hostile: 8,
  strangers: 1,
  upgrade: 3,
  openapi: 3,
};
const SIZE = 8;

/** A folder in memory, and the bytes that must be free there. */
const MEMORY = "/dev/shm";
const MIN_MEMORY = 4 * 2 ** 30;

function testsIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? testsIn(`${folder}${name}/`) : /\.test\.tsx?$/.test(name) ? [`${folder}${name}`] : []
  ).sort();
}

/** Deals the files of each folder into groups, in the order in which these begin. */
function groupsOf(files: string[]): string[][] {
  const folders = Map.groupBy(files, (file) => file.split("/").length > 2 ? file.split("/")[1]! : "");
  const ranked = [...new Set([...Object.keys(SIZES), ...folders.keys()])].flatMap((folder) => {
    const own = folders.get(folder) ?? [];
    const count = Math.ceil(own.length / (SIZES[folder] ?? SIZE));
    return Array.from({ length: count }, (_, n) => ({
      files: own.filter((_, place) => place % count === n),
      rank: (folder in SIZES ? 0 : 1) + n / count,
    }));
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ files }) => files);
}

/** The module that runs a group. Its imports are literal, so that all modules are known before the tests begin. */
function moduleOf(files: string[]): string {
  const named = new URL("support/named.ts", import.meta.url);
  const each = files.map((file) =>
    `namedAfter("./${file}");\nawait import(${JSON.stringify(new URL(file, ROOT).href)});\n`
  );
  return `import { namedAfter } from "${named}";\n${each.join("")}`;
}

interface Way {
  args?: string[];
  env?: Record<string, string>;
  /** It goes before what else runs on the machine, which would count as slowness of what is measured. */
  precedes?: boolean;
}

async function run(groups: string[][], { args = [], env, precedes = false }: Way): Promise<boolean> {
  if (groups.length === 0) return true; // the runtime would take all files that there are
  const folder = await Deno.makeTempDir({ prefix: "convene-tests-" });
  try {
    const modules = groups.map((_, n) => `${folder}/${String(n).padStart(3, "0")}.ts`);
    for (const [n, module] of modules.entries()) await Deno.writeTextFile(module, moduleOf(groups[n]!));
    const config = fileURLToPath(new URL("deno.json", ROOT));
    const command = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--config", config, ...args, ...modules],
      cwd: ROOT,
      env,
      stdout: "piped",
    });
    const process = precedes ? preceding(() => command.spawn()) : command.spawn();
    // What is made for the tests is removed once they have ended, however that is.
    const signals = (["SIGINT", "SIGTERM"] as const).map((name) => ({
      name,
      pass: () => process.kill(name),
    }));
    for (const { name, pass } of signals) Deno.addSignalListener(name, pass);
    // A test is named after its file, and not after its group.
    await eachLine(process.stdout, (line) => console.log(line.replace(/^\S+\/\d+\.ts => /, "")));
    const { success } = await process.status;
    for (const { name, pass } of signals) Deno.removeSignalListener(name, pass);
    return success;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const [which, path = ""] = Deno.args;
if (which !== "together" && which !== "alone") throw new Error(`Run tests "together" or "alone": ${which}`);
const files = testsIn("tests/").filter((file) =>
  ALONE.test(file) === (which === "alone") && file.startsWith(path)
);
if (files.length === 0) throw new Error(`No tests to run ${which} begin with "${path}"`);
// More at once than there are cores: tests wait most of the time.
const jobs = String(2 * navigator.hardwareConcurrency);
const passed = which === "alone"
  ? await run(groupsOf(files), { precedes: true })
  : await inMemory(runTogether);
Deno.exit(passed ? 0 : 1);

async function runTogether(env: Record<string, string>): Promise<boolean> {
  const [waiting, others] = [true, false].map((waits) =>
    groupsOf(files.filter((f) => WAITING.test(f) === waits))
  );
  const outcomes = await Promise.all([
    run(waiting!, { env, precedes: true }), // costs the others little
    run(others!, { args: ["--parallel"], env: { ...env, DENO_JOBS: jobs } }),
  ]);
  return outcomes.every(Boolean);
}

/**
 * Has the databases of tests in memory, where there is enough: on a disk each commit waits a millisecond or two for it.
 * What an instance does is the same, and a process that is killed loses no more.
 */
async function inMemory<T>(runs: (env: Record<string, string>) => Promise<T>): Promise<T> {
  if (!hasMemory()) return await runs({});
  const folder = await Deno.makeTempDir({ dir: MEMORY, prefix: "convene-tests-" });
  try {
    return await runs({ TEST_DATABASES: folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function hasMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= MIN_MEMORY;
  } catch {
    return false; // there is no such folder
  }
}

/** Has what `spawn` starts precede all else: it inherits the priority. Needs the right to. */
function preceding<T>(spawn: () => T): T {
  const usual = getPriority();
  try {
    setPriority(-10);
  } catch {
    // Then nothing else should run.
  }
  try {
    return spawn();
  } finally {
    setPriority(usual);
  }
}
