import type { Json } from "../../db/json.ts";
import { charge, underOwnBudget } from "../language/budget.ts";
import { ComputedMap } from "../language/computed_map.ts";
import { compile, type Context, EvaluationFailed, type Failure, InvalidExpression } from "./expression.ts";
import { type Lookups, repeatLookups, trackLookups, withOwnLookups } from "../language/lookups.ts";
import { toCel } from "../language/values.ts";
import { circular, type Definitions } from "./definitions.ts";
import type { CelMap } from "./scopes.ts";
import type { Reads } from "../language/dependencies.ts";

/** The present value of a view, or why it has none. */
export type ViewResult = { value: Json } | { error: Failure };

/**
 * Evaluates views, each once, with the eyes of whoever defined it. A view with an agent's eyes has a budget of its own, one of
 * `sharers` parts, so that the evaluation around it cannot tell its cost; why it fails shows only where `isTold`. Views
 * that name each other in a cycle fail with `view_cycle`, as do those whose cycle shows only at evaluation, since an index
 * in it is computed. `isBlind`: whether the viewer sees what a view with everybody's eyes reads and does not see;
 * `isLoaded`: whether what a view reads is there.
 */
export function createViews(
  definitions: Definitions,
  contextFor: (eyes: string | null) => Context,
  { isTold, isBlind, isLoaded, sharers }: {
    isTold(eyes: string | null): boolean;
    isBlind(reads: Reads): boolean;
    isLoaded(reads: Reads): boolean;
    sharers: number;
  },
): (name: string) => ViewResult {
  const results = new Map<string, { result: ViewResult; lookups: Lookups }>();
  const underWay: string[] = [];
  const inCycle = new Set(circular(definitions));

  function resultOf(name: string): ViewResult {
    const definition = definitions.get(name);
    if (definition === undefined) return failure("no_such_key", `There is no view ${JSON.stringify(name)}.`);
    const began = underWay.indexOf(name);
    if (began >= 0) underWay.slice(began).forEach((member) => inCycle.add(member));
    if (inCycle.has(name)) return cycle(name);
    const { source, eyes, reads } = definition;
    if (!isLoaded(reads)) return isTold(eyes) ? tooLarge() : untold(name, eyes!);
    underWay.push(name);
    const run = () => evaluate(source, contextFor(eyes));
    const result = eyes === null ? run() : underOwnBudget(eyes, sharers, run);
    underWay.pop();
    if (inCycle.has(name)) return cycle(name);
    if (!("error" in result)) return result;
    if (!isTold(eyes)) return untold(name, eyes!);
    const lacksEyes = eyes === null && result.error.code === "no_such_key" && isBlind(reads);
    return lacksEyes ? { error: { ...result.error, hint: BLIND } } : result;
  }

  function seen(name: string): ViewResult {
    const known = results.get(name);
    if (known) repeatLookups(known.lookups);
    const { result, lookups } = known ?? trackLookups(() => resultOf(name));
    if (!underWay.includes(name)) results.set(name, { result, lookups });
    return result;
  }

  return (name) =>
    (definitions.get(name)?.eyes ?? null) === null ? seen(name) : withOwnLookups(() => seen(name));
}

const BLIND =
  "The view has everybody's eyes, which see no private scope. Define it with `agent`, whose scope it reads.";

function untold(name: string, eyes: string): ViewResult {
  const why = `Only ${JSON.stringify(eyes)}, who defined it, and admins are told why.`;
  return failure("evaluation_failed", `The view ${JSON.stringify(name)} fails. ${why}`);
}

function cycle(name: string): ViewResult {
  return failure("view_cycle", `The view ${JSON.stringify(name)} is defined by itself.`);
}

/** What a view shows where all that the views read is too much to read. */
export function tooLarge(): ViewResult {
  return failure(
    "too_large",
    "The room's views read too much of it.",
    "Read keys by name, or scopes that are small.",
  );
}

function failure(code: string, message: string, hint?: string): ViewResult {
  return { error: { code, message, ...(hint && { hint }) } };
}

function evaluate(source: string, context: Context): ViewResult {
  try {
    return { value: compile(source).evaluate(context) };
  } catch (error) {
    if (!(error instanceof EvaluationFailed || error instanceof InvalidExpression)) throw error;
    return failure(error.code, error.message, error.hint);
  }
}

/** Why a view is no member of `state._view`. Hints of other views are left out: along a chain they would add up. */
function whyFails(name: string, { message, hint }: Failure): string {
  const named = `The view ${JSON.stringify(name)}`;
  const why = message.startsWith(named) ? message : `${named} fails: ${message}`;
  return `${why.replace(/\.?$/, ".")} ${hint === BLIND ? BLIND : ABSENT}`;
}

const ABSENT = "A view that fails is absent: has(...) is false of it.";

/** The steps to find out whether a view that was evaluated before has a value. */
const COST_OF_KEY = 2;

/** `state._view`: a Map that evaluates a member when it is read. Views that fail are not members. */
export function lazyViews(definitions: Definitions, view: (name: string) => ViewResult): CelMap {
  const resultOf = (name: unknown) => definitions.has(name as string) ? view(name as string) : undefined;
  // Converted once: a large value takes milliseconds, and an expression may read it ten thousand times.
  const converted = new WeakMap<ViewResult, unknown>();
  function valueOf(result: ViewResult & { value: Json }): unknown {
    if (!converted.has(result)) converted.set(result, toCel(result.value));
    return converted.get(result);
  }
  function keys(): MapIterator<string> {
    charge(definitions.size * COST_OF_KEY);
    return definitions.keys().filter((name) => "value" in view(name)) as MapIterator<string>;
  }
  return new ComputedMap({
    get(name) {
      const result = resultOf(name);
      return result && "value" in result ? valueOf(result) : undefined;
    },
    whyAbsent(name) {
      const result = resultOf(name);
      return result && "error" in result ? whyFails(name as string, result.error) : undefined;
    },
    keys,
    size: () => [...keys()].length,
  });
}
