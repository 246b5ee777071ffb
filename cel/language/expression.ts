import type { Json } from "../../db/json.ts";
import { createLanguage, type Language, MAX_SOURCE, type Program } from "./environment.ts";
import { EvaluationFailed, InvalidExpression } from "./errors.ts";
import { failureOf, refusalOf } from "./failures.ts";
import { refuseImpossible } from "./hints/names.ts";
import { type Doubts, doubtsOf, withDoubt } from "./hints/meant.ts";
import type { Node } from "./engine.ts";
import { ROOTS } from "./paths.ts";
import { type Reads, readsOf } from "./dependencies.ts";
import { resultToJson } from "./values.ts";
import { underBudget } from "./budget.ts";

export { EvaluationFailed, InvalidExpression };

/** The roots by name: `state`, `agents`, `messages`, `self` as `toCel` makes them, `now` a Date. */
export type Context = ReadonlyMap<string, unknown>;

/** A condition or view over a room, ready to be evaluated any number of times. */
export interface Expression {
  readonly source: string;
  readonly root: Node;
  readonly reads: Reads;
  /** The value as JSON; throws EvaluationFailed. */
  evaluate(context: Context): Json;
  /**
   * Whether the value is anything but `false`, `null`, `0`, `NaN` and `""`, and the value; NaN shows as null.
   * Throws EvaluationFailed.
   */
  judge(context: Context): { truthy: boolean; value: Json };
}

let rooms: Language | undefined;

/** The language of rooms. It is made for the first expression: what has none is answered without it. */
export function language(): Language {
  return rooms ??= createLanguage(ROOTS);
}

/**
 * Compiled expressions, the latest used last; together their sources have at most this many characters, each of
 * which takes up to 120 bytes. It holds the views of any room: 64 of 4,096 characters from before they were bounded.
 */
const CACHED_CHARACTERS = 300_000;
const cache = new Map<string, Expression>();
let cached = 0;

/**
 * Parses and checks a source, for up to some 5 ms. Throws InvalidExpression for what fails whatever the room:
 * syntax, unknown names, types that never fit, limits.
 */
export function compile(source: string): Expression {
  const known = cache.get(source);
  if (known) {
    cache.delete(source);
    cache.set(source, known);
    return known;
  }
  const expression = compileFresh(source);
  cache.set(source, expression);
  cached += source.length;
  for (const oldest of cache.keys()) {
    if (cached <= CACHED_CHARACTERS) break;
    cache.delete(oldest);
    cached -= oldest.length;
  }
  return expression;
}

/** True where `compile` has an expression at once. */
export function isCompiled(source: string): boolean {
  return cache.has(source);
}

function compileFresh(source: string): Expression {
  if (source.length > MAX_SOURCE) {
    throw new InvalidExpression(
      "too_long",
      `An expression may have ${MAX_SOURCE} characters; this one has ${source.length}`,
      MAX_SOURCE,
    );
  }
  try {
    const program = language().compile(source);
    refuseImpossible(program.root);
    const doubts = doubtsOf(program.root);
    return {
      source,
      root: program.root,
      reads: readsOf(program.root),
      evaluate: (context) => evaluate(program, context, doubts),
      judge: (context) => judge(program, context, doubts),
    };
  } catch (error) {
    throw refusalOf(error, source, language().functions);
  }
}

function evaluate(program: Program, context: Context, doubts?: Doubts): Json {
  try {
    return underBudget(() => resultToJson(program.run(context)));
  } catch (error) {
    throw withDoubt(failureOf(error), doubts);
  }
}

function judge(program: Program, context: Context, doubts?: Doubts): { truthy: boolean; value: Json } {
  try {
    return underBudget(() => {
      const result = program.run(context);
      if (Number.isNaN(result)) return { truthy: false, value: null };
      const value = resultToJson(result);
      return { truthy: Boolean(value), value };
    });
  } catch (error) {
    throw withDoubt(failureOf(error), doubts);
  }
}
