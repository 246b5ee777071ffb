/** The stable words of the service's errors: `deno task codes` writes them. */
export const SERVICE_CODES = [
  "agent_exists",
  "agent_not_found",
  "already_claimed",
  "etag_mismatch",
  "evaluation_failed",
  "forbidden",
  "id_unavailable",
  "idempotency_mismatch",
  "internal",
  "invalid_expression",
  "invalid_request",
  "invite_not_found",
  "key_not_found",
  "lease_lost",
  "limit_reached",
  "message_not_found",
  "method_not_allowed",
  "not_a_number",
  "not_editable",
  "not_found",
  "precondition_failed",
  "rate_limited",
  "request_timeout",
  "reservation_not_found",
  "reserved",
  "room_exists",
  "room_not_found",
  "task_blocked",
  "task_over",
  "token_not_found",
  "too_large",
  "unauthenticated",
  "unavailable",
  "unsupported_encoding",
  "version_conflict",
] as const;

/**
 * The code of an error: the service's, `no_answer` where no answer came, or `bad_answer` where the answer was not
 * Convene's. A service that is newer than the client may have more codes.
 */
export type ErrorCode = typeof SERVICE_CODES[number] | "no_answer" | "bad_answer";
