import { MUTANTS, mutated, root } from "./mutants.ts";

const run = (command: string, args: string[], cwd: string | URL) =>
  new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "null" }).output();

const copy = await Deno.makeTempDir({ prefix: "convene-mutants-" });
let survived = 0;
try {
  for (const mutant of MUTANTS) {
    const began = performance.now();
    await run("cp", ["-r", ".", copy], root);
    const args = ["test", "-A", "--no-check", mutant.test, "--filter", mutant.filter];
    const sound = await run("deno", args, copy);
    const passes = sound.success && new TextDecoder().decode(sound.stdout).includes("1 passed");
    if (!passes) throw new Error(`${mutant.name}: ${mutant.filter} does not pass without it`);
    await Deno.writeTextFile(`${copy}/${mutant.file}`, await mutated(mutant));
    const caught = !(await run("timeout", ["60", "deno", ...args], copy)).success;
    if (!caught) survived++;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`| ${mutant.name} | ${caught ? mutant.filter : "SURVIVED"} | ${seconds} |`);
  }
} finally {
  await Deno.remove(copy, { recursive: true });
}
Deno.exit(survived > 0 ? 1 : 0);
