import { EvaluationError, ParseError, TypeError as CheckError } from "@marcbachmann/cel-js";
import { CheckFailed, EvaluationFailed, InvalidExpression } from "./errors.ts";
import { bracketed } from "./hints/bracketed.ts";
import { callHint, nameHint, namespacedHint } from "./hints/foreign_calls.ts";
import { foreignSyntax } from "./hints/foreign_syntax.ts";
import { didYouMean } from "./hints/nearest.ts";
import { findNode, type Node } from "./engine.ts";
import { overloadHint } from "./hints/meant.ts";

/** An error of cel-js. `summary`: one line. */
interface EngineError {
  readonly code: string;
  readonly summary: string;
  readonly range?: { start: number };
  readonly node?: Node;
}

function isEngineError(error: unknown): error is EngineError {
  return error instanceof ParseError || error instanceof CheckError || error instanceof EvaluationError;
}

type Signatures = ReadonlyMap<string, readonly string[]>;
type RootHint = (name: string, isValue: boolean) => string;

/** Converts whatever compiling threw to an InvalidExpression. `rootHint`: for a name that is no root. */
export function refusalOf(
  error: unknown,
  source: string,
  functions: Signatures,
  rootHint: RootHint,
): InvalidExpression {
  if (error instanceof InvalidExpression) return error;
  if (error instanceof CheckFailed) {
    return refusalOfCheck(error, source, functions, rootHint) ??
      refusalOf(error.cause, source, functions, rootHint);
  }
  if (error instanceof RangeError) {
    return new InvalidExpression("too_deep", "The expression nests too deeply", 0);
  }
  if (!isEngineError(error)) {
    return new InvalidExpression("invalid_expression", "The expression cannot be compiled", 0);
  }
  const position = Math.min(error.range?.start ?? 0, source.length);
  return refusalOfSyntax(error, source, position);
}

/** Converts an unknown name, a call without an overload, or an error of our own checks; undefined for anything else. */
function refusalOfCheck(
  { cause, root }: CheckFailed,
  source: string,
  functions: Signatures,
  rootHint: RootHint,
): InvalidExpression | undefined {
  if (cause instanceof InvalidExpression) {
    return refusalOfNumber(cause.code, source, cause.position) ?? withOverloadHint(cause, root);
  }
  if (!isEngineError(cause) || !cause.node) return undefined;
  if (cause.code === "no_matching_overload") return badCall(cause.node, source, functions);
  if (cause.code !== "unknown_variable") return undefined;
  const { node } = cause;
  const [above] = findNode(root, (one) => one === node);
  const name = String(cause.node.args);
  const namespaced = namespacedHint(above.at(-1), source);
  // Arguments are checked before calls: an unknown variable may be that of a loop that CEL does not have.
  const call = above.findLast((node) => isUnknownCall(node, functions));
  if (call && !namespaced) return badCall(call, source, functions);
  const isKey = above.at(-1)?.op === "map" &&
    (above.at(-1)!.args as [Node, Node][]).some(([key]) => key === cause.node);
  const hint = isKey
    ? `Keys of a map are quoted: \`"${name}": ...\`.`
    : namespaced ?? nameHint(name) ?? dashed(source, cause.node) ??
      rootHint(name, isValue(above, cause.node));
  return new InvalidExpression("unknown_name", `Unknown name: ${name}`, cause.node.pos, hint);
}

/** True of what stands where a text is written: behind a comparison, or in a list. */
function isValue(above: Node[], node: Node): boolean {
  const { op, args } = above.at(-1) ?? {};
  return op === "list" || (op === "==" || op === "!=") && (args as Node[])[1] === node;
}

/** A number as it is written, without what marks it as unsigned. */
const NUMBER = /^(?:0x[\da-f]+|\d[\d.]*(?:e[-+]?\d+)?)(?=(u?))/i;
const MAX_INT = 2 ** 63;

/** Refuses a number that is too large, as it is written: cel-js tells what it has made of it. */
function refusalOfNumber(code: string, source: string, position: number): InvalidExpression | undefined {
  if (code !== "invalid_number" && code !== "invalid_integer") return undefined;
  const [number, unsigned] = NUMBER.exec(source.slice(position)) ?? ["", ""];
  if (!(Number(number) >= MAX_INT)) return undefined;
  const message = `${number.slice(0, 40)}${unsigned} is more than a number holds`;
  return new InvalidExpression(code, message, position, 'Compare ids and hashes as text: `"..."`.');
}

