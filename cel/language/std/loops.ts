import { EvaluationFailed } from "../errors.ts";
import { staticName, typeName } from "../describe.ts";
import {
  type CelType,
  type Checker,
  children,
  type Evaluator,
  type Node,
  run,
  type Scope,
} from "../engine.ts";
import { elementType, put } from "./collections.ts";
import { compare } from "./equality.ts";
import { isIncomplete } from "../lookups.ts";
import { failAsNoBool } from "./logic.ts";
import { refuse } from "../rules.ts";
import { charge, FAILURE_COST, isFatal } from "../budget.ts";

type Variable = Scope & { iterValue: unknown };

/** A running loop: its elements, and the scopes that hold its variables. */
export class Run {
  /** The index of the part that gives the result, the last one. A part before it is a condition. */
  readonly result: number;

  constructor(
    private readonly source: unknown,
    private readonly items: readonly unknown[],
    private readonly evaluator: Evaluator,
    private readonly outer: Variable | undefined,
    private readonly inner: Variable,
    private readonly parts: Node[],
    private readonly cost: number,
  ) {
    this.result = parts.length - 1;
  }

  get length(): number {
    return this.items.length;
  }

  get resultNode(): Node {
    return this.parts[this.result]!;
  }

  /** Moves to an element, charges for the pass, and returns the first variable's value. */
  at(index: number): unknown {
    charge(this.cost);
    const item = this.items[index];
    if (!this.outer) return this.inner.iterValue = item;
    const isMap = this.source instanceof Map;
    this.inner.iterValue = isMap ? (this.source as Map<unknown, unknown>).get(item) : item;
    return this.outer.iterValue = isMap ? item : BigInt(index);
  }

  /** Evaluates a part of the macro for the current element. */
  part(index: number): unknown {
    try {
      return run(this.parts[index]!, this.evaluator, this.inner);
    } catch (error) {
      if (!isIncomplete()) throw error;
      this.survive(error); // the other elements may need more that is not loaded
      return true;
    }
  }

  /** Evaluates the first part, which is a condition. */
  holds(): boolean {
    const value = this.part(0);
    if (typeof value === "boolean") return value;
    failAsNoBool("A condition", value, this.parts[0]!);
  }

  /** Absorbs an error, for a charge. Rethrows fatal ones. */
  survive(error: unknown): void {
    if (isFatal(error)) throw error;
    charge(FAILURE_COST);
  }
}

/** A macro that loops. It takes `variables` names, then `parts` arguments, which it evaluates for each element. */
export interface Loop {
  readonly name: string;
  readonly variables: 1 | 2;
  readonly parts: 1 | 2;
  check(checker: Checker, parts: Node[], inner: Scope, element: CelType): CelType;
  evaluate(run: Run): unknown;
}

const QUANTIFIERS: [string, Loop["evaluate"]][] = [
  ["all", (run) => quantify(run, false)],
  ["exists", (run) => quantify(run, true)],
  ["exists_one", existsOne],
  ["existsOne", existsOne],
];

/** The looping macros of the language, and of cel-go's two-variable and list extensions. */
export const LOOPS: readonly Loop[] = [
  ...QUANTIFIERS.flatMap(([name, evaluate]): Loop[] => [
    { name, variables: 1, parts: 1, check: checkPredicate, evaluate },
    { name, variables: 2, parts: 1, check: checkPredicate, evaluate },
  ]),
  { name: "filter", variables: 1, parts: 1, check: checkFilter, evaluate: filter },
  { name: "map", variables: 1, parts: 1, check: checkTransform, evaluate: transform },
  { name: "map", variables: 1, parts: 2, check: checkTransform, evaluate: transform },
  { name: "sortBy", variables: 1, parts: 1, check: checkSortBy, evaluate: sortBy },
  { name: "transformList", variables: 2, parts: 1, check: checkTransform, evaluate: transform },
  { name: "transformList", variables: 2, parts: 2, check: checkTransform, evaluate: transform },
  { name: "transformMap", variables: 2, parts: 1, check: checkMap, evaluate: transformMap },
  { name: "transformMap", variables: 2, parts: 2, check: checkMap, evaluate: transformMap },
  { name: "transformMapEntry", variables: 2, parts: 1, check: checkMap, evaluate: transformMapEntry },
  { name: "transformMapEntry", variables: 2, parts: 2, check: checkMap, evaluate: transformMapEntry },
];

