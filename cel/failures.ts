import { EvaluationError, ParseError, TypeError as CheckError } from "@marcbachmann/cel-js";
import { EvaluationFailed, InvalidExpression } from "./errors.ts";
import type { Node } from "./library/engine.ts";
import { didYouMean, unknownRoot } from "./hints.ts";

/** An error of the library: a code, one line, and where. */
interface LibraryError {
  readonly code: string;
  readonly summary: string;
  readonly range?: { start: number };
  readonly node?: Node;
}

function isLibraryError(error: unknown): error is LibraryError {
  return error instanceof ParseError || error instanceof CheckError || error instanceof EvaluationError;
}

/** Whatever compiling threw, as the InvalidExpression that it stands for. */
export function refusalOf(
  error: unknown,
  source: string,
  functions: ReadonlyMap<string, readonly string[]>,
): InvalidExpression {
  if (error instanceof InvalidExpression) return error;
  if (error instanceof RangeError) {
    return new InvalidExpression("too_deep", "The expression nests too deeply", 0);
  }
  if (!isLibraryError(error)) {
    return new InvalidExpression("invalid_expression", "The expression cannot be compiled", 0);
  }
  const position = Math.min(error.range?.start ?? 0, source.length);
  if (error.code === "unknown_variable") {
    const name = String(error.node?.args);
    return new InvalidExpression("unknown_name", `Unknown name: ${name}`, position, unknownRoot(name));
  }
  if (error.code === "no_matching_overload" && error.node) {
    return badCall(error, error.node, source, functions);
  }
  const atEnd = position >= source.length && error.code !== "limit_exceeded";
  const message = atEnd ? "The expression ends too early" : summaryOf(error, source, position);
  return new InvalidExpression(error.code, message, position, syntaxHint(source, position, atEnd));
}

/** The library's line; where it names but the last letter of what it did not expect, all of it. */
function summaryOf({ code, summary }: LibraryError, source: string, position: number): string {
  if (code !== "unexpected_character" && code !== "unexpected_token") return summary;
  return `Unexpected ${/^\w+|^./su.exec(source.slice(position))?.[0] ?? "end"}`;
}

function badCall(
  error: LibraryError,
  node: Node,
  source: string,
  functions: ReadonlyMap<string, readonly string[]>,
): InvalidExpression {
  const [name, receiver] = node.args as [string, Node];
  const position = node.op === "rcall" ? source.indexOf(name, receiver.end) : node.pos;
  const signatures = functions.get(name);
  if (!signatures) {
    const hint = Object.hasOwn(SYNONYMS, name)
      ? `In CEL it is \`${SYNONYMS[name]}\`.`
      : didYouMean(name, functions.keys());
    return new InvalidExpression("unknown_function", `Unknown function: ${name}`, position, hint);
  }
  const shown = [...new Set(signatures.map(readable))].slice(0, 4).join(", ");
  return new InvalidExpression(
    error.code,
    `\`${name}\` does not take these arguments`,
    position,
    `It is ${shown}.`,
  );
}

/** What other languages call the functions of CEL. */
const SYNONYMS: Readonly<Record<string, string>> = {
  length: "size",
  len: "size",
  count: "size",
  includes: "contains",
  toLowerCase: "lowerAscii",
  toUpperCase: "upperAscii",
  lower: "lowerAscii",
  upper: "upperAscii",
  some: "exists",
  any: "exists",
  every: "all",
  find: "filter",
  where: "filter",
  toString: "string",
  parseInt: "int",
  Number: "double",
  abs: "math.abs",
  max: "math.greatest",
  min: "math.least",
  range: "lists.range",
};

/** A signature as a reader of CEL knows it. */
function readable(signature: string): string {
  return signature
    .replace(/google\.protobuf\.(\w+)/g, (_, type) => type.toLowerCase())
    .replace(/(\w+)Namespace/g, (_, name) => name.toLowerCase())
    .replace(/\): (\w+).*$/, ") -> $1");
}

function syntaxHint(source: string, position: number, atEnd: boolean): string | undefined {
  if (atEnd) return undefined;
  const rest = source.slice(position);
  if (/^=[^=]/.test(rest)) return "Compare with `==`.";
  if (/^&[^&]/.test(rest)) return "Write `&&`.";
  if (/^\|[^|]/.test(rest)) return "Write `||`.";
  const word = /^\w+/.exec(rest)?.[0];
  if (word === "and") return "Write `&&`.";
  if (word === "or") return "Write `||`.";
  return word === "not" ? "Write `!`." : undefined;
}

/** Whatever evaluating threw, as the EvaluationFailed that it stands for. */
export function failureOf(error: unknown): EvaluationFailed {
  if (error instanceof EvaluationFailed) return error;
  if (isLibraryError(error)) {
    return new EvaluationFailed(error.code, error.summary, error.range?.start);
  }
  return new EvaluationFailed("evaluation_error", "The expression cannot be evaluated");
}
