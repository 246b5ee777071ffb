import { createTurn } from "../db/turn.ts";

/** Members of members are as deep as what is many lies: the keys of the scopes of `state`. */
const MANY_AT_DEPTH = 3;
/** UTF-16 code units of JSON that are encoded at once, in about a millisecond. */
const PIECE = 2 ** 20;

type Turn = () => Promise<void>;

/** A value as a body of JSON, made in turns with other requests: text, or where that would be long its bytes. */
export async function jsonInTurns(value: unknown): Promise<string | Uint8Array<ArrayBuffer>> {
  const turn = createTurn();
  const texts: string[] = [];
  await write(value, MANY_AT_DEPTH, texts, turn);
  const pieces = joined(texts);
  return pieces.length === 1 ? pieces[0]! : await encoded(pieces, turn);
}

async function write(value: unknown, depth: number, texts: string[], turn: Turn): Promise<void> {
  if (typeof value !== "object" || value === null) return void texts.push(JSON.stringify(value));
  const isList = Array.isArray(value);
  texts.push(isList ? "[" : "{");
  let separator = "";
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    await turn();
    texts.push(isList ? separator : `${separator}${JSON.stringify(name)}:`);
    if (isList || depth === 1) texts.push(JSON.stringify(member));
    else await write(member, depth - 1, texts, turn);
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

async function encoded(pieces: string[], turn: Turn): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (const piece of pieces) {
    await turn();
    parts.push(encoder.encode(piece));
  }
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    await turn();
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
