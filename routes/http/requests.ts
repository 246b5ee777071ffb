import type { Context } from "hono";
import type { z } from "zod";
import { compileYielding } from "../../cel/rooms/compile.ts";
import { type Expression, InvalidExpression, type Subject } from "../../cel/rooms/expression.ts";
import { isObject, type Json, type JsonObject } from "../../db/json.ts";
import { isBusy, yieldToOthers } from "../../db/yield.ts";
import { invalidMember, RequestError, tooLarge } from "./errors.ts";
import { BasedResponse } from "./headers.ts";
import { storedRoom } from "./callers/credentials.ts";
import type { Filled } from "./callers/own_agent.ts";
import { arrivesInTime, packedBody } from "./input/bodies.ts";
import { issuesOf } from "./input/issues.ts";
import { parseJson } from "./input/json_text.ts";
import { loadParts, made, type Parts, withoutNulls } from "./input/schemas.ts";
import { plainly } from "./input/wordings.ts";
import { largeJson } from "./large_bodies.ts";
import { LIMITS } from "./limits.ts";

/** Returns the id under which the path's room is stored, whether it exists or not. */
export function roomOf(c: Context): string {
  return storedRoom(c, c.req.param("room")!);
}

/** Bytes of a body that is parsed without yielding first. */
const SHORT_BODY = 16 * 1024;
const PLAINLY = { error: plainly };

/** The members of a body that a request brings outside of it. */
interface Brought {
  /** Those of the query, which the body may only repeat. */
  named?: Record<string, string | number>;
  /** One that the body may leave out. */
  filled?: Filled;
}

/**
 * Parses the body by its schema, whatever its Content-Type; an absent body counts as `{}`. Errors: `invalid_request`,
 * `too_large`, `request_timeout`, `unsupported_encoding`.
 */
export async function readBody<Bodies extends Record<string, z.ZodType>, Name extends keyof Bodies>(
  c: Context,
  { bodies }: { bodies(parts: Parts): Bodies },
  name: Name,
  { named, filled }: Brought = {},
): Promise<z.infer<Bodies[Name]>> {
  const bytes = await arrivesInTime(c.req.arrayBuffer());
  if (bytes.byteLength > LIMITS.bodyBytes) throw tooLarge("The body", LIMITS.bodyBytes);
  const schema = bodies(await loadParts())[name]!;
  if (bytes.byteLength > SHORT_BODY && isBusy()) await yieldToOthers();
  const value = parsed(c, bytes);
  const body = (named || filled) && isObject(value) ? await completed(value, { named, filled }) : value;
  const checked = schema.safeParse(body, PLAINLY);
  if (checked.success) return withoutNulls(checked.data as object) as z.infer<Bodies[Name]>;
  const { issues, message, hint } = issuesOf(schema, body, checked.error.issues);
  throw new RequestError("invalid_request", message, { issues, hint });
}

const NOTHING = { bodies: made(({ z }) => ({ Nothing: z.strictObject({}) })) };

/** Refuses the members of a body where a request has none, such as a guard. Errors: those of `readBody`. */
export async function refuseMembers(c: Context): Promise<void> {
  await readBody(c, NOTHING, "Nothing");
}

function parsed(c: Context, bytes: ArrayBuffer): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw packedBody(c) ?? error;
  }
}

/** Adds to a body what its request brings outside of it. Errors: `invalid_request`, those of `filled`. */
async function completed(body: JsonObject, { named = {}, filled }: Brought): Promise<JsonObject> {
  for (const [name, given] of Object.entries(named)) {
    const own = Object.hasOwn(body, name) ? body[name] : null;
    if (own !== null && own !== given) {
      const message = `${name} is one thing in the body and another in the query.`;
      throw invalidMember([name], message, "Send it in one of them.");
    }
  }
  const whole = { ...body, ...named };
  if (!filled) return whole;
  const names = [filled.name, `${filled.name}_agent`];
  const isNamed = names.some((name) => Object.hasOwn(whole, name) && whole[name] !== null);
  const own = isNamed ? undefined : await filled.value();
  return own === undefined ? whole : { ...whole, [filled.name]: own };
}

/** Maximum bytes of UTF-8 for a UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3;

/** Refuses a value that is too large to store. Errors: `too_large`. */
export function checkSize(value: Json | undefined, what: string, max: number = LIMITS.valueBytes): void {
  if (value === undefined || typeof value === "number" || typeof value === "boolean") return;
  const json = JSON.stringify(value);
  if (json.length > max / MAX_BYTES_PER_CHARACTER && new TextEncoder().encode(json).length > max) {
    throw tooLarge(what, max);
  }
}

/** Characters that a text column does not return unchanged: NUL and lone surrogates. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Compiles an expression, yielding first if others wait. Errors: `invalid_expression`, with the members of `details`. */
export async function compileOf(
  source: string,
  details: Record<string, unknown> = {},
  subject: Subject = "room",
): Promise<Expression> {
  const bad = source.search(UNSTORABLE);
  if (bad >= 0) {
    const message = "An expression must be well-formed Unicode without NUL.";
    throw new RequestError("invalid_expression", message, { expression: source, position: bad, ...details });
  }
  try {
    return await compileYielding(source, subject);
  } catch (error) {
    if (!(error instanceof InvalidExpression)) throw error;
    const { message, position, hint } = error;
    throw new RequestError("invalid_expression", message, { expression: source, position, hint, ...details });
  }
}

/** Links to the rest of a list: the same request with these parameters. */
export function linkNext(c: Context, parameters: Record<string, string>): { Link: string } {
  const url = new URL(c.req.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { Link: `<${url.pathname}${url.search}>; rel="next"` };
}

/** Answers about a room, with the revision that the answer reflects. */
export function reply(
  revision: number,
  body: unknown,
  status: 200 | 201 = 200,
  headers?: Record<string, string>,
): Response {
  return new BasedResponse(JSON.stringify(body), status, {
    "Content-Type": "application/json",
    "Convene-Revision": String(revision),
    ...headers,
  });
}

/** Like `reply`, with all that a write answers, the revision in the header alone. */
export function replyAll({ revision, ...body }: { revision: number }): Response {
  return reply(revision, body);
}

/**
 * Like `reply`, but yields while it encodes a large body, and packs that if the caller accepts it. `revision`: undefined
 * for an answer about no single room.
 */
export async function replyLarge(
  c: Context,
  revision: number | undefined,
  value: unknown,
  headers?: Record<string, string>,
): Promise<Response> {
  const { body, headers: own } = await largeJson(c, value);
  return new BasedResponse(body, 200, {
    "Content-Type": "application/json",
    ...(revision !== undefined && { "Convene-Revision": String(revision) }),
    ...headers,
    ...own,
  });
}
