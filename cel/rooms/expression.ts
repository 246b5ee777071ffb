import type { Json } from "../../db/json.ts";
import { createLru } from "../../db/lru.ts";
import { createLanguage, type Language, MAX_SOURCE, type Program } from "../language/environment.ts";
import { EvaluationFailed, InvalidExpression } from "../language/errors.ts";
import { failureOf, refusalOf } from "../language/failures.ts";
import { refuseImpossible, unknownRoot } from "./names.ts";
import { countLookups } from "../language/lookups.ts";
import { type Doubts, doubtsOf, withDoubt } from "../language/hints/meant.ts";
import type { Node } from "../language/engine.ts";
import { OF_A_MESSAGE, ROOTS } from "../language/paths.ts";
import { type Reads, readsOf } from "../language/dependencies.ts";
import { resultToJson } from "../language/values.ts";
import { underBudget } from "../language/budget.ts";

export { EvaluationFailed, InvalidExpression };

/** The roots by name: `state`, `agents`, `messages`, `self` as `toCel` makes them, `now` a Date. */
export type Context = ReadonlyMap<string, unknown>;

/** A compiled condition or view over a room. */
export interface Expression {
  readonly source: string;
  readonly root: Node;
  readonly reads: Reads;
  /** Evaluates to JSON. Throws EvaluationFailed. */
  evaluate(context: Context): Json;
  /** Evaluates to JSON, NaN to null. `steps`: a budget below that of evaluations. */
  judge(context: Context, steps?: number): Judgement;
}

/** Why an expression has no value. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** The value of a condition; null, with the `failure`, where it has none. */
export interface Judgement {
  /** The value is none of `false`, `null`, `0`, `NaN` and `""`. */
  readonly truthy: boolean;
  readonly value: Json;
  readonly failure?: Failure;
}

/** Over what an expression is judged: a room, or a message of it. */
export type Subject = "room" | "message";

const languages: Partial<Record<Subject, Language>> = {};

/** The language of a subject. It is created with its first expression, since most requests have none. */
export function language(subject: Subject = "room"): Language {
  return languages[subject] ??= createLanguage(rootsOf(subject));
}

function rootsOf(subject: Subject): Readonly<Record<string, string>> {
  return subject === "room" ? ROOTS : { ...ROOTS, ...OF_A_MESSAGE };
}

/**
 * The maximum characters of the cached expressions' sources, each of which takes up to 120 bytes. The cache holds the
 * views of any room: 64 of 4,096 characters in a room that is older than their limit. The least recently used go first.
 */
const CACHED_CHARACTERS = 300_000;
const cache = createLru<Expression>(CACHED_CHARACTERS, (_, name) => name.length);

/**
 * Parses and checks a source, which takes up to about 5 ms. Throws InvalidExpression for errors over any room: syntax,
 * unknown names, types that never match, limits.
 */
export function compile(source: string, subject: Subject = "room"): Expression {
  const name = nameOf(source, subject);
  const known = cache.get(name);
  if (known) return known;
  const expression = compileFresh(source, subject);
  cache.set(name, expression);
  return expression;
}

/** True where `compile` has the expression cached. */
export function isCompiled(source: string, subject: Subject = "room"): boolean {
  return cache.has(nameOf(source, subject));
}

/** Names an expression in the cache. No expression begins with the character that sets the two apart. */
function nameOf(source: string, subject: Subject): string {
  return subject === "room" ? source : `\0${source}`;
}

function compileFresh(source: string, subject: Subject): Expression {
  if (source.length > MAX_SOURCE) {
    throw new InvalidExpression(
      "too_long",
      `An expression may have ${MAX_SOURCE} characters; this one has ${source.length}`,
      MAX_SOURCE,
    );
  }
  try {
    const program = language(subject).compile(source);
    refuseImpossible(program.root);
    const doubts = doubtsOf(program.root);
    return {
      source,
      root: program.root,
      reads: readsOf(program.root),
      evaluate: (context) => evaluate(program, context, doubts, resultToJson),
      judge: (context, steps) => judge(() => evaluate(program, context, doubts, toValue, steps)),
    };
  } catch (error) {
    throw refusalOf(error, source, language(subject).functions, unknownRoot(Object.keys(rootsOf(subject))));
  }
}

function evaluate<T>(
  program: Program,
  context: Context,
  doubts: Doubts | undefined,
  convert: (result: unknown) => T,
  steps?: number,
): T {
  try {
    return countLookups(() => underBudget(() => convert(program.run(context)), steps));
  } catch (error) {
    throw withDoubt(failureOf(error), doubts);
  }
}

const toValue = (result: unknown) => Number.isNaN(result) ? null : resultToJson(result);

function judge(evaluation: () => Json): Judgement {
  try {
    const value = evaluation();
    return { truthy: Boolean(value), value };
  } catch (error) {
    // The error itself would keep the data of the evaluation in memory: its stack does.
    const { code, message, hint } = error as EvaluationFailed;
    return { truthy: false, value: null, failure: { code, message, ...(hint && { hint }) } };
  }
}
