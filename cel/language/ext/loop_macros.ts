import { charge } from "../budget.ts";
import { fail, refuse } from "../rules.ts";
import { staticName, typeName } from "../describe.ts";
import {
  type CelType,
  type Checker,
  children,
  type Macro,
  type MacroCall,
  type Node,
  run,
  type Scope,
} from "../engine.ts";
import { type Loop, LOOPS, nodeCount, Run } from "../std/loops.ts";

/** The loop that a method call with this name and number of arguments is, or undefined. */
export function loopOf(name: string, argumentCount: number): Loop | undefined {
  return LOOPS.find((loop) => loop.name === name && loop.variables + loop.parts === argumentCount);
}

/** The variable that a macro's argument declares. Throws `invalid_macro_argument` for anything but a name. */
export function variableName(node: Node): string {
  if (node.op === "id") return node.args as string;
  refuse("invalid_macro_argument", "A variable name is expected here", node);
}

/** The macro of a loop over a list's elements or a map's keys; with two variables, over index or key, and value. */
export function loopMacro(loop: Loop, { receiver, args }: MacroCall): Macro {
  const names = args.slice(0, loop.variables).map(variableName);
  if (names.length === 2 && names[0] === names[1]) {
    refuse("invalid_macro_argument", "Two variables need two names", args[1]!);
  }
  const parts = args.slice(loop.variables);
  const cost = 1 + parts.reduce((sum, part) => sum + nodeCount(part), 0);
  let types: CelType[];
  return {
    typeCheck(checker, _macro, scope) {
      types = variableTypes(checker, receiver!, scope, names.length);
      const inner = names.reduce((outer, name, i): Scope => outer.forkWithVariable(name, types[i]!), scope);
      return loop.check(checker, parts, inner, names.length === 1 ? types[0]! : types[1]!);
    },
    evaluate(ev, _macro, scope) {
      const source = run(receiver!, ev, scope);
      const outer = names.length === 1 ? undefined : scope.forkWithVariable(names[0]!, types[0]!);
      const inner = (outer ?? scope).forkWithVariable(names.at(-1)!, types[names.length - 1]!);
      return loop.evaluate(new Run(source, elements(source, receiver!), ev, outer, inner, parts, cost));
    },
  };
}

const SOURCES = "Loops go over lists and over the keys of maps.";

function elements(source: unknown, node: Node): readonly unknown[] {
  if (Array.isArray(source)) return source;
  if (source instanceof Map) {
    charge(source.size / 2);
    return [...source.keys()];
  }
  fail("no_such_overload", `A ${typeName(source)} is not a list or map`, node, SOURCES);
}

function variableTypes(checker: Checker, source: Node, scope: Scope, count: number): CelType[] {
  const type = checker.check(source, scope);
  const dyn = checker.getType("dyn");
  switch (type.kind) {
    case "dyn":
    case "param":
      return [dyn, dyn];
    case "list":
      return count === 1 ? [type.valueType!] : [checker.getType("int"), type.valueType!];
    case "map":
      return [type.keyType!, type.valueType!];
  }
  refuse("no_such_overload", `A ${staticName(type)} is not a list or map`, source, SOURCES);
}

export function loopDepth(node: Node): number {
  if (node.op === "rcall") {
    const [name, receiver, args] = node.args as [string, Node, Node[]];
    const inner = Math.max(0, ...args.map(loopDepth)) + (loopOf(name, args.length) ? 1 : 0);
    return Math.max(inner, loopDepth(receiver));
  }
  return Math.max(0, ...children(node).map(loopDepth));
}
