/**
 * Switches each known bug in, one at a time, in a copy of the tree, and runs the test that must catch it. A test that
 * ends otherwise than by a failed assertion, or not at all, has caught nothing: `run.ts [--part=2/4] [name]` runs the
 * second of four parts of those whose names hold this text.
 */
import { parseArgs } from "node:util";
import { ROOT } from "../support/sources.ts";
import { MUTANTS, mutated } from "./mutants.ts";

const run = (command: string, args: string[], cwd: string | URL) =>
  new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "null" }).output();

const MAX_SECONDS = "90";
const { values, positionals: [named = ""] } = parseArgs({
  args: Deno.args,
  options: { part: { type: "string", default: "1/1" } },
  allowPositionals: true,
});
const [part, parts] = values.part.split("/").map(Number) as [number, number];
const chosen = MUTANTS.filter(({ name }) => name.includes(named))
  .filter((_, n) => n % parts === part - 1);

const copy = await Deno.makeTempDir({ prefix: "convene-mutants-" });
let missed = 0;
console.log("| mutant | caught by | seconds |\n| --- | --- | --- |");
try {
  for (const mutant of chosen) {
    const began = performance.now();
    await run("cp", ["-r", ".", copy], ROOT);
    const args = ["test", "-A", "--no-check", mutant.test, "--filter", mutant.filter];
    const sound = await run("deno", args, copy);
    const passes = sound.success && /[1-9]\d* passed/.test(new TextDecoder().decode(sound.stdout));
    const { file, text } = mutated(mutant);
    await Deno.writeTextFile(`${copy}/${file}`, text);
    const { success, stdout } = await run("timeout", [MAX_SECONDS, "deno", ...args], copy);
    const caught = !success && /[1-9]\d* failed/.test(new TextDecoder().decode(stdout));
    if (!caught || !passes) missed++;
    const told = !passes
      ? "NOTHING: the test does not pass without it"
      : caught
      ? ""
      : "NOTHING: it survived";
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    console.log(`| ${mutant.name} | ${told || `${mutant.test}: ${mutant.filter}`} | ${seconds} |`);
  }
} finally {
  await Deno.remove(copy, { recursive: true });
}
Deno.exit(missed > 0 ? 1 : 0);
