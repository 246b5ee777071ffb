import { badAnswer } from "./errors.ts";

/** How often an answer may be lost: more often in a row is no accident. */
const MAX = 5;

/**
 * Makes something whose text an answer tells once, and another where that answer was lost, for which `make` returns
 * undefined. Errors: `bad_answer` where none tells it; those of `make`.
 */
export async function madeAnew<T>(what: string, make: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < MAX; tries++) {
    const made = await make();
    if (made !== undefined) return made;
  }
  throw badAnswer(`The answer tells no ${what}, however often one is made.`);
}
