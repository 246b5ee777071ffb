import type { Context } from "hono";
import { giveWay, isBusy } from "../db/turn.ts";

/** A body with the headers that it needs: its length, where it is sent in pieces. */
export interface Body {
  body: BodyInit;
  headers: Record<string, string>;
}

/** Members of members are as deep as what is many lies: the keys of the scopes of `state`. */
const MANY_AT_DEPTH = 3;
/** UTF-16 code units that are encoded at once, in less than a millisecond. */
const PIECE = 2 ** 18;

/** A value as a body of JSON, made in turns with other requests. A long one is sent in pieces. */
export async function jsonInTurns(value: unknown): Promise<Body> {
  const texts: string[] = [];
  await write(value, MANY_AT_DEPTH, texts);
  return await bodyInTurns(texts);
}

/** Answers with a page or a piece of one, whose texts were drawn in turns with other requests. */
export async function htmlInTurns(c: Context, texts: string[], status: 200 | 404 = 200): Promise<Response> {
  const { body, headers } = await bodyInTurns(texts);
  return c.body(body as ReadableStream, status, { "Content-Type": "text/html; charset=UTF-8", ...headers });
}

/** Texts one after the other as a body. */
async function bodyInTurns(texts: string[]): Promise<Body> {
  const pieces = joined(texts);
  const [only = ""] = pieces;
  if (pieces.length <= 1 && only.length <= PIECE) return { body: only, headers: {} };
  const encoder = new TextEncoder();
  const encoded: Uint8Array[] = [];
  for (const piece of pieces) {
    if (isBusy()) await giveWay();
    const bytes = encoder.encode(piece);
    for (let from = 0; from < bytes.length; from += PIECE) encoded.push(bytes.subarray(from, from + PIECE));
  }
  const length = encoded.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { body: ReadableStream.from(encoded), headers: { "Content-Length": String(length) } };
}

async function write(value: unknown, depth: number, texts: string[]): Promise<void> {
  if (typeof value !== "object" || value === null) return void texts.push(JSON.stringify(value));
  const isList = Array.isArray(value);
  texts.push(isList ? "[" : "{");
  let separator = "";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    if (isBusy()) await giveWay();
    texts.push(isList ? separator : `${separator}${JSON.stringify(name)}:`);
    if (isList || depth === 1) texts.push(JSON.stringify(member));
    else await write(member, depth - 1, texts);
    separator = ",";
  }
  texts.push(isList ? "]" : "}");
}

function joined(texts: string[]): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < texts.length;) {
    let end = from;
    for (let length = 0; end < texts.length && length < PIECE; end++) length += texts[end]!.length;
    pieces.push(texts.slice(from, end).join(""));
    from = end;
  }
  return pieces;
}
