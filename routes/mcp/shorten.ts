import { LIMITS } from "../http/limits.ts";
import { estimateTokens } from "./estimate.ts";

/** What is estimated of an answer at most: an estimate may be some 30% too low. */
const MAX = LIMITS.toolAnswerTokens * 0.7;

/** What is estimated of the beginnings of all that is cut in an answer. */
const BEGINNINGS = MAX * 0.6;

/** Tokens that a UTF-16 code unit may be estimated as. */
const MOST_TOKENS = 3;

/** Tells whether a model's context holds an answer. */
export function isShort(text: string): boolean {
  return text.length * MOST_TOKENS <= MAX || estimateTokens(text) <= MAX;
}

/**
 * Cuts an answer, the JSON of an object, to what a model's context holds: its largest members, as many as need be, are
 * replaced by how they begin. `rest` words the calls that show the rest.
 */
export function shorten(json: string, rest: string): string {
  if (isShort(json)) return json;
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return { name, value, text, tokens: estimateTokens(text) };
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
  let length = Math.min(text.length, Math.floor(tokens * LONGEST_TOKEN));
  for (;;) {
    const begins = text.slice(0, length).toWellFormed();
    const over = estimateTokens(JSON.stringify(begins)) / tokens;
    if (over <= 1) return begins;
    length = Math.floor(length / Math.max(over, 1.05));
  }
}

/** Characters that one token may stand for, in what agents write. */
const LONGEST_TOKEN = 8;
