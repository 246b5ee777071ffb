import { children, type Node } from "./engine.ts";

/** Strings, comments and quoted names whole; names, and anything else character by character. */
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

/**
 * The source as the library's parser takes it, letter for letter as long as it was, so that positions hold:
 * quoted fields (`a.`b-c``) become names, raw bytes (`br"\d"`) raw strings. `restore` undoes it in the tree.
 */
export function plainSyntax(source: string): string {
  if (!/`|[bB][rR]["']/.test(source)) return source;
  let result = "";
  for (const piece of source.match(PIECES) ?? []) {
    if (RAW_BYTES.test(piece) && /["']/.test(piece)) result += ` ${piece.slice(1)}`;
    else if (QUOTED_FIELD.test(piece) && /\.\??\s*$/.test(result)) result += "_".repeat(piece.length);
    else result += piece;
  }
  return result;
}

/** Gives quoted fields their names back, and bytes literals the bytes that their source means. */
export function restore(root: Node, source: string): void {
  if (!/`|[bB][rR]?["']/.test(source)) return;
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.op === "." || node.op === ".?") {
      const quoted = QUOTED_FIELD.exec(source.slice(node.pos));
      if (quoted) (node.args as [Node, string])[1] = quoted[0].slice(1, -1);
    } else if (node.op === "value") restoreBytes(node, source);
    stack.push(...children(node));
  }
}

function restoreBytes(node: Node, source: string): void {
  if (node.args instanceof Uint8Array) {
    node.args = bytesOf(source.slice(node.start, node.end));
  } else if (typeof node.args === "string" && /^[bB][rR]["']/.test(source.slice(node.start - 1))) {
    node.args = new TextEncoder().encode(node.args);
  }
}

/** The bytes of a checked `b"..."` literal: escapes of numbers are bytes, characters their UTF-8. */
function bytesOf(literal: string): Uint8Array {
  const quotes = /^.("""|'''|"|')/.exec(literal)![1]!.length;
  const content = literal.slice(1 + quotes, -quotes);
  const bytes: number[] = [];
  for (const [piece] of content.matchAll(/\\[xX][0-9a-fA-F]{2}|\\[0-7]{3}|\\[^]|[^\\]+/g)) {
    if (/^\\[xX]/.test(piece)) bytes.push(parseInt(piece.slice(2), 16));
    else if (/^\\[0-7]{3}/.test(piece)) bytes.push(parseInt(piece.slice(1), 8));
    else {bytes.push(
        ...new TextEncoder().encode(piece.startsWith("\\") ? ESCAPES[piece[1]!] ?? piece[1]! : piece),
      );}
  }
  return Uint8Array.from(bytes);
}

const ESCAPES: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
