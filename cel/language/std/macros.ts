import { InvalidExpression } from "../errors.ts";
import { hasMember, keyOf } from "./access.ts";
import { type CelType, lastStep, type Macro, type MacroCall, type Node, Optional, run } from "../engine.ts";
import { checkOptional, runOptional } from "../ext/optionals.ts";
import { join } from "../rules.ts";
import { LOOPS } from "./loops.ts";
import { loopMacro, loopOf, variableName } from "../ext/loop_macros.ts";

type Handler = (call: MacroCall) => Macro;

/** The macros by signature. `ast` is the type of an unevaluated argument. */
export const MACROS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["has(ast): bool", hasMacro],
  ["CelNamespace.bind(ast, ast, ast): dyn", bindMacro],
  ["optional.or(ast): optional", orMacro],
  ["optional.orValue(ast): dyn", orValueMacro],
  ["optional.optMap(ast, ast): optional", (call) => optionalMacro(call, false)],
  ["optional.optFlatMap(ast, ast): optional", (call) => optionalMacro(call, true)],
  ...LOOPS.map((loop): [string, Handler] => [
    `list.${loop.name}(${new Array(loop.variables + loop.parts).fill("ast").join(", ")}): dyn`,
    (call) => loopMacro(loop, call),
  ]),
]);

function hasMacro({ args: [path] }: MacroCall): Macro {
  if (!path || !lastStep(path)) {
    throw new InvalidExpression(
      "invalid_macro_argument",
      "has() takes a path",
      path?.pos ?? 0,
      'Write has(state._shared.key) or has(agents["id"].status); for a list, "x" in list.',
    );
  }
  return {
    typeCheck(checker, _macro, scope) {
      checker.check(path, scope);
      return checker.getType("bool");
    },
    evaluate(ev, _macro, scope) {
      const [target, step] = path.args as [Node, Node | string];
      return hasMember(run(target, ev, scope), keyOf(step, ev, scope));
    },
  };
}

function bindMacro({ args }: MacroCall): Macro {
  const [variable, value, result] = args as [Node, Node, Node];
  const name = variableName(variable);
  let type: CelType;
  return {
    typeCheck(checker, _macro, scope) {
      type = checker.check(value, scope);
      return checker.check(result, scope.forkWithVariable(name, type));
    },
    evaluate(ev, _macro, scope) {
      const inner = scope.forkWithVariable(name, type);
      inner.iterValue = run(value, ev, scope);
      return run(result, ev, inner);
    },
  };
}

function orMacro({ receiver, args: [other] }: MacroCall): Macro {
  return {
    typeCheck(checker, _macro, scope) {
      checkOptional(checker, receiver!, scope);
      checkOptional(checker, other!, scope);
      return checker.getType("optional");
    },
    evaluate(ev, _macro, scope) {
      const value = runOptional(receiver!, ev, scope);
      return value.hasValue() ? value : runOptional(other!, ev, scope);
    },
  };
}

function orValueMacro({ receiver, args: [other] }: MacroCall): Macro {
  return {
    typeCheck(checker, _macro, scope) {
      return join(checker, checkOptional(checker, receiver!, scope), checker.check(other!, scope));
    },
    evaluate(ev, _macro, scope) {
      const value = runOptional(receiver!, ev, scope);
      return value.hasValue() ? value.value() : run(other!, ev, scope);
    },
  };
}

function optionalMacro({ receiver, args }: MacroCall, flat: boolean): Macro {
  const [variable, result] = args as [Node, Node];
  const name = variableName(variable);
  let type: CelType;
  return {
    typeCheck(checker, _macro, scope) {
      type = checkOptional(checker, receiver!, scope);
      const inner = scope.forkWithVariable(name, type);
      if (flat) checkOptional(checker, result, inner);
      else checker.check(result, inner);
      return checker.getType("optional");
    },
    evaluate(ev, _macro, scope) {
      const value = runOptional(receiver!, ev, scope);
      if (!value.hasValue()) return value;
      const inner = scope.forkWithVariable(name, type);
      inner.iterValue = value.value();
      return flat ? runOptional(result, ev, inner) : Optional.of(run(result, ev, inner));
    },
  };
}

/**
 * The variables that a method call declares: its first `count` arguments name them, the next `outside` arguments do
 * not see them. `ofNames`: over a map they are its keys, never its values.
 */
export function variablesOf(name: string, argumentCount: number) {
  if (name === "bind" && argumentCount === 3) return { count: 1, outside: 1, ofNames: false };
  if ((name === "optMap" || name === "optFlatMap") && argumentCount === 2) {
    return { count: 1, outside: 0, ofNames: false };
  }
  const count = loopOf(name, argumentCount)?.variables ?? 0;
  return { count, outside: 0, ofNames: count === 1 };
}
