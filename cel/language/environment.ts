import {
  children,
  Environment,
  evaluatorOf,
  forget,
  lastStep,
  type MacroCall,
  MAX_ARGUMENTS,
  nameTypesByMaps,
  type Node,
  type Parsed,
  rememberOnlyKnown,
} from "./engine.ts";
import { markFamily } from "./std/access.ts";
import { BYTES } from "./std/bytes.ts";
import { CONVERSIONS } from "./std/conversions.ts";
import { type Functions, overloads } from "./std/functions.ts";
import { LISTS, OPTIONALS } from "./ext/lists.ts";
import { loopDepth } from "./ext/loop_macros.ts";
import { nodeCount } from "./std/loops.ts";
import { MACROS } from "./std/macros.ts";
import { BITS, MATH } from "./ext/math.ts";
import { RULES } from "./nodes.ts";
import { STRINGS } from "./ext/strings.ts";
import { TIME } from "./std/timestamps.ts";
import { charge } from "./budget.ts";
import { byNameHint } from "./by_name.ts";
import { CheckFailed, InvalidExpression } from "./errors.ts";
import { familyOf, visitPaths } from "./paths.ts";
import { plainSyntax, restore } from "./syntax.ts";

/** The maximum length of a source in UTF-16 units. */
export const MAX_SOURCE = 4_096;

/** The maximum depth of nested loops: three over a thousand elements take a billion steps. */
export const MAX_LOOPS = 3;

/** The maximum depth of a syntax tree: a level takes a few stack frames. */
export const MAX_DEPTH = 250;

/** The namespaces of functions and their types, beside cel-js's `optional` and `cel`. */
const NAMESPACES = {
  math: "MathNamespace",
  strings: "StringsNamespace",
  lists: "ListsNamespace",
  sets: "SetsNamespace",
  base64: "Base64Namespace",
};

/** Functions that take whole doubles for ints, and functions that take exactly the types they name. */
const LENIENT: Functions = { ...STRINGS, ...BITS, ...LISTS };
const EXACT: Functions = { ...CONVERSIONS, ...TIME, ...MATH, ...BYTES, ...OPTIONALS };

/** An expression that has been parsed and checked, and is within the limits. */
export interface Program {
  readonly root: Node;
  /** Evaluates to CEL's own types. Must be called within `underBudget`. */
  run(context: ReadonlyMap<string, unknown>): unknown;
}

/** A language with fixed variables. */
export interface Language {
  /** Throws InvalidExpression, CheckFailed, or cel-js's error for invalid syntax. */
  compile(source: string): Program;
  /** Every function and macro by name, with its signatures. */
  readonly functions: ReadonlyMap<string, readonly string[]>;
}

/** Creates a language. `variables`: CEL types by name. */
export function createLanguage(variables: Readonly<Record<string, string>>): Language {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: {
      maxAstNodes: MAX_SOURCE,
      maxDepth: MAX_DEPTH,
      maxListElements: MAX_SOURCE,
      maxMapEntries: MAX_SOURCE,
      maxCallArguments: MAX_ARGUMENTS,
    },
  });
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return { functions: register(environment), compile: (source) => compile(environment, source) };
}

function register(environment: Environment): Map<string, string[]> {
  const { registry } = evaluatorOf(environment);
  // The first registration gives the environment its own registry, which can be changed.
  for (const [name, type] of Object.entries(NAMESPACES)) {
    const Namespace = class {};
    environment.registerType(type, Namespace);
    environment.registerConstant(name, type, new Namespace());
  }
  nameTypesByMaps(registry);
  const add = (signature: string, handler: (...args: never[]) => unknown) => {
    forget(registry, signature);
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, { async: false });
  };
  for (const [signature, handler] of MACROS) {
    add(signature, (call: MacroCall) => ({ ...handler(call), async: false }));
  }
  for (const [signature, handler] of Object.entries(EXACT)) add(signature, handler);
  for (const [signature, handler] of Object.entries(LENIENT)) {
    for (const [overload, coercing] of overloads(signature, handler)) add(overload, coercing);
  }
  const byName = Map.groupBy(environment.getDefinitions().functions, ({ name }) => name);
  rememberOnlyKnown(registry, new Set(byName.keys()));
  return new Map([...byName].map(([name, all]) => [name, all.map(({ signature }) => signature)]));
}

function compile(environment: Environment, source: string): Program {
  const plain = plainSyntax(source);
  const parsed = environment.parse(plain.text) as unknown as Parsed;
  const root = parsed.ast;
  if (depthOf(root) > MAX_DEPTH) {
    throw new InvalidExpression("too_deep", `The expression nests deeper than ${MAX_DEPTH} levels`, root.pos);
  }
  restore(root, source, plain);
  setRules(root);
  markFamilies(root);
  if (loopDepth(root) > MAX_LOOPS) {
    throw new InvalidExpression(
      "too_many_loops",
      `More than ${MAX_LOOPS} nested loops`,
      root.pos,
      "Put the inner loop into a computed view, or filter first.",
    );
  }
  const { valid, error } = parsed.check();
  if (!valid) throw new CheckFailed(error, root);
  const nodes = nodeCount(root);
  return {
    root,
    run(context) {
      charge(nodes);
      return parsed(context);
    },
  };
}

/** Marks what is read by name only. Refuses it where it is read as a whole. */
function markFamilies(root: Node): void {
  visitPaths(root, (_path, outermost) => {
    const family = familyOf(outermost);
    if (family !== undefined) {
      const message = `\`messages.${family}\` is read by name only`;
      throw new InvalidExpression("no_such_key", message, outermost.pos, byNameHint(family));
    }
    for (let last = lastStep(outermost); last; last = lastStep(last.target)) {
      const of = familyOf(last.target);
      if (of !== undefined) markFamily(last.target, of);
    }
  });
}

function setRules(node: Node): void {
  const rule = RULES.get(node.op);
  if (rule?.check) node.setMeta("check", rule.check);
  if (rule?.wrap) node.setMeta("check", rule.wrap(node.meta.check));
  if (rule?.evaluate) node.setMeta("evaluate", rule.evaluate);
  children(node).forEach(setRules);
}

/** The depth of a tree. Goes level by level, since a tree may be deeper than the stack allows. */
function depthOf(root: Node): number {
  let depth = 0;
  for (let level = [root]; level.length > 0; level = level.flatMap(children)) depth++;
  return depth;
}
