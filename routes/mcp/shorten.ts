import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { LIMITS } from "../http/limits.ts";
import { estimateTokens, lengthWithin } from "./estimate.ts";

/** What is estimated of an answer at most: an estimate may be some 30% too low. */
const MAX = LIMITS.toolAnswerTokens * 0.7;

/** What is estimated of the beginnings of all that is cut in an answer. */
const BEGINNINGS = MAX * 0.6;

/** Tokens that a UTF-16 code unit may be estimated as. */
const MAX_TOKENS_EACH = 4;

/** Tells whether a model's context holds an answer. */
export function isShort(text: string): boolean {
  return text.length * MAX_TOKENS_EACH <= MAX || estimateTokens(text, MAX) <= MAX;
}

/**
 * Cuts an answer, the JSON of an object, to what a model's context holds: its largest members, as many as need be, are
 * replaced by how they begin. `rest` words the calls that show the rest.
 */
export async function shorten(json: string, rest: string): Promise<string> {
  if (isBusy()) await yieldToOthers();
  if (isShort(json)) return json;
  if (isBusy()) await yieldToOthers();
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return { name, value, text, tokens: estimateTokens(text, MAX) };
  });
  const cut = new Set<string>();
  let left = members.reduce((sum, { tokens }) => sum + tokens, 0);
  for (const { name, tokens } of members.toSorted((a, b) => b.tokens - a.tokens)) {
    if (left <= MAX - BEGINNINGS) break;
    cut.add(name);
    left -= tokens;
  }
  const kept = members.filter(({ name }) => !cut.has(name)).map(({ name, value }) => [name, value]);
  const begins = members.filter(({ name }) => cut.has(name))
    .map(({ name, text }) => [name, beginning(text, BEGINNINGS / cut.size)]);
  const { hint, ...others } = Object.fromEntries(kept);
  return JSON.stringify({
    ...others,
    cut: true,
    hint: `The answer is too long to be shown whole. ${rest}${hint === undefined ? "" : ` ${hint}`}`,
    begins: Object.fromEntries(begins),
  });
}

/** Shows how an answer begins that is too long to be read whole. */
export function onlyBeginning(text: string, rest: string): string {
  return JSON.stringify({
    cut: true,
    hint: `The answer is too long to be shown whole. ${rest}`,
    begins: beginning(text, BEGINNINGS),
  });
}

/** Returns as much of a text as has so many tokens once it is quoted in JSON. */
function beginning(text: string, tokens: number): string {
  const quoted = JSON.stringify(text.slice(0, Math.floor(tokens * LONGEST_TOKEN)).toWellFormed());
  const begins = quoted.slice(0, Math.min(lengthWithin(quoted, tokens), quoted.length - 1));
  return JSON.parse(`${begins.replace(HALF_AN_ESCAPE, "$1")}"`).toWellFormed();
}

/** Characters that one token may stand for, in what agents write. */
const LONGEST_TOKEN = 8;

/** The last characters of a quoted text that was cut within an escape, after all escaped backslashes before it. */
const HALF_AN_ESCAPE = /(?<!\\)((?:\\\\)*)\\(?:u[0-9a-f]{0,3})?$/;
