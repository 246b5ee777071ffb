import type { Context } from "hono";
import { StoredJson } from "../../db/json.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";

/** A body with the headers that it needs: its length, where it is sent in pieces. */
export interface Body {
  body: BodyInit;
  headers: Record<string, string>;
}

/** Members of members are as deep as what is many lies: the keys of the scopes of `state`. */
const MANY_AT_DEPTH = 3;
/** UTF-16 code units that are put together and encoded at once, in some milliseconds where they were drawn. */
const PIECE = 2 ** 16;

/** Encodes a value as a body of JSON, and yields in between. A long one is sent in pieces. */
export async function largeJson(value: unknown): Promise<Body> {
  const texts: string[] = [];
  await write(value, MANY_AT_DEPTH, texts);
  return await largeBody(texts);
}

/** Answers with a page or a piece of one, put together from the texts that were drawn; yields in between. */
export async function replyLargePage(
  c: Context,
  texts: string[],
  status: 200 | 404 = 200,
): Promise<Response> {
  const { body, headers } = await largeBody(texts);
  return c.body(body as ReadableStream, status, { "Content-Type": "text/html; charset=UTF-8", ...headers });
}

/** A member as JSON, with what is stored as it is. */
function encoded(member: unknown): string {
  if (member instanceof StoredJson) return member.text;
  if (typeof member !== "object" || member === null || Array.isArray(member)) return JSON.stringify(member);
  const members = Object.entries(member);
  if (!members.some(([, value]) => value instanceof StoredJson)) return JSON.stringify(member);
  const texts = members.filter(([, value]) => value !== undefined).map(([name, value]) =>
    `${JSON.stringify(name)}:${value instanceof StoredJson ? value.text : JSON.stringify(value)}`
  );
  return `{${texts.join(",")}}`;
}

/** Texts one after the other as a body. What was drawn is put together of its parts only now, which takes its time too. */
async function largeBody(texts: string[]): Promise<Body> {
  const only = joined(texts, 0);
  if (only.end === texts.length && only.text.length <= PIECE) return { body: only.text, headers: {} };
  const encoder = new TextEncoder();
  const encoded: Uint8Array[] = [];
  for (let from = 0; from < texts.length;) {
    if (isBusy()) await yieldToOthers();
    const { text, end } = joined(texts, from);
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length; at += PIECE) encoded.push(bytes.subarray(at, at + PIECE));
    from = end;
  }
  const length = encoded.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { body: ReadableStream.from(encoded), headers: { "Content-Length": String(length) } };
}

/**
 * The text of what was drawn, put together now. V8 keeps it in as many parts as it was made of; where there is much,
 * the collector moves them all, several times, and whoever reads the whole first puts it together in one go.
 */
export function textOf(markup: { toString(): string }): string {
  const text = String(markup);
  text.charCodeAt(0); // what needs a character puts it together
  return text;
}

async function write(value: unknown, depth: number, texts: string[]): Promise<void> {
  if (typeof value !== "object" || value === null) return void texts.push(JSON.stringify(value));
  const isList = Array.isArray(value);
  texts.push(isList ? "[" : "{");
  let separator = "";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    if (isBusy()) await yieldToOthers();
    texts.push(isList ? separator : `${separator}${JSON.stringify(name)}:`);
    if (isList || depth === 1) texts.push(encoded(member));
    else await write(member, depth - 1, texts);
    separator = ",";
  }
  texts.push(isList ? "]" : "}");
}

/** Texts from a place on as one, of about a piece. */
function joined(texts: string[], from: number): { text: string; end: number } {
  let end = from;
  for (let length = 0; end < texts.length && length < PIECE; end++) length += texts[end]!.length;
  return { text: texts.slice(from, end).join(""), end };
}
