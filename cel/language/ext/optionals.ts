import { EvaluationFailed, InvalidExpression } from "../errors.ts";
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

const SOURCES = "Optionals come from `.?key`, `[?key]` and optional.of(...).";

/** The type of what an optional holds; refuses what is never an optional. */
export function checkOptional(checker: Checker, node: Node, scope: Scope): CelType {
  const type = checker.check(node, scope);
  if (type.kind === "optional") return type.valueType!;
  if (type.kind === "dyn") return type;
  throw new InvalidExpression("optional_expected", `A ${staticName(type)} is no optional`, node.pos, SOURCES);
}

/** Evaluates a node that must give an optional. */
export function runOptional(node: Node, ev: Evaluator, scope: Scope): Optional {
  const value = run(node, ev, scope);
  if (value instanceof Optional) return value;
  throw new EvaluationFailed("optional_expected", `A ${typeName(value)} is no optional`, node.pos);
}
