import { exceed } from "./budget.ts";
import { EvaluationFailed } from "./errors.ts";
import { type Family, FAMILY_NAMES, MAX_LOOKUPS, noNames } from "./families.ts";

/** The names that an evaluation looked up, and whether one of them was not loaded: then its result means nothing. */
export interface Lookups {
  readonly names: Readonly<Record<Family, Set<string | number>>>;
  /** Those of results used again that are counted here: to count thousands of names takes as long each time. */
  readonly counted: Set<Lookups>;
  missing: boolean;
}

/** Evaluations in a row that may lack something: what one asks for may tell what else it needs. The next one fails. */
export const MAX_MISSES = 7;

/** The look-ups of the running evaluation, and those of the part of it that is tracked. */
let evaluation: Lookups | undefined;
let tracked: Lookups | undefined;

function none(): Lookups {
  return { names: noNames() as Lookups["names"], counted: new Set(), missing: false };
}

/**
 * Notes that the running evaluation looks up a name. False where it does not count, since the evaluation has asked for
 * enough that is not loaded. Ends the evaluation with `budget_exceeded` where it may look up no more.
 */
export function noteLookup(family: Family, name: string | number): boolean {
  const names = evaluation?.names[family];
  if (names && !names.has(name)) {
    const max = MAX_LOOKUPS[family];
    if (names.size >= max && evaluation!.missing) return false;
    if (names.size >= max) {
      exceed(`An evaluation looks up at most ${max} members of messages.${family}`, "Look up fewer.");
    }
    names.add(name);
  }
  tracked?.names[family].add(name);
  return true;
}

/** Notes that the name is not loaded: from here on the evaluation only finds out what else it needs. */
export function noteMissing(): void {
  if (evaluation) evaluation.missing = true;
  if (tracked) tracked.missing = true;
}

/** True where the running evaluation lacks something, so that no result of it decides anything. */
export function isIncomplete(): boolean {
  return evaluation?.missing ?? false;
}

/** Runs a part of an evaluation, or a whole one, and tells what it looked up. */
export function trackLookups<T>(run: () => T): { result: T; lookups: Lookups } {
  const outer = tracked;
  const lookups = tracked = none();
  try {
    return { result: run(), lookups };
  } finally {
    tracked = outer;
    if (outer) addTo(outer, lookups);
  }
}

/** Runs a part of an evaluation that looks up as much as an evaluation of its own may. */
export function withOwnLookups<T>(run: () => T): T {
  const outer = evaluation;
  evaluation = undefined;
  try {
    return run();
  } finally {
    evaluation = outer;
  }
}

/** Counts look-ups again, for a result that is used again. */
export function repeatLookups(lookups: Lookups): void {
  if (lookups.missing) noteMissing();
  const uncounted = [evaluation, tracked].filter((sum) => sum && !sum.counted.has(lookups));
  if (uncounted.length === 0) return;
  for (const sum of uncounted) sum!.counted.add(lookups);
  for (const family of FAMILY_NAMES) {
    for (const name of lookups.names[family]) noteLookup(family, name);
  }
}

function addTo(sum: Lookups, { names, missing }: Lookups): void {
  sum.missing ||= missing;
  for (const family of FAMILY_NAMES) {
    for (const name of names[family]) sum.names[family].add(name);
  }
}

/** Runs an evaluation, or a part of the one around it. Throws EvaluationFailed where something was not loaded. */
export function countLookups<T>(run: () => T): T {
  if (evaluation) return run();
  const lookups = evaluation = none();
  let result: T;
  try {
    result = run();
  } catch (error) {
    if (!lookups.missing) throw error;
  } finally {
    evaluation = undefined;
  }
  if (!lookups.missing) return result!;
  throw new EvaluationFailed(
    "budget_exceeded",
    "The expression follows ids from message to message too often",
    undefined,
    "Keep the ids that it needs in state.",
  );
}