/** Adds a hint to an error of our own checks that has none, where the room's shapes tell what was meant. */
function withOverloadHint(error: InvalidExpression, root: Node): InvalidExpression {
  if (error.code !== "no_such_overload" || error.hint !== undefined) return error;
  const hint = overloadHint(root, error.position);
  return hint === undefined ? error : new InvalidExpression(error.code, error.message, error.position, hint);
}

/** The hint for a name that follows another one and a dash: `state._shared.a-b`. */
function dashed(source: string, { pos }: Node): string | undefined {
  return source[pos - 1] === "-" ? bracketed(source.slice(0, pos - 1), source.slice(pos - 1)) : undefined;
}

/** True for a call whose name and number of arguments match no function or macro. */
function isUnknownCall(node: Node, functions: Signatures): boolean {
  if (node.op !== "call" && node.op !== "rcall") return false;
  const isMethod = node.op === "rcall";
  const [name, ...operands] = node.args as [string, ...unknown[]];
  const count = (operands.at(-1) as Node[]).length;
  return !functions.get(name)?.some((signature) => {
    const [, receiver, taken] = /^(.*\.)?\w+\(([^)]*)\)/.exec(signature.replace(/<[^<>]*>/g, "")) ?? [];
    return isMethod === (receiver !== undefined) && count === (taken ? taken.split(",").length : 0);
  });
}

const EMPTY = "Write one such as `state._shared.turn == 2`, or leave it out where none is needed.";

function refusalOfSyntax(error: EngineError, source: string, position: number): InvalidExpression {
  const foreign = error.code === "limit_exceeded" ? undefined : foreignSyntax(source, position);
  if (foreign) {
    const named = UNEXPECTED.has(error.code) || foreign.position < position;
    const message = named ? `Unexpected ${foreign.token}` : error.summary;
    return new InvalidExpression(error.code, message, foreign.position, foreign.hint);
  }
  const ofNumber = refusalOfNumber(error.code, source, position);
  if (ofNumber) return ofNumber;
  if (source.trim() === "") {
    return new InvalidExpression(error.code, "The expression is empty", position, EMPTY);
  }
  const atEnd = position >= source.length && error.code !== "limit_exceeded";
  const message = atEnd ? "The expression ends too early" : summaryOf(error, source, position);
  return new InvalidExpression(error.code, message, position);
}

const UNEXPECTED = new Set(["unexpected_character", "unexpected_token", "expected_token"]);

/** The summary of an error. Where cel-js names only one letter of an unexpected word, the whole word. */
function summaryOf({ code, summary }: EngineError, source: string, position: number): string {
  if (code !== "unexpected_character" && code !== "unexpected_token") return summary;
  return `Unexpected ${/^\w+|^./su.exec(source.slice(position))?.[0] ?? "end"}`;
}

function badCall(node: Node, source: string, functions: Signatures): InvalidExpression {
  const [name, receiver] = node.args as [string, Node];
  const position = node.op === "rcall" ? source.indexOf(name, receiver.end) : node.pos;
  const signatures = functions.get(name);
  const hint = callHint(node, source, signatures !== undefined);
  if (!signatures) {
    const near = hint ?? didYouMean(name, functions.keys());
    return new InvalidExpression("unknown_function", `Unknown function: ${name}`, position, near);
  }
  const shown = [...new Set(signatures.map(readable))].slice(0, 4).join(", ");
  const message = `\`${name}\` does not take these arguments`;
  return new InvalidExpression("no_matching_overload", message, position, hint ?? `It takes ${shown}.`);
}

/** A signature in the notation of CEL's documentation. */
function readable(signature: string): string {
  return signature
    .replace(/google\.protobuf\.(\w+)/g, (_, type) => type.toLowerCase())
    .replace(/(\w+)Namespace/g, (_, name) => name.toLowerCase())
    .replace(/\): (\w+).*$/, ") -> $1");
}

/** Converts whatever evaluating threw to an EvaluationFailed. */
export function failureOf(error: unknown): EvaluationFailed {
  if (error instanceof EvaluationFailed) return error;
  if (isEngineError(error)) {
    return new EvaluationFailed(error.code, error.summary, error.range?.start);
  }
  return new EvaluationFailed("evaluation_error", "The expression cannot be evaluated");
}
