import { InvalidExpression } from "./errors.ts";
import { markOptional } from "./std/collections.ts";
import { children, type Node } from "./engine.ts";

/** Splits a source into strings, comments, quoted names, words, and single other characters. */
export const PIECES = new RegExp(
  [
    /[bB]?[rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/,
    /[bB]?(?:"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*')/,
    /\/\/[^\n]*/,
    /`[^`\n\r]*`/,
    /\w+/,
    /[^]/,
  ].map((piece) => piece.source).join("|"),
  "g",
);

const QUOTED_FIELD = /^`[\w./ -]+`/;
const RAW_BYTES = /^[bB][rR]/;

const POINT_NUMBER = /^\.\d+(?:[eE][+-]?\d+)?$/;

/** Syntax that cel-js's parser lacks: quoted fields, raw bytes, `.5`, `[?a]` and `{?k: v}`. */
const UNSUPPORTED = /`|[bB][rR]["']|(?<![\w)\]}"'`])\.\d|\bin\.\d|[[{,\n][ \t\r]*\?/;

/** A source that cel-js parses, and the marks that it lacks. */
interface PlainSource {
  readonly text: string;
  /** The indexes of optional elements and entries, by the position of their literal's bracket. */
  readonly optional: ReadonlyMap<number, ReadonlySet<number>>;
}

interface Bracket {
  readonly position: number;
  /** It holds the elements of a list or the entries of a map, not an index or arguments. */
  readonly literal: boolean;
  commas: number;
}

/**
 * Rewrites a source to syntax that cel-js parses. The length stays the same, so that positions hold. Quoted fields
 * (`a.`b-c``) become names, raw bytes (`br"\d"`) raw strings, `.5` becomes `15`, and the marks of `[?a]` and `{?k: v}`
 * become spaces. `restore` undoes it in the tree.
 */
export function plainSyntax(source: string): PlainSource {
  const optional = new Map<number, Set<number>>();
  if (!UNSUPPORTED.test(source)) return { text: source, optional };
  let text = "";
  let last = "";
  const open: Bracket[] = [];
  for (const piece of source.match(PIECES) ?? []) {
    if (/^(?:\s|\/\/)/.test(piece)) {
      text += piece;
      continue;
    }
    const around = open.at(-1);
    if (piece === "?" && around?.literal && (last === "," || last === "[" || last === "{")) {
      optional.set(around.position, (optional.get(around.position) ?? new Set()).add(around.commas));
      text += " ";
    } else text += plainPiece(piece, text, last, source[text.length + 1]);
    track(open, piece, last, text.length - 1);
    last = piece;
  }
  return { text, optional };
}

function plainPiece(piece: string, before: string, last: string, next = ""): string {
  if (RAW_BYTES.test(piece) && /["']/.test(piece)) return ` ${piece.slice(1)}`;
  if (QUOTED_FIELD.test(piece) && /\.\??\s*$/.test(before)) return "_".repeat(piece.length);
  const beginsNumber = piece === "." && last !== "." && !isOperand(last) && /\d/.test(next);
  return beginsNumber ? "1" : piece;
}

/** True for the last piece of an operand, which an index or a member may follow. */
function isOperand(piece: string): boolean {
  return piece !== "in" && /[\w)\]}"'`]$/.test(piece);
}

function track(open: Bracket[], piece: string, last: string, position: number): void {
  if (piece === "(" || piece === "[" || piece === "{") {
    open.push({ position, literal: piece === "{" || piece === "[" && !isOperand(last), commas: 0 });
  } else if (piece === ")" || piece === "]" || piece === "}") open.pop();
  else if (piece === "," && open.length > 0) open.at(-1)!.commas++;
}

/** Undoes `plainSyntax` in a tree. Throws InvalidExpression for a `?` that marks nothing. */
export function restore(root: Node, source: string, { optional }: PlainSource): void {
  if (!UNSUPPORTED.test(source) && !/[bB][rR]?["']/.test(source)) return;
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.op === "." || node.op === ".?") {
      const quoted = QUOTED_FIELD.exec(source.slice(node.pos));
      if (quoted) (node.args as [Node, string])[1] = quoted[0].slice(1, -1);
    } else if (node.op === "value") restoreLiteral(node, source);
    else if (node.op === "list" || node.op === "map") {
      restoreOptional(node, source, optional.get(node.start));
    }
    stack.push(...children(node));
  }
}

function restoreOptional(node: Node, source: string, marks: ReadonlySet<number> | undefined): void {
  if (!marks) return;
  if (Math.max(...marks) >= (node.args as unknown[]).length) {
    const position = source.lastIndexOf("?", node.end - 1);
    refuseAt("unexpected_character", "Unexpected ?", position);
  }
  markOptional(node, marks);
}

function restoreLiteral(node: Node, source: string): void {
  if (source[node.start] !== ".") return restoreBytes(node, source);
  const literal = source.slice(node.start, node.end);
  if (!POINT_NUMBER.test(literal)) {
    refuseAt("invalid_number", `Invalid number: ${literal.slice(0, 40)}`, node.start);
  }
  node.args = Number(literal);
}

function refuseAt(code: string, message: string, position: number): never {
  throw new InvalidExpression(code, message, position);
}

function restoreBytes(node: Node, source: string): void {
  if (node.args instanceof Uint8Array) {
    node.args = bytesOf(source.slice(node.start, node.end));
  } else if (typeof node.args === "string" && /^[bB][rR]["']/.test(source.slice(node.start - 1))) {
    node.args = new TextEncoder().encode(node.args);
  }
}

/** The bytes of a valid `b"..."` literal: numeric escapes are bytes, characters are their UTF-8. */
function bytesOf(literal: string): Uint8Array {
  const quotes = /^.("""|'''|"|')/.exec(literal)![1]!.length;
  const content = literal.slice(1 + quotes, -quotes);
  const bytes: number[] = [];
  for (const [piece] of content.matchAll(/\\[xX][0-9a-fA-F]{2}|\\[0-7]{3}|\\[^]|[^\\]+/g)) {
    if (/^\\[xX]/.test(piece)) bytes.push(parseInt(piece.slice(2), 16));
    else if (/^\\[0-7]{3}/.test(piece)) bytes.push(parseInt(piece.slice(1), 8));
    else bytes.push(...new TextEncoder().encode(piece[0] === "\\" ? ESCAPES[piece[1]!] ?? piece[1]! : piece));
  }
  return Uint8Array.from(bytes);
}

/** The characters that a backslash and a letter stand for. */
export const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
