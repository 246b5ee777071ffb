import type { Context } from "hono";
import type { Database } from "../../db/database.ts";
import type { JoinKey } from "../../db/invites/find.ts";
import type { Viewer } from "../../db/viewer.ts";
import type { Operation, Outcome } from "../../db/write/context.ts";
import { isTaken, runOnce } from "../../db/write/idempotency.ts";
import { peerOf } from "./callers/caller.ts";
import type { FairUse } from "./callers/fair_use.ts";
import type { Callers } from "./callers/own_agent.ts";
import { answeredInTime } from "./deadline.ts";
import { invalidMember } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { queryOf } from "./input/queries.ts";

/** The scope of keys for creating a room without an id. No room has this id. */
const NO_ROOM = "";

/**
 * Makes a write and renders its answer. With an `Idempotency-Key` it is made once for each key and room: a repetition
 * gets the same answer with `Idempotency-Replayed: true`. A repetition that comes while the first request is under way
 * waits for it, since the database serializes writes.
 * Errors: `invalid_request`, `idempotency_mismatch`; what the write and `render` throw.
 */
export async function answerOnce<Answer>(
  c: Context,
  { database, viewerOf, fairUse }: Callers & { fairUse: FairUse },
  room: string | undefined,
  { acts, run, answer }: Operation<Answer>,
  render: (answer: Answer, outcome: Outcome) => Response | Promise<Response>,
): Promise<Response> {
  const by = { viewer: viewerOf(c), acts };
  const key = keyOf(c);
  const outcome = key === undefined
    ? await run({ ...by, time: database.time, newId: database.newId }) as Outcome
    : await runOnce(database, {
      ...by,
      scope: room ?? NO_ROOM,
      key: room === undefined ? await roomlessKey(c, database, by.viewer, key) : key,
      fingerprint: await digest(identityOf(c), await c.req.arrayBuffer()),
      lifetime: LIMITS.idempotencyMs,
    }, run);
  if (key !== undefined && !outcome.replayed) fairUse.charge(c, bytesOf(outcome));
  const response = await render(answer(outcome), outcome);
  if (outcome.replayed) response.headers.set(REPLAYED, "true");
  return response;
}

/**
 * Answers a write that may wait, as `answerOnce` does: within the deadline of requests if its `timeout` is 0, else counted
 * as a wait of its caller and room. Errors: `rate_limited`, `DatabaseUnavailable`, those of `answerOnce`.
 */
export async function answerWaiting<Answer>(
  c: Context,
  services: Callers & { fairUse: FairUse },
  room: string,
  timeout: number,
  operation: Operation<Answer>,
  render: (answer: Answer) => Response,
): Promise<Response> {
  const answer = () => answerOnce(c, services, room, operation, render);
  if (timeout === 0) return await answeredInTime(services.database.working(answer), c);
  const release = services.fairUse.hold(c, "wait", room);
  return await answer().finally(release);
}

const encoder = new TextEncoder();

/** Returns the bytes of an outcome's texts, before they are escaped. */
function bytesOf({ rows }: Outcome): number {
  const texts = rows.flat().flatMap(Object.values).filter((value) => typeof value === "string");
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
}

const REPLAYED = "Idempotency-Replayed";

/** Makes the header of an answer that an earlier request under the same key has got before. */
export function replayedHeader(replayed: boolean): Record<string, string> {
  return replayed ? { [REPLAYED]: "true" } : {};
}

/** Makes the members that show a token, this once: in a repetition it is null, and `hint` says what to do without it. */
export function shownOnce(
  token: string | null | undefined,
  hint: string,
): { token?: string | null; hint?: string } {
  return token === undefined ? {} : token === null ? { token, hint } : { token };
}

const MAX = LIMITS.idempotencyKeyLength;
/** A key, plain or as a quoted string (RFC 8941, 3.3.3), without spaces around it. */
export const KEY_PATTERN = String.raw`^([!#-~]([ -~]{0,${
  MAX - 2
}}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,${MAX}}")$`;
const KEY = new RegExp(KEY_PATTERN);

