import { badAnswer } from "../client/errors.ts";

/**
 * Returns an answer that has the members that a command prints. Another server may answer with any object; of what
 * type its members are does not matter here, since all that is printed is escaped. Errors: `bad_answer`.
 */
export function having<T>(answer: T, ...names: Array<keyof T & string>): T {
  const members = Object(answer) as Record<string, unknown>;
  const missing = names.find((name) => members[name] === undefined);
  if (missing === undefined) return answer;
  throw badAnswer(`The answer has no ${missing}, and is not one of Convene.`);
}
