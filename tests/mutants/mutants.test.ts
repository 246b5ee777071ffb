import { MUTANTS, mutated } from "./mutants.ts";

Deno.test("each mutant still applies to the sources", async () => {
  for (const mutant of MUTANTS) await mutated(mutant);
});
