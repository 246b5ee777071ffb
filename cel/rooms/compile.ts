import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { compile, type Expression, isCompiled, type Subject } from "./expression.ts";

/** Compiles a source, after yielding to other requests if the thread is busy. Throws InvalidExpression. */
export async function compileYielding(source: string, subject: Subject = "room"): Promise<Expression> {
  if (!isCompiled(source, subject) && isBusy()) await yieldToOthers();
  return compile(source, subject);
}

/** Lists with more characters to compile are compiled one after the other: together they would evict each other. */
const MANY_CHARACTERS = 16_384;
let lastOfMany: Promise<void> = Promise.resolve();

/** Compiles sources into the cache, so that the evaluation, which cannot yield, need not. Yields in between. */
export async function compileAhead(sources: string[]): Promise<void> {
  const missing = sources.reduce((sum, source) => isCompiled(source) ? sum : sum + source.length, 0);
  if (missing <= MANY_CHARACTERS) return await compileEach(sources);
  lastOfMany = lastOfMany.then(() => compileEach(sources));
  await lastOfMany;
}

async function compileEach(sources: string[]): Promise<void> {
  for (const source of sources) {
    await compileYielding(source).catch(() => {}); // evaluating it reports the error
  }
}