/** The number of nodes of a tree, each of which costs one step an evaluation. */
export function nodeCount(node: Node): number {
  return children(node).reduce((sum, child) => sum + nodeCount(child), 1);
}

function checkPredicate(checker: Checker, parts: Node[], inner: Scope): CelType {
  const type = checker.check(parts[0]!, inner);
  if (type.kind === "dyn" || type.name === "bool") return checker.getType("bool");
  refuse("no_such_overload", `A condition must be bool, not ${staticName(type)}`, parts[0]!);
}

function checkFilter(checker: Checker, parts: Node[], inner: Scope, element: CelType): CelType {
  checkPredicate(checker, parts, inner);
  return checker.getType(`list<${elementType(checker, [element]).name}>`);
}

function checkTransform(checker: Checker, parts: Node[], inner: Scope): CelType {
  if (parts.length === 2) checkPredicate(checker, parts, inner);
  const type = checker.check(parts.at(-1)!, inner);
  return checker.getType(`list<${elementType(checker, [type]).name}>`);
}

function checkSortBy(checker: Checker, parts: Node[], inner: Scope, element: CelType): CelType {
  checker.check(parts[0]!, inner);
  return checker.getType(`list<${elementType(checker, [element]).name}>`);
}

function checkMap(checker: Checker, parts: Node[], inner: Scope): CelType {
  if (parts.length === 2) checkPredicate(checker, parts, inner);
  checker.check(parts.at(-1)!, inner);
  return checker.getType("map");
}

/** Evaluates `exists` (decided by true) or `all` (by false). Throws the first error only if nothing decides. */
function quantify(run: Run, decisive: boolean): boolean {
  let failure: unknown;
  for (let i = 0; i < run.length; i++) {
    try {
      run.at(i);
      if (run.holds() === decisive && !isIncomplete()) return decisive;
    } catch (error) {
      run.survive(error);
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return !decisive;
}

function existsOne(run: Run): boolean {
  return filter(run).length === 1;
}

function filter(run: Run): unknown[] {
  const kept: unknown[] = [];
  for (let i = 0; i < run.length; i++) {
    const element = run.at(i);
    if (run.holds()) kept.push(element);
  }
  return kept;
}

/** Visits the first variable and the result of each element that passes the condition, if there is one. */
function each(run: Run, visit: (first: unknown, result: unknown) => void): void {
  for (let i = 0; i < run.length; i++) {
    const first = run.at(i);
    if (run.result === 0 || run.holds()) visit(first, run.part(run.result));
  }
}

function transform(run: Run): unknown[] {
  const results: unknown[] = [];
  each(run, (_, result) => results.push(result));
  return results;
}

function transformMap(run: Run): Map<unknown, unknown> {
  const results = new Map<unknown, unknown>();
  each(run, (key, result) => results.set(key, result));
  return results;
}

function transformMapEntry(run: Run): Map<unknown, unknown> {
  const results = new Map<unknown, unknown>();
  each(run, (_, entry) => {
    if (!(entry instanceof Map)) {
      throw new EvaluationFailed("no_such_overload", `An entry must be a map, not ${typeName(entry)}`);
    }
    charge(entry.size);
    for (const [key, value] of entry.entries()) put(results, key, value, run.resultNode);
  });
  return results;
}

function sortBy(run: Run): unknown[] {
  const pairs: { key: unknown; element: unknown }[] = [];
  each(run, (element, key) => pairs.push({ key, element }));
  return sorted(pairs, (pair) => pair.key).map((pair) => pair.element);
}

/** A stably sorted copy. Throws `no_such_overload` where two keys have no order. */
export function sorted<T>(list: readonly T[], keyOf: (element: T) => unknown): T[] {
  charge(list.length);
  return list.toSorted((a, b) => {
    charge(2);
    const order = compare(keyOf(a), keyOf(b));
    if (order !== undefined) return order;
    const types = `a ${typeName(keyOf(a))} and a ${typeName(keyOf(b))}`;
    throw new EvaluationFailed("no_such_overload", `There is no order between ${types}`);
  });
}
