import type { ErrorCode } from "./codes.ts";

/** The members of an error beside its code and message. */
export interface ErrorDetails {
  /** The status of the answer; 0 without one. */
  status?: number;
  /** The answer's body. */
  body?: Record<string, unknown>;
  /** What to do instead. */
  hint?: string;
  /** The milliseconds of the answer's `Retry-After`. */
  retryAfter?: number;
  cause?: unknown;
}

/** An error of the service, or of the connection to it. */
export class ConveneError extends Error {
  override readonly name = "ConveneError";
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(readonly code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.status = details.status ?? 0;
    this.body = details.body ?? {};
    this.hint = details.hint;
    this.retryAfter = details.retryAfter;
  }

  /** True if the same request may succeed later. */
  get passing(): boolean {
    return this.code === "no_answer" || passes(this.status);
  }
}

/** Client errors that pass: request timeout, too early, too many requests. */
const LATER = [408, 425, 429];
/** Server errors that do not pass: not implemented, HTTP version not supported. */
const NEVER = [501, 505];

/** True for statuses that may pass. Includes unknown ones of 500 and more, which CDNs use for a service that is away. */
function passes(status: number): boolean {
  return LATER.includes(status) || (status >= 500 && !NEVER.includes(status));
}

/** The error where an answer with a token, which is told once, was lost. `made`: what was done all the same. */
export function tokenLost(made: string): ConveneError {
  return new ConveneError("no_answer", `${made}, and the answer that told its token was lost.`, {
    hint: "Take another id.",
  });
}

/** The error of an answer that is not what the API says. */
export function badAnswer(message: string, details?: ErrorDetails): ConveneError {
  return new ConveneError("bad_answer", message, { hint: "Is this the address of the service?", ...details });
}

/** The error of an answer that is no success. */
export function errorOf({ status, type, headers }: Response, text: string): ConveneError {
  if (status >= 300 && status < 400 || type === "opaqueredirect") {
    const to = headers.get("Location") ?? "another address"; // browsers do not tell it
    const hint = "If that is the service, take its address.";
    return badAnswer(`The answer leads to ${to}, which is not followed.`, { status, hint });
  }
  const body = objectOf(text);
  const retryAfter = millisecondsOf(headers.get("Retry-After"));
  if (typeof body?.error !== "string") {
    return badAnswer(`The answer has status ${status} and is not one of Convene.`, { status, retryAfter });
  }
  const hint = typeof body.hint === "string" ? body.hint : undefined;
  return new ConveneError(body.error as ErrorCode, String(body.message ?? body.error), {
    status,
    body,
    hint,
    retryAfter,
  });
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** The milliseconds of a `Retry-After` (RFC 9110, 10.2.3), which is in seconds or a date. */
function millisecondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const after = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(after) ? undefined : Math.max(0, after);
}
