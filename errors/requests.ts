import { named, type Row } from "./row.ts";

/** Errors of requests, whatever the room holds. */
export const REQUESTS = {
  invalid_request: {
    status: 400,
    cause: "The JSON, a parameter or a header is not valid.",
    cure: "Correct what `issues` names: each has a `path` and a `message`.",
    members: ["issues", "index?"],
  },
  invalid_expression: {
    status: 400,
    cause: "A CEL expression does not parse, names an unknown root, or would fail on any data.",
    cure: "Look at `position` and `hint`; try it with `POST /rooms/:id/eval`.",
    members: ["expression", "position", "index?"],
  },
  evaluation_failed: {
    status: 400,
    cause: "The expression of `eval` failed on the room as it is now; `cause` says why.",
    cure: "Guard missing keys with `has(...)` or `.?key.orValue(x)`.",
    members: ["expression", "cause"],
  },
  not_found: {
    status: 404,
    cause: "There is nothing at this path.",
    cure: "See /docs/api for the paths.",
  },
  method_not_allowed: {
    status: 405,
    cause: "The path does not take this method.",
    cure: "Use one of those in `Allow`.",
  },
  request_timeout: {
    status: 408,
    cause: "The body did not arrive in time.",
    cure: "Send it again, faster or shorter.",
  },
  too_large: {
    status: 413,
    cause:
      "The body, a value or what is to be read is too large, or a value would be after an edit. Nothing was changed.",
    cure: "Store large data elsewhere and share its address.",
    members: ["index?"],
    say: (
      { max, index, ...of }:
        & { max: number; index?: number }
        & ({ what: string } | { scope: string; key: string; bytes: number } | { read: true }),
    ) => ({
      message: "read" in of
        ? `A request reads at most ${max} characters of a room.`
        : "what" in of
        ? `${of.what} may have at most ${max} bytes.`
        : `A value may have at most ${max} bytes; ${named(of.key, of.scope)} would have ${of.bytes}.`,
      index,
      hint: "read" in of
        ? "Read less of it at a time: one scope, keys with a prefix, a list with a `limit`."
        : "Store large data elsewhere and share its address.",
    }),
  },
  unsupported_encoding: {
    status: 415,
    cause: "The body is compressed (`Content-Encoding`); the service does not decompress bodies.",
    cure: "Send it without `Content-Encoding`.",
  },
  idempotency_mismatch: {
    status: 422,
    cause:
      "The `Idempotency-Key` was used in this room for another request, or before a release that cannot repeat the answer.",
    cure:
      "Take a new random UUID for each request, and the same one only to repeat it. `message` says which it was.",
    say: ({ by }: { by: "another request" | "another release" }) =>
      by === "another request"
        ? {
          message: "Another request was made under this Idempotency-Key.",
          hint: "A key belongs to one exact request for 24 hours. Take a new key for a new request.",
        }
        : {
          message:
            "The request under this Idempotency-Key was made by another release, whose answer this one cannot repeat.",
          hint: "It took effect: read the room. Take a new key only to make the change once more.",
        },
  },
} satisfies Record<string, Row>;
