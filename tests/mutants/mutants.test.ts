import { MUTANTS, mutated } from "./mutants.ts";

Deno.test("each mutant still applies to the sources", () => {
  for (const mutant of MUTANTS) mutated(mutant);
});
