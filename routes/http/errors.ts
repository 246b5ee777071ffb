import type { Context } from "hono";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal } from "../../db/refusal.ts";
import { type ErrorCode, ERRORS, type RefusalCode, type Words } from "../../errors.ts";
import { LIMITS } from "./limits.ts";
import { withSlip } from "./input/query_slips.ts";

/** Where a member stands in a body or a query. */
export type Path = Array<string | number>;

/** Refuses a request for its content, whatever the room's state. `details` are further members of the answer. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(
    readonly code: Exclude<ErrorCode, RefusalCode> | "unauthenticated" | "forbidden",
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Refuses a member by a rule that no schema states. The answer's message begins with its path if `message` lacks it. */
export function invalidMember(path: Path, message: string, hint?: string): RequestError {
  const issues = [{ path, message }];
  return new RequestError("invalid_request", naming(path, message), { issues, hint });
}

function naming(path: Path, message: string): string {
  const name = path.join(".");
  const named = path.length === 1 ? message.split(/[^\w-]+/).includes(name) : message.includes(name);
  return named ? message : `${name}: ${message}`;
}

/** Answers any error that a handler throws. Logs an unexpected one and hides its message. */
export function errorResponse(error: Error, c: Context): Response {
  if (error instanceof RequestError) {
    return answer(c, error.code, { message: error.message, ...withSlip(c.req.url, error.details) });
  }
  if (error instanceof Refusal) return refused(error, c);
  if (error instanceof DatabaseUnavailable) return answer(c, "unavailable", wordsOf(error, c));
  console.error(error);
  return answer(c, "internal", {
    message: "Something went wrong on our side.",
    hint: "It was logged. Trying again may help.",
  });
}

const AGAIN = "Send it again in a moment.";

function refused({ code, facts, revision }: Refusal, c: Context): Response {
  if (revision !== undefined) c.header("Convene-Revision", String(revision));
  const say = ERRORS[code].say as (facts: object) => Words;
  return answer(c, code, say(facts));
}

/** Says whether the change was made only to requests that make one. */
function wordsOf({ unknown }: DatabaseUnavailable, c: Context): Words {
  if (isRead(c)) return { message: "The database does not answer.", hint: AGAIN };
  if (!unknown) return { message: "The database does not answer. Nothing was changed.", hint: AGAIN };
  return {
    message: "The database did not answer. The change may or may not have been made.",
    hint: c.req.header("idempotency-key") === undefined
      ? "Read what is there before you send it again. With an Idempotency-Key you could send it again at once."
      : "Send it again with the same Idempotency-Key: it is done once.",
  };
}

function isRead(c: Context): boolean {
  return ["GET", "HEAD"].includes(c.req.method) || /\/(?:wait|eval)$/.test(c.req.path);
}

/** RFC 9457: sent if `Accept` names it, with the usual members and its own. */
const PROBLEM = "application/problem+json";

function answer(c: Context, code: ErrorCode, words: Words): Response {
  const { status } = ERRORS[code];
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  if (status === 503) c.header("Retry-After", String(LIMITS.retryAfterSeconds));
  const body = { error: code, ...words, docs: docsOf(code) };
  if (!c.req.header("accept")?.includes(PROBLEM)) return c.json(body, status);
  const problem = { type: docsOf(code), title: code, status, detail: words.message, ...body };
  return c.body(JSON.stringify(problem), status, { "Content-Type": PROBLEM });
}

export function docsOf(code: ErrorCode): string {
  return `/docs/errors#${code}`;
}

export function tooLarge(what: string, max: number): Refusal {
  return new Refusal("too_large", { what, max });
}
