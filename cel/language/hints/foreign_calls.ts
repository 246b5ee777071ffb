import { FUNCTIONS, METHODS, MISUSED, NAMES, NAMESPACED, write } from "./foreign_functions.ts";
import type { Node } from "../engine.ts";
import { FAMILIES } from "../families.ts";
import { PIECES } from "../syntax.ts";
import { ROOTS } from "../paths.ts";
import { pathText, sizeHint } from "../std/access.ts";

export function nameHint(name: string): string | undefined {
  return Object.hasOwn(NAMES, name) ? write(NAMES[name]!) : undefined;
}

/** The hint for a call in another language's namespace, `Math.max(a, b)`; undefined for any other node. */
export function namespacedHint(node: Node | undefined, source: string): string | undefined {
  if (node?.op !== "rcall") return undefined;
  const [name, receiver, args] = node.args as [string, Node, Node[]];
  const full = `${receiver.args}.${name}`;
  if (receiver.op !== "id" || !Object.hasOwn(NAMESPACED, full)) return undefined;
  const [first = "x", ...others] = args.map((argument) => written(argument, source) ?? "...");
  return NAMESPACED[full]!(first, others);
}

/** The hint for a call that CEL lacks, or has with other arguments (`known`). */
export function callHint(node: Node, source: string, known: boolean): string | undefined {
  const [name, ...operands] = node.args as [string, ...unknown[]];
  const isMethod = node.op === "rcall";
  const receiver = isMethod ? operands[0] as Node : undefined;
  const args = (isMethod ? operands[1] : operands[0]) as Node[];
  const texts = args.map((argument) => written(argument, source) ?? "...");
  if (!isMethod && args.length === 0 && Object.hasOwn(ROOTS, name)) return write(name);
  const named = receiver === undefined
    ? ["state", "agents"].includes(name) && name
    : receiver.op === "id" && receiver.args === "messages" && Object.hasOwn(FAMILIES, name) &&
      `messages.${name}`;
  if (named && args.length === 1) return write(`${named}[${texts[0]}]`);
  const namespaced = namespacedHint(node, source);
  if (namespaced !== undefined) return namespaced;
  const first = receiver ?? args[0];
  const member = first && args.length === (receiver ? 0 : 1) && memberOfMessages(first, name);
  if (member) return write(member);
  if (first !== undefined && SIZES.has(name) && isCounter(first)) return sizeHint("double", first);
  const ofMethods = known ? [MISUSED, METHODS] : [METHODS, FUNCTIONS];
  const tables = isMethod ? ofMethods : [FUNCTIONS, MISUSED, METHODS];
  const translate = tables.find((table) => Object.hasOwn(table, name))?.[name];
  if (!translate) return undefined;
  if (receiver) return translate(operand(receiver, source), texts);
  return translate(args[0] ? operand(args[0], source) : "x", texts.slice(1));
}

/** The member that `messages.count()` and the like mean. */
function memberOfMessages({ op, args }: Node, name: string): string | undefined {
  if (op !== "id" || args !== "messages") return undefined;
  if (SIZES.has(name)) return "messages.count";
  return ["unclaimed", "last"].includes(name) ? `messages.${name}` : undefined;
}

/** Names of languages for how many there are. */
const SIZES = new Set(["size", "length", "len", "count"]);
const COUNTER =
  /^messages\.(?:count|unclaimed|last|(?:kind|to|from)(?:\.\w+|\[.+\])\.\w+|id\[.+\]\.replies\.\w+)$/;

/** True of a path that leads to a number over any room. */
function isCounter(node: Node): boolean {
  return COUNTER.test(pathText(node) ?? "");
}

/** Nodes that need no brackets before a point. */
const TIGHT = new Set(["id", "value", ".", ".?", "[]", "[?]", "call", "rcall", "list", "map"]);

function operand(node: Node, source: string): string {
  const text = written(node, source);
  if (text === undefined) return "x";
  return TIGHT.has(node.op) ? text : `(${text})`;
}

/** The maximum length of a part that a hint repeats. */
const LONGEST = 80;

/** The source of a node; undefined where it is long, or its brackets are not balanced. */
function written(node: Node, source: string): string | undefined {
  if (node.end - node.start > LONGEST) return undefined;
  const text = source.slice(node.start, node.end);
  let open = 0;
  for (const piece of text.match(PIECES) ?? []) {
    if (piece.startsWith("//") || piece === "\n" || piece === "`") return undefined;
    if (/^[([{]$/.test(piece)) open++;
    if (/^[)\]}]$/.test(piece) && --open < 0) return undefined;
  }
  return open === 0 ? text : undefined;
}