/** Returns the key of a request; undefined if it has none. Errors: `invalid_request`. */
function keyOf(c: Context): string | undefined {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return undefined;
  if (KEY.test(header)) return header.startsWith('"') ? header.slice(1, -1).replace(/\\(.)/g, "$1") : header;
  throw invalidMember(
    ["Idempotency-Key"],
    `Idempotency-Key must have 1 to ${LIMITS.idempotencyKeyLength} printable ASCII characters.`,
    "Take a new random UUID for each request, and the same one when you repeat it.",
  );
}

/**
 * Returns the key to store for creating a room without an id: a digest of the caller's key alone, since a repetition
 * may come from another address. The minimum length keeps strangers from guessing a key, and so the room's id.
 * Errors: `invalid_request`.
 */
async function roomlessKey(c: Context, database: Database, viewer: Viewer, key: string): Promise<string> {
  requireLength(key, "of a room without an id", "Take a new random UUID, or name the room by an id.");
  const own = await digest(key);
  const taken = (key: string) =>
    isTaken(database, { viewer, scope: NO_ROOM, key, lifetime: LIMITS.idempotencyMs });
  if (await taken(own)) return own;
  // Earlier releases stored the key by address. Their keys are valid for a day.
  const former = await digest(`${creatorOf(c)} ${key}`);
  return await taken(former) ? former : own;
}

/** Refuses a key that strangers might guess. Errors: `invalid_request`. */
function requireLength(key: string, whose: string, hint: string): void {
  const min = LIMITS.roomlessKeyLength;
  if (key.length >= min) return;
  const message = `Idempotency-Key ${whose} must have at least ${min} characters.`;
  throw invalidMember(["Idempotency-Key"], message, hint);
}

/** Returns the key of a request, which brings a token again. Errors: `invalid_request`, also for one that is short. */
function secretKeyOf(c: Context, whose: string): string | undefined {
  const key = keyOf(c);
  if (key !== undefined) requireLength(key, whose, "Take a new random UUID, and keep it to yourself.");
  return key;
}

/**
 * Returns the key under which a request joins by a code, as digests; undefined without one. It must be as hard to guess
 * as the token, since with the code it brings a token again. Errors: `invalid_request`.
 */
export async function joinKeyOf(c: Context, code: string): Promise<JoinKey | undefined> {
  const sent = secretKeyOf(c, "of who joins by a code");
  if (sent === undefined) return undefined;
  const request = await digest("", await c.req.arrayBuffer());
  return { key: await digest(`${code}\n${sent}`), request, lifetime: LIMITS.idempotencyMs };
}

/**
 * Returns a digest of a rotation's key and body, which identifies its repetition: that shows a token which is no longer in
 * force. Undefined without a key. Errors: `invalid_request`.
 */
export async function rotationKeyOf(c: Context): Promise<string | undefined> {
  const key = secretKeyOf(c, "of who rotates a token");
  if (key === undefined) return undefined;
  return `rotation ${await digest(`${key}\n`, await c.req.arrayBuffer())}`;
}

/** Identifies the caller by all its addresses. The whole header counts: a caller cannot fake what the last proxy adds. */
function creatorOf(c: Context): string {
  return `${peerOf(c) ?? ""} ${c.req.header("x-forwarded-for") ?? ""}`;
}

/** Returns what identifies a request besides its body. */
function identityOf(c: Context): string {
  const given = Object.entries(queryOf(c)).sort(([a], [b]) => a < b ? -1 : 1);
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  const headers = [c.req.header("if-match") ?? "", c.req.header("if-none-match") ?? ""];
  return [c.req.method, c.req.path + query, ...headers, ""].join("\n");
}

async function digest(text: string, bytes = new ArrayBuffer(0)): Promise<string> {
  const all = new Blob([text, bytes]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await all.arrayBuffer())).toHex();
}
