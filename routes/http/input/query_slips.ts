import { LIMITS } from "../limits.ts";

/** Parameters with CEL, some of whose characters have another meaning in a URL. */
export const EXPRESSIONS = ["condition", "if", "expr"];

const OR_BODY = "or send JSON in the body.";
const PLUS = `In a URL \`+\` is a blank: write it as \`%2B\`, ${OR_BODY}`;
const PERCENT = `In a URL \`%\` begins an escape: write it as \`%25\`, ${OR_BODY}`;
const CUT = "If a `#` or `&` came next, it ended the expression: in a URL write `%23` and `%26`, " + OR_BODY;

/** Adds a hint on escaping to the details of a refused expression if the URL has changed it. Other hints remain. */
export function withSlip(url: string, details: Record<string, unknown>): Record<string, unknown> {
  const { expression: source, position, hint } = details;
  if (typeof source !== "string" || typeof position !== "number") return details;
  // One that is too long is refused for its length. To decode it again takes 100 ms where its escapes are invalid.
  if (source.length > LIMITS.expressionLength) return details;
  const raw = rawOf(url, source);
  if (raw === undefined) return details;
  const slip = percentAt(source, position)
    ? PERCENT
    : hint !== undefined
    ? undefined
    : wasPlus(raw, source, position)
    ? PLUS
    : isCut(source, position)
    ? CUT
    : undefined;
  return slip === undefined ? details : { ...details, hint: slip };
}

/** Returns the expression as written in the URL; undefined if it is not from there. */
function rawOf(url: string, source: string): string | undefined {
  const [, query = ""] = /\?([^#]*)/.exec(url) ?? [];
  for (const pair of query.split("&")) {
    const [, name, raw] = /^(\w+)=(.*)$/.exec(pair) ?? [];
    if (EXPRESSIONS.includes(name!) && decoded(raw!) === source) return raw;
  }
}

/** Decodes a value of the query as the framework does: leaves invalid escapes. */
function decoded(raw: string): string {
  return raw.replaceAll("+", " ").replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Tells whether a `%` and its digits became an escape: `n%10` ends in a control character, `n%25` in `%`. */
function percentAt(source: string, position: number): boolean {
  return /[\p{Cc}%]/u.test(source.charAt(position)) || source[position - 1] === "%";
}

/** Tells whether the error is at a blank between two operands that was a `+`. */
function wasPlus(raw: string, source: string, position: number): boolean {
  // The operand after the blank is unexpected, or turns the name before it into a function: `n (1)`.
  const name = /^\.?\w+/.exec(source.slice(position))?.[0];
  const suspects = [position - 1, ...name === undefined ? [] : [position + name.length]];
  let blank = -1;
  // In one pass: a URL may hold tens of thousands of them.
  for (const part of raw.split("+").slice(0, -1)) {
    blank += decoded(part).length + 1;
    if (!suspects.includes(blank)) continue;
    if (/[\w"')\]}]/.test(source.charAt(blank - 1)) && /[\w"'([{.]/.test(source.charAt(blank + 1))) {
      return true;
    }
  }
  return false;
}

/** Tells whether the expression ends too early, or within a text. */
function isCut(source: string, position: number): boolean {
  const rest = source.slice(position);
  return rest === "" || /^(["'])(?:(?!\1)[^])*$/.test(rest);
}
