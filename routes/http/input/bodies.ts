import type { Context, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { Refusal } from "../../../db/refusal.ts";
import { within } from "../deadline.ts";
import { invalidMember, RequestError, tooLarge } from "../errors.ts";
import { LIMITS } from "../limits.ts";

function bodyLate() {
  return new RequestError(
    "request_timeout",
    `The body did not arrive within ${LIMITS.bodyMs / 1_000} seconds.`,
    { hint: "Nothing was done. Send the whole body at once." },
  );
}

/**
 * Waits for a body. Errors: `request_timeout`; `invalid_request` if it breaks off; `unavailable` if this server ends;
 * those of `arriving`.
 */
export function arrivesInTime<T>(arriving: Promise<T>): Promise<T> {
  return within(arriving.catch(brokenOff), LIMITS.bodyMs, bodyLate);
}

const BROKEN_OFF = "Send it again, whole: Content-Length must be its length in bytes.";

/**
 * Blames the sender for an incomplete body, except when this server ends and stops reading (BadResource): then the
 * sender is to send it again.
 */
function brokenOff(error: Error): never {
  if (error instanceof Deno.errors.BadResource) {
    throw new Refusal("unavailable", { why: "ending" });
  }
  throw error instanceof Refusal ? error : invalidMember([], "The body broke off.", BROKEN_OFF);
}

/** Returns the error for a compressed body; undefined if it is not compressed. */
export function packedBody(c: Context): RequestError | undefined {
  const encoding = c.req.header("content-encoding");
  if (encoding === undefined || /^\s*(?:identity)?\s*$/i.test(encoding)) return undefined;
  c.header("Accept-Encoding", "identity");
  const message = `Content-Encoding: compressed bodies are not supported, and this one is ${
    JSON.stringify(encoding)
  }.`;
  return new RequestError("unsupported_encoding", message, {
    hint: "Send it uncompressed, without Content-Encoding.",
  });
}

const takeIn = bodyLimit({
  maxSize: LIMITS.bodyBytes,
  onError: () => {
    throw tooLarge("The body", LIMITS.bodyBytes);
  },
});

/**
 * Refuses bodies that are too large. Reads only a body without Content-Length: reading turns into a stream what the
 * runtime else hands over as bytes. Errors: `too_large`, those of `arrivesInTime`.
 */
export function limitBody(c: Context, next: Next): Promise<void> {
  const { method } = c.req;
  if (method === "GET" || method === "HEAD") return next();
  const length = c.req.header("content-length");
  if (length === undefined || c.req.header("transfer-encoding") !== undefined) {
    return arrivesInTime(takeIn(c, () => Promise.resolve())).then(next);
  }
  if (Number(length) > LIMITS.bodyBytes) throw tooLarge("The body", LIMITS.bodyBytes);
  return next();
}
