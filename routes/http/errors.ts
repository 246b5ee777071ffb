import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { Refusal, type RefusalCode } from "../../db/refusal.ts";
import { LIMITS } from "./limits.ts";
import { withSlip } from "./input/query_slips.ts";

type RequestCode =
  | "invalid_request"
  | "invalid_expression"
  | "evaluation_failed"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "too_large"
  | "request_timeout"
  | "unsupported_encoding"
  | "rate_limited"
  | "internal";

export type ErrorCode = RequestCode | RefusalCode;

/** Every error code and its status: the one place that knows. */
export const STATUS: Record<ErrorCode, ContentfulStatusCode> = {
  invalid_request: 400,
  invalid_expression: 400,
  evaluation_failed: 400,
  forbidden: 403,
  room_not_found: 404,
  agent_not_found: 404,
  message_not_found: 404,
  key_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  version_conflict: 409,
  precondition_failed: 409,
  not_a_number: 409,
  already_claimed: 409,
  agent_exists: 409,
  limit_reached: 409,
  etag_mismatch: 412,
  idempotency_mismatch: 422,
  too_large: 413,
  unsupported_encoding: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

/** A request that is refused for what it says, before the room is looked at. `details` are further members of the answer. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(readonly code: RequestCode, message: string, readonly details: Record<string, unknown> = {}) {
    super(message);
  }
}

/**
 * A member of the request that is not as it must be, found where a schema cannot say it. The answer's message names
 * it where `message` does not.
 */
export function invalidMember(path: Array<string | number>, message: string, hint?: string): RequestError {
  const issues = [{ path, message }];
  return new RequestError("invalid_request", naming(path, message), { issues, ...(hint && { hint }) });
}

function naming(path: Array<string | number>, message: string): string {
  const name = path.join(".");
  const named = path.length === 1 ? message.split(/[^\w-]+/).includes(name) : message.includes(name);
  return named ? message : `${name}: ${message}`;
}

/** The answer to any error that a handler throws. What is unexpected is logged and hidden. */
export function errorResponse(error: Error, c: Context): Response {
  const known = error instanceof HTTPException ? fromFramework(error) : error;
  if (known instanceof RequestError) {
    return answer(c, known.code, known.message, withSlip(c.req.url, known.details));
  }
  if (known instanceof Refusal) {
    if (known.revision !== undefined) c.header("Convene-Revision", String(known.revision));
    return answer(c, known.code, known.message, known.details);
  }
  if (known instanceof DatabaseUnavailable) {
    if (isRead(c)) return answer(c, "unavailable", "The database does not answer.", { hint: AGAIN });
    const again = c.req.header("Idempotency-Key") === undefined
      ? "Read what is there before you send it again. With an Idempotency-Key you could send it again at once."
      : "Send it again with the same Idempotency-Key: it is done once.";
    const [message, hint] = known.unknown
      ? [
        "The database did not answer. The change may or may not have been made.",
        again,
      ]
      : ["The database does not answer. Nothing was changed.", AGAIN];
    return answer(c, "unavailable", message, { hint });
  }
  console.error(error);
  return answer(c, "internal", "Something went wrong on our side.", {
    hint: "It was logged. Trying again may help.",
  });
}

const AGAIN = "Send it again in a moment.";

/** Whether a request changes nothing, so that an answer is not to speak of changes. */
function isRead(c: Context): boolean {
  return ["GET", "HEAD"].includes(c.req.method) || /\/(?:wait|eval)$/.test(c.req.path);
}

/** RFC 9457, for those who ask for it: the same members, and its own. */
const PROBLEM = "application/problem+json";

function answer(
  c: Context,
  code: ErrorCode,
  message: string,
  details: Record<string, unknown>,
): Response {
  if (STATUS[code] === 503) c.header("Retry-After", String(LIMITS.retryAfterSeconds));
  const body = { error: code, message, ...details, docs: docsOf(code) };
  if (!c.req.header("Accept")?.includes(PROBLEM)) return c.json(body, STATUS[code]);
  const problem = { type: docsOf(code), title: code, status: STATUS[code], detail: message, ...body };
  return c.body(JSON.stringify(problem), STATUS[code], { "Content-Type": PROBLEM });
}

/** Where the code is explained. */
export function docsOf(code: ErrorCode): string {
  return `/docs/errors#${code}`;
}

function fromFramework(error: HTTPException): Error {
  return error.status === 413 ? tooLarge("The body", LIMITS.bodyBytes) : error;
}

export function tooLarge(what: string, most: number): RequestError {
  return new RequestError("too_large", `${what} may have at most ${most} bytes.`, {
    hint: "Store large data elsewhere and share where it is.",
  });
}
