import { staticName, typeName } from "../describe.ts";
import {
  type CelType,
  type Checker,
  type Evaluator,
  type Node,
  Optional,
  run,
  type Scope,
} from "../engine.ts";
import { fail, refuse } from "../rules.ts";

const SOURCES = "Optionals come from `.?key`, `[?key]` and optional.of(...).";

/** The static type of the value in an optional. Refuses nodes that never give an optional. */
export function checkOptional(checker: Checker, node: Node, scope: Scope): CelType {
  const type = checker.check(node, scope);
  if (type.kind === "optional") return type.valueType!;
  if (type.kind === "dyn") return type;
  refuse("optional_expected", `A ${staticName(type)} is no optional`, node, SOURCES);
}

/** Evaluates a node to an optional. Throws `optional_expected` for other values. */
export function runOptional(node: Node, ev: Evaluator, scope: Scope): Optional {
  const value = run(node, ev, scope);
  if (value instanceof Optional) return value;
  fail("optional_expected", `A ${typeName(value)} is no optional`, node);
}
