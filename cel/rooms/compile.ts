import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { compile, type Expression, isCompiled } from "../language/expression.ts";

/** `compile`, after yielding where it is needed. */
export async function compileYielding(source: string): Promise<Expression> {
  if (!isCompiled(source) && isBusy()) await yieldToOthers();
  return compile(source);
}

/** What is compiled one list at a time: several together would push each other out of the cache. */
const MANY_CHARACTERS = 16_384;
let lastOfMany: Promise<void> = Promise.resolve();

/** Compiles what is not compiled yet, so that evaluating it need not. Yields in between. */
export async function compileAhead(sources: string[]): Promise<void> {
  const missing = sources.reduce((sum, source) => isCompiled(source) ? sum : sum + source.length, 0);
  if (missing <= MANY_CHARACTERS) return await compileEach(sources);
  lastOfMany = lastOfMany.then(() => compileEach(sources));
  await lastOfMany;
}

async function compileEach(sources: string[]): Promise<void> {
  for (const source of sources) {
    await compileYielding(source).catch(() => {}); // it says why when it is evaluated
  }
}
