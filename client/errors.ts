import type { ErrorCode } from "./codes.ts";

/** What an error says beside its message. */
export interface ErrorDetails {
  /** The status of the answer; 0 when there was none. */
  status?: number;
  /** The whole answer. */
  body?: Record<string, unknown>;
  /** What to do instead. */
  hint?: string;
  /** Milliseconds after which the service asks to be tried again. */
  retryAfter?: number;
  cause?: unknown;
}

/** Whatever goes wrong between the caller and the service. */
export class ConveneError extends Error {
  override readonly name = "ConveneError";
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status ?? 0;
    this.body = details.body ?? {};
    this.hint = details.hint;
    this.retryAfter = details.retryAfter;
  }

  /** Whether the same request may well succeed a moment later: nothing is wrong with what it says. */
  get passing(): boolean {
    return this.code === "no_answer" ||
      this.body.error === "idempotency_in_progress" ||
      passes(this.status);
  }
}

/** Statuses of 400 to 499 that say "later": too slow, too early, too many. */
const LATER = [408, 425, 429];
/** Statuses of 500 and more that say "never": not implemented, not this version of HTTP. */
const NEVER = [501, 505];

/** Proxies and CDNs have statuses of their own for a service that is away (520 to 530), so all are taken for it. */
function passes(status: number): boolean {
  return LATER.includes(status) || (status >= 500 && !NEVER.includes(status));
}

/** The error that an answer with a status of 400 or more is. */
export function errorOf(response: Response, text: string): ConveneError {
  const { status } = response;
  const body = objectOf(text);
  const retryAfter = millisecondsOf(response.headers.get("Retry-After"));
  if (typeof body?.error !== "string") {
    return new ConveneError(
      "bad_answer",
      `The answer has status ${status} and is not one of Convene.`,
      {
        status,
        retryAfter,
        hint: "Is this the address of the service?",
      },
    );
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

/** A `Retry-After` (RFC 9110, 10.2.3): seconds, or the date at which to come back. */
function millisecondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const after = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(after) ? undefined : Math.max(0, after);
}
