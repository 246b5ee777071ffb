import type { Context } from "hono";
import { invalidMember } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { EXPRESSIONS } from "./query_slips.ts";
import { isNear, unknownName } from "./unknown_names.ts";

type Query = Readonly<Record<string, string>>;

const EMPTY: Query = Object.freeze({});
/** Guards of a write. An empty one is refused, since its sender wants a guard. */
const GUARDS = ["if", "if_version"];

/**
 * Parses the query for `queryOf` and `queryNumber`. An empty parameter counts as absent. Errors:
 * `invalid_request` for a parameter that is not `known` (names that begin with `_` pass) or stands twice with different
 * values. `page`: refuses only unknown names near a known one, since shared links get others (`utm_source`).
 */
export function takeQuery(c: Context, known: string[], page = false): void {
  const { url } = c.req;
  const start = url.indexOf("?");
  if (start < 0) return;
  const query: Record<string, string> = {};
  for (const [name, value] of pairsOf(c, url.slice(start + 1))) {
    if (name.startsWith("_")) continue;
    if (!known.includes(name)) refuseUnknown(c, name, known, page);
    else if (value !== "") {
      if ((query[name] ??= value) !== value) {
        throw invalidMember([name], `${name} stands twice in the query.`, "Send it once.");
      }
    } else if (GUARDS.includes(name)) throw invalidMember([name], `${name} must not be empty.`, LEAVE_OUT);
  }
  c.set("query", query);
}

/** Returns the parameters in order. Only a query with escapes is decoded. */
function pairsOf(c: Context, search: string): Array<[name: string, value: string]> {
  if (/[%+#]/.test(search)) {
    return Object.entries(c.req.queries()).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value])
    );
  }
  return search.split("&").filter((pair) => pair !== "").map((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

const LEAVE_OUT = "Leave it out to write whatever is there.";

function refuseUnknown(c: Context, name: string, known: string[], page: boolean): void {
  const { method, url } = c.req;
  if (page && !isNear(name, known)) return;
  const { message, hint } = unknownName("parameter", name, known);
  const cut = known.some((other) => EXPRESSIONS.includes(other)) &&
    (/[^\w[\]-]/.test(name) || url.includes("&&"));
  const inBody = known.length === 0 && ["PUT", "POST", "PATCH"].includes(method);
  if (inBody) {
    throw invalidMember([name], message, "There are no parameters here: send members in the body, as JSON.");
  }
  throw invalidMember(
    [name],
    message,
    cut ? "If it is part of an expression, URL-encode && as %26%26, or send JSON in the body." : hint,
  );
}

/** Returns the parameters that are there and not empty. */
export function queryOf(c: Context): Query {
  return c.get("query") ?? EMPTY;
}

/** Parses a whole number of the query. Errors: `invalid_request` if it is none, or below `min`. */
export function queryNumber(c: Context, name: string, min = 0): number | undefined {
  const text = queryOf(c)[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text)) throw invalidMember([name], `${name} must be a whole number.`);
  if (value < min) throw invalidMember([name], `${name} must be at least ${min}.`);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** Parses the length of a list, cut to `LIMITS.listLength`. Errors: `invalid_request`. */
export function queryCount(c: Context, name: string): number | undefined {
  const count = queryNumber(c, name, 1);
  return count && Math.min(count, LIMITS.listLength);
}
