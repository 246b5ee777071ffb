import { RE2JS } from "@bufbuild/re2";
import { createLru } from "../../db/lru.ts";
import { charge } from "./budget.ts";
import { EvaluationFailed } from "./errors.ts";

/** The maximum length of a pattern in UTF-16 units. */
export const MAX_PATTERN = 256;

/** The maximum product of a pattern's counted repeats: `a{1000}` compiles to a thousand states, nested to millions. */
export const MAX_REPEATS = 99;

/** The maximum of cached patterns, and of characters matched before all are dropped, since their automata grow. */
const MAX_KEPT = 50;
const MAX_MATCHED = 1_000_000;

/** The maximum number of an automaton's states, each of which holds a table. */
const MAX_STATES = 1_000;

const COST = {
  pattern: 2_000,
  repeat: 20,
  unicodeClass: 1_200,
  newUnicodeClass: 70_000,
  classRepeat: 350,
  foldedCharacter: 2,
};

/** The first and the last character that has another case: those that re2 looks up one by one in a range with `(?i)`. */
const [MIN_FOLDED, MAX_FOLDED] = [0x41, 0x1e943];

const IGNORES_CASE = /\(\?[A-Za-z]*i/;

/** A character of a pattern as it may be written, by its code in one of three forms, or itself. */
const CHARACTER = /\\x\{([\da-f]*)\}|\\x([\da-f]{2})|\\([0-7]{1,3})|\\?(.)/gisu;

/** The allowed Unicode classes: the general categories except C, and common scripts. The first use of one is slow. */
const UNICODE_CLASS = new RegExp(
  "^\\\\[pP](?:[LMNPSZ]|\\{\\^?(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|" +
    "Latin|Greek|Cyrillic|Han|Hiragana|Katakana|Hangul|Arabic|Hebrew|Thai|Devanagari)\\})$",
);

/** Internals of re2 that are charged to the budget. tests/cel/hooks.test.ts fails when they change. */
interface Engine {
  readonly prog: { numInst(): number };
  readonly dfa: {
    stateLimit: number;
    getState(instructions: number[]): unknown;
    resolveEmptyWidth(instructions: Int32Array, context: number): unknown;
  };
  _nfaFallback(): boolean;
}

const compiled = createLru<RE2JS>(MAX_KEPT);
const classesSeen = new Set<string>();
let matched = 0;

/**
 * CEL's `matches`: true where `pattern`, in RE2 syntax, matches anywhere in `text`. Takes linear time in the text.
 * Throws EvaluationFailed `invalid_regular_expression` for patterns that RE2 refuses, or that exceed the length, the
 * repeats or the Unicode classes allowed here.
 */
export function matches(text: string, pattern: string): boolean {
  const regex = compile(pattern);
  charge(1 + text.length);
  matched += text.length;
  return regex.test(text);
}

function compile(pattern: string): RE2JS {
  if (matched > MAX_MATCHED) {
    matched = 0;
    compiled.clear();
  }
  const known = compiled.get(pattern);
  if (known) return known;
  chargeToCompile(pattern);
  const regex = parse(pattern);
  keepToBudget(regex);
  compiled.set(pattern, regex);
  return regex;
}

function refuse(message: string, hint?: string): never {
  throw new EvaluationFailed("invalid_regular_expression", message, undefined, hint);
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : "";
    refuse(`Not a regular expression: ${reason}`, "RE2 has no lookaround and no back-references.");
  }
}

/** Charges for compiling a pattern. Refuses those that exceed any evaluation's budget. */
function chargeToCompile(pattern: string): void {
  if (pattern.length > MAX_PATTERN) refuse(`A regular expression has at most ${MAX_PATTERN} characters`);
  charge(COST.pattern);
  // Nested repeats multiply. Telling them from adjacent ones takes a parser, so the product bounds both.
  let repeats = 1;
  for (const [, min, max] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    repeats *= Math.max(1, Number(min), Number(max ?? 0));
  }
  charge(repeats * COST.repeat);
  if (repeats > MAX_REPEATS) refuse(`Counted repeats multiply to at most ${MAX_REPEATS}`);
  for (const [unicodeClass] of pattern.matchAll(/\\[pP](?:\{[^}]*\}?|.?)/g)) {
    if (!UNICODE_CLASS.test(unicodeClass)) refuse(`No such Unicode class here: ${unicodeClass}`);
    charge(COST.unicodeClass + repeats * COST.classRepeat);
    if (!classesSeen.has(unicodeClass)) makeTable(unicodeClass);
  }
  if (IGNORES_CASE.test(pattern)) charge(foldedIn(pattern) * COST.foldedCharacter);
}

/** Returns the number of characters in all ranges, for each of which re2 looks for those of another case. */
function foldedIn(pattern: string): number {
  const codes = [...pattern.matchAll(CHARACTER)].map(([, hex, short, octal, plain]) =>
    plain?.codePointAt(0) ?? parseInt(hex ?? short ?? octal!, octal === undefined ? 16 : 8)
  );
  // Whatever has a hyphen between two characters counts as a range, also outside of brackets.
  return codes.reduce((sum, code, i) => {
    if (code !== HYPHEN) return sum;
    const [from = Infinity, to = 0] = [codes[i - 1], codes[i + 1]];
    if (from <= MIN_FOLDED && to >= MAX_FOLDED) return sum;
    return sum + Math.max(0, Math.min(to, MAX_FOLDED) - Math.max(from, MIN_FOLDED));
  }, 0);
}

const HYPHEN = "-".charCodeAt(0);

/** Builds a class's table, which takes tens of milliseconds: one evaluation can afford two. */
function makeTable(unicodeClass: string): void {
  charge(COST.newUnicodeClass);
  parse(`(?i)${unicodeClass}`);
  classesSeen.add(unicodeClass);
}

/**
 * Charges a pattern's matching. re2 builds the automaton while it matches: a new state costs as much as the program is
 * long. Caches what re2 computes again at every character near `^`, `$` and `\b`. Ends the evaluation where the
 * automaton outgrows its bound, after which re2 would take quadratic time.
 */
function keepToBudget(regex: RE2JS): void {
  const engine = regex.re2() as unknown as Engine;
  const { dfa } = engine;
  const getState = dfa.getState.bind(dfa);
  const step = 1 + engine.prog.numInst() * 2;
  dfa.stateLimit = MAX_STATES;
  dfa.getState = (instructions) => {
    charge(step);
    return getState(instructions);
  };
  dfa.resolveEmptyWidth = remembering(dfa.resolveEmptyWidth.bind(dfa), step);
  engine._nfaFallback = () => {
    charge(Infinity);
    return false;
  };
}

type Resolve = Engine["dfa"]["resolveEmptyWidth"];

function remembering(resolve: Resolve, cost: number): Resolve {
  const known = new WeakMap<Int32Array, Map<number, unknown>>();
  return (instructions, context) => {
    let results = known.get(instructions);
    if (!results) known.set(instructions, results = new Map());
    if (results.has(context)) return results.get(context);
    charge(cost);
    const result = resolve(instructions, context);
    results.set(context, result);
    return result;
  };
}
