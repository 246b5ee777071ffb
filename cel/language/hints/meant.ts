import { EvaluationFailed } from "../errors.ts";
import { type Family, FAMILY_NAMES } from "../families.ts";
import { didYouMean } from "./nearest.ts";
import { pathText } from "../std/access.ts";
import { findNode, lastStep, literal, type Node } from "../engine.ts";
import { variablesOf } from "../std/macros.ts";
import { familyOf, NO_LIST, SYSTEM_SCOPES, visitPaths } from "../paths.ts";

/**
 * The hint for types that do not match at a position: a loop's variable, which is a key, was used as a value, a scope
 * as a key, or a record of messages as one of its members. Undefined for any other error.
 */
export function overloadHint(root: Node, position: number): string | undefined {
  const [above, node] = findNode(
    root,
    (node) => node.pos === position && (node.op === "." || isMisread(node)),
  );
  if (node === undefined) return undefined;
  return node.op === "." ? keyHint(above, node) : operandHint(node);
}

/** True of an operator over a scope or a record. */
function isMisread({ op, args }: Node): boolean {
  return OPERATORS.has(op) && (args as Node[]).some((node) => isScope(node) || recordOf(node) !== undefined);
}

const OPERATORS = new Set(["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]);

function isScope({ op, args }: Node): boolean {
  const [target, name] = op === "." ? args as [Node, string] : [];
  return target?.op === "id" && target.args === "state" && !SYSTEM_SCOPES.includes(name!);
}

/** The family of a record of messages, which is read whole. */
function recordOf(node: Node): Family | undefined {
  const last = lastStep(node);
  return last && familyOf(last.target);
}

/** The member that is meant by a whole record. */
const MEMBERS: Readonly<Record<Family, string>> = { kind: "open", to: "last", from: "last", id: "status" };

function operandHint({ args }: Node): string {
  const record = (args as Node[]).find((node) => recordOf(node) !== undefined);
  if (record !== undefined) {
    const path = pathText(record) ?? "x";
    return `\`${path}\` has members: write \`${path}.${MEMBERS[recordOf(record)!]}\`.`;
  }
  const [, name] = (args as Node[]).find(isScope)!.args as [Node, string];
  return `\`state.${name}\` is a scope of keys: write \`state._shared.${name}\` for the key.`;
}

/** The hint for a loop over a map whose variable, a key, was used as its value. */
function keyHint(above: Node[], { args }: Node): string | undefined {
  const [variable, member] = args as [Node, string];
  const last = lastStep(variable);
  if (last && pathText(last.target) === "messages") return messageHint(last.step, member);
  if (variable.op !== "id") return undefined;
  const loop = above.findLast(({ op, args }) => {
    if (op !== "rcall") return false;
    const [name, , operands] = args as [string, Node, Node[]];
    return variablesOf(name, operands.length).ofNames && operands[0]!.args === variable.args;
  });
  const map = loop && pathText((loop.args as [string, Node])[1]);
  if (map === undefined) return undefined;
  if (map === "messages") return NO_LIST;
  return `A loop over a map goes over its keys: write \`${map}[${variable.args}].${member}\`.`;
}

/** The hint for paths such as `messages.kinds.task` and `messages[7].body`. */
function messageHint(step: Node | string, member: string): string {
  const name = literal(step);
  if (name === undefined) return hintById(step as Node, member);
  return didYouMean(name, FAMILY_NAMES) ?? NO_LIST;
}

function hintById({ op, args }: Node, member: string): string {
  return `Write \`messages.id[${op === "value" ? args : "x"}].${member}\` for a message by its id.`;
}

/**
 * The system scopes that may be meant, by the position where an expression reads an agent's scope of a similar name.
 */
export type Doubts = ReadonlyMap<number, string>;

/** Finds reads of `state.shared` and `state.view`: these scopes may exist, so compiling cannot refuse them. */
export function doubtsOf(root: Node): Doubts | undefined {
  const doubts = new Map<number, string>();
  visitPaths(root, ({ root, steps }, node) => {
    const meant = root === "state" && SYSTEM_SCOPES.find((scope) => scope === `_${steps[0]}`);
    if (!meant) return;
    const first = firstStep(node);
    if (first && literal(first.step) === steps[0]) doubts.set(first.node.pos, meant);
  });
  return doubts.size > 0 ? doubts : undefined;
}

/** The first step of a path and its node; undefined where the step is the left side of `in`. */
function firstStep(node: Node): { node: Node; step: Node | string } | undefined {
  const last = lastStep(node);
  return last && (firstStep(last.target) ?? { node, step: last.step });
}

/** Adds the scope that may be meant to a failure at the position of a doubt. */
export function withDoubt(failure: EvaluationFailed, doubts: Doubts | undefined): EvaluationFailed {
  const meant = failure.code === "no_such_key" && doubts?.get(failure.position ?? -1);
  if (!meant) return failure;
  const hint = `Did you mean \`state.${meant}\`? Without the _ it names a scope of your own.`;
  return new EvaluationFailed(failure.code, failure.message, failure.position, hint);
}
