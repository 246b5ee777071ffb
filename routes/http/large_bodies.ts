import type { Context } from "hono";
import { SharedJson, StoredJson } from "../../db/json.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { packingFor, VARY } from "./packing.ts";
import { sentInPieces } from "./pieces.ts";

/** A body with the headers that it needs: a body in pieces needs its length. */
interface Body {
  body: BodyInit;
  headers: Record<string, string>;
}

/** The depth at which there may be many members: the keys of the scopes of `state`. */
const MANY_AT_DEPTH = 3;
/** UTF-16 code units that are joined and encoded at once, which takes some milliseconds for drawn markup. */
const PIECE = 2 ** 16;
/** UTF-16 code units below which a body is not packed: it is sent in one round trip as it is. */
const SHORT = 2 ** 13;
const ENCODER = new TextEncoder();

/** A part of a body: a text, or bytes that several bodies have. */
type Part = string | Uint8Array<ArrayBuffer>;

/** Encodes a value as a JSON body, yielding in between. A long body is packed if the caller accepts it. */
export async function largeJson(c: Context, value: unknown): Promise<Body> {
  const parts: Part[] = [];
  await write(value, MANY_AT_DEPTH, parts);
  return await largeBody(c, parts);
}

const once = new WeakMap<SharedJson, Promise<Part[]>>();

function encodedOnce(value: SharedJson, depth: number): Promise<Part[]> {
  const known = once.get(value) ?? encodedParts(value.value, depth);
  once.set(value, known);
  return known;
}

async function encodedParts(value: unknown, depth: number): Promise<Part[]> {
  const parts: Part[] = [];
  await write(value, depth, parts);
  const encoded: Part[] = [];
  for (let from = 0; from < parts.length;) {
    if (isBusy()) await yieldToOthers();
    const { part, end } = nextPart(parts, from);
    if (typeof part === "string" && part.length >= SHORT) encoded.push(...piecesOf(ENCODER.encode(part)));
    else encoded.push(part);
    from = end;
  }
  return encoded;
}

/** Cuts bytes into pieces. Those of a shared value are the same in every body, so each is packed once for all. */
function piecesOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  if (bytes.length <= PIECE) return [bytes];
  const pieces = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(bytes.subarray(at, at + PIECE));
  return pieces;
}

/** Encodes a member as JSON. Stored JSON is copied, not parsed. */
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

/** Joins texts to a body, yielding in between. V8 flattens drawn markup only here, which takes time. */
export async function largeBody(c: Context, parts: Part[]): Promise<Body> {
  const only = joined(parts, 0);
  const isOne = only.end === parts.length && only.text.length <= PIECE;
  if (isOne && only.text.length < SHORT) return { body: only.text, headers: {} };
  const packing = await packingFor(c);
  if (isOne && !packing) return { body: only.text, headers: VARY };
  const encoded: Uint8Array<ArrayBuffer>[] = packing ? [packing.head] : [];
  for (let from = 0; from < parts.length;) {
    if (isBusy()) await yieldToOthers();
    const { part, end } = nextPart(parts, from);
    const pieces = typeof part === "string" ? piecesOf(ENCODER.encode(part)) : [part];
    for (const [n, piece] of pieces.entries()) {
      if (packing && n > 0 && isBusy()) await yieldToOthers();
      encoded.push(packing ? packing.pack(piece) : piece);
    }
    from = end;
  }
  if (packing) encoded.push(packing.tail());
  const length = encoded.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const headers = { "Content-Length": String(length), ...VARY, ...packing?.headers };
  return { body: sentInPieces(encoded), headers };
}

/**
 * Returns markup as a flat string. V8 holds a joined string as its parts; the collector moves many parts several
 * times, and the first read of the whole would flatten all of them in one go.
 */
export function textOf(markup: { toString(): string }): string {
  const text = String(markup);
  text.charCodeAt(0); // makes V8 flatten it
  return text;
}

async function write(value: unknown, depth: number, parts: Part[]): Promise<void> {
  if (value instanceof SharedJson) {
    for (const part of await encodedOnce(value, depth)) parts.push(part);
    return;
  }
  if (typeof value !== "object" || value === null || value instanceof StoredJson) {
    return void parts.push(encoded(value));
  }
  const isList = Array.isArray(value);
  parts.push(isList ? "[" : "{");
  let separator = "";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    if (isBusy()) await yieldToOthers();
    parts.push(isList ? separator : `${separator}${JSON.stringify(name)}:`);
    if (isList || depth === 1) parts.push(encoded(member));
    else await write(member, depth - 1, parts);
    separator = ",";
  }
  parts.push(isList ? "]" : "}");
}

/** Returns the part at an index: bytes as they are, texts joined to about the size of a piece. */
function nextPart(parts: Part[], from: number): { part: Part; end: number } {
  const part = parts[from]!;
  if (typeof part !== "string") return { part, end: from + 1 };
  const { text, end } = joined(parts, from);
  return { part: text, end };
}

/** Joins the texts from an index on, up to bytes, or to about the size of a piece. */
function joined(parts: Part[], from: number): { text: string; end: number } {
  let end = from;
  for (let length = 0; end < parts.length && length < PIECE && typeof parts[end] === "string"; end++) {
    length += parts[end]!.length;
  }
  return { text: parts.slice(from, end).join(""), end };
}
