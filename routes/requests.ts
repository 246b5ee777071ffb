import type { Context } from "hono";
import type { z } from "zod";
import { compileInTurn, type Expression, InvalidExpression } from "../cel/expression.ts";
import type { Json } from "../db/json.ts";
import { arrivesInTime } from "./bodies.ts";
import { invalidMember, RequestError, tooLarge } from "./errors.ts";
import { BasedResponse } from "./headers.ts";
import { existingId } from "./ids.ts";
import { jsonInTurns } from "./large_bodies.ts";
import { LIMITS } from "./limits.ts";

/** The room that the path names, whether there is one or not. */
export function roomOf(c: Context): string {
  return existingId(c.req.param("room")!);
}

type Schemas = typeof import("./schemas.ts");
// Loaded with the first body: an instance that is started by a read answers it sooner.
let schemas: Promise<Schemas> | undefined;

/**
 * The body as the schema has it, whatever its Content-Type; an absent one counts as `{}`.
 * Errors: `invalid_request`, `too_large`, `request_timeout`.
 */
export async function readBody<Name extends keyof Schemas>(
  c: Context,
  name: Name,
): Promise<z.infer<Schemas[Name]>> {
  const bytes = await arrivesInTime(c.req.arrayBuffer());
  if (bytes.byteLength > LIMITS.bodyBytes) throw tooLarge("The body", LIMITS.bodyBytes);
  const { [name]: schema } = await (schemas ??= import("./schemas.ts"));
  const parsed = schema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data as z.infer<Schemas[Name]>;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path, message }));
  const { path, message } = issues[0]!;
  const where = path.length === 0 ? "The body" : path.join(".");
  throw new RequestError("invalid_request", `${where}: ${message}`, { issues });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(bytes: ArrayBuffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw invalidMember([], "The body must be UTF-8.");
  }
  if (text.trim() === "") return {};
  if (depthOf(text) > LIMITS.jsonDepth) {
    throw invalidMember([], `The body may be nested at most ${LIMITS.jsonDepth} deep.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidMember(
      [],
      `The body must be JSON: ${(error as Error).message}`,
      "In a shell, quote the body with '...'.",
    );
  }
  // A number that no double holds reads as Infinity and would come back as null.
  if (HUGE_NUMBER.test(text) && !allFinite(value)) {
    throw invalidMember([], "A number in the body is too large for JSON numbers (doubles).");
  }
  return value;
}

const HUGE_NUMBER = /[eE]\+?\d{3}|\d{309}/;

function allFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(allFinite);
}

/** How deep brackets nest outside of strings, found before a parser has to follow them. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted && character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "{" || character === "[") most = Math.max(most, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return most;
}

/** Bytes of UTF-8 that a UTF-16 code unit takes at the most. */
const MOST_BYTES = 3;

/** Refuses a value that is too large to be stored. Errors: `too_large`. */
export function checkSize(value: Json | undefined, what: string): void {
  if (value === undefined || typeof value === "number" || typeof value === "boolean") return;
  const json = JSON.stringify(value);
  const most = LIMITS.valueBytes;
  if (json.length > most / MOST_BYTES && new TextEncoder().encode(json).length > most) {
    throw tooLarge(what, most);
  }
}

/** What a text column would not give back as it was: NUL, and halves of characters. */
// deno-lint-ignore no-control-regex
const UNSTORABLE = /[\u0000\p{Surrogate}]/u;

/**
 * Compiles an expression of the request, in turns with other requests. Errors: `invalid_expression`, with what
 * `details` add.
 */
export async function compileOf(
  source: string,
  details: Record<string, unknown> = {},
): Promise<Expression> {
  const bad = source.search(UNSTORABLE);
  if (bad >= 0) {
    const message = "An expression must be well-formed Unicode without NUL.";
    throw new RequestError("invalid_expression", message, { expression: source, position: bad, ...details });
  }
  try {
    return await compileInTurn(source);
  } catch (error) {
    if (!(error instanceof InvalidExpression)) throw error;
    const { message, position, hint } = error;
    throw new RequestError("invalid_expression", message, {
      expression: source,
      position,
      ...(hint && { hint }),
      ...details,
    });
  }
}

/** A whole number of the query. Errors: `invalid_request` when it is none, negative, or below `least`. */
export function queryNumber(c: Context, name: string, least = 0): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text)) throw invalidMember([name], `${name} must be a whole number.`);
  if (value < least) throw invalidMember([name], `${name} must be at least ${least}.`);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** How many a list may hold: a number of the query, at most the limit. */
export function queryCount(c: Context, name: string): number | undefined {
  const count = queryNumber(c, name, 1);
  return count && Math.min(count, LIMITS.listLength);
}

/** Says that a list was cut, and where it goes on: the same request with these parameters. */
export function linkNext(c: Context, parameters: Record<string, string>): { Link: string } {
  const url = new URL(c.req.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { Link: `<${url.pathname}${url.search}>; rel="next"` };
}

/** An answer about a room, with the revision that it reflects. */
export function reply(
  revision: number,
  body: unknown,
  status: 200 | 201 = 200,
  headers?: Record<string, string>,
): Response {
  return json(body, status, { "Convene-Revision": String(revision), ...headers });
}

/** `reply` for what may be large: its JSON is made in turns with other requests. */
export function replyInTurns(
  revision: number,
  body: unknown,
  headers?: Record<string, string>,
): Promise<Response> {
  return listInTurns(body, { "Convene-Revision": String(revision), ...headers });
}

/** An answer about no room that may be large. */
export async function listInTurns(value: unknown, headers?: Record<string, string>): Promise<Response> {
  const { body, headers: own } = await jsonInTurns(value);
  return new BasedResponse(body, 200, { "Content-Type": "application/json", ...headers, ...own });
}

function json(body: unknown, status: 200 | 201, headers?: Record<string, string>): Response {
  return new BasedResponse(JSON.stringify(body), status, { "Content-Type": "application/json", ...headers });
}
