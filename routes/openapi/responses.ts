import { type ErrorCode, ERRORS } from "../../errors.ts";
import { errorName } from "./components.ts";
import type { Operation } from "./operation.ts";
import { KEY, number, type Schema } from "./parameters.ts";

export interface Response {
  description: string;
  headers: Record<string, Schema>;
  content?: Record<string, { schema: Schema; example?: unknown }>;
}

const header = (description: string, schema: Schema = { type: "string" }): Schema => ({
  description,
  schema,
});
const TRUE: Schema = { type: "string", enum: ["true"] };

export const HEADERS: Record<string, Schema> = {
  "Convene-Revision": header("The room's revision that the answer reflects", number(0)),
  Link: header('The next page of a list that was cut: `<...>; rel="next"`'),
  "Convene-Reset": header(
    "`true`: the room is at an earlier revision than `since`; the list has everything",
    TRUE,
  ),
  ETag: header("The tag of one entry, a room or a document, for `If-Match` and `If-None-Match`", {
    type: "string",
    pattern: '^(W/)?"[0-9a-f]+"$',
  }),
  RateLimit: header("What is left of a rate limit; sent once half of it is used"),
  "RateLimit-Policy": header("The rate limit of the caller or of the room; sent once half of it is used"),
  "Idempotency-Replayed": header("`true`: an earlier request with the same key made this write", TRUE),
  "Retry-After": header("Seconds to wait before the next try", number(0)),
  "Accept-Encoding": header("`identity`: request bodies must not be compressed"),
  "WWW-Authenticate": header("`Bearer`", { type: "string", enum: ["Bearer"] }),
  Vary: header("The request headers that the answer depends on; a long one may come as gzip"),
};

/** Sent once half of a share is used. */
const SHARE = ["RateLimit", "RateLimit-Policy"];

/**
 * Errors of every path; `invalid_request` for an unknown parameter, and for an invalid Host; `unauthenticated` for a
 * malformed token.
 */
const EVERYWHERE: ErrorCode[] = ["invalid_request", "unauthenticated", "internal", "unavailable"];
/** Errors of every path but the health check, which has no limits and answers under any name. */
const BUT_HEALTH: ErrorCode[] = ["forbidden", "rate_limited"];

const DESCRIPTIONS: Record<string, string> = {
  200: "Done",
  201: "Created",
  304: "Nothing has changed",
  404: "A page that says that the room does not exist",
  503: "A page that asks again",
};

export const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const headersOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, ref("headers", name)]));

const takesKey = ({ parameters = [] }: Operation) => parameters.some(({ name }) => name === KEY.name);

export function responsesOf(path: string, operation: Operation): Record<string, Response> {
  const [done, refused] = [successes(path, operation), refusals(path, operation)];
  const both = Object.keys(done).filter((status) => status in refused).map((status) => {
    const [page, error] = [done[status]!, refused[status]!];
    return [status, {
      ...error,
      headers: { ...page.headers, ...error.headers },
      content: { ...page.content, ...error.content },
    }];
  });
  return { ...done, ...refused, ...Object.fromEntries(both) };
}

/** Tells whether the answer may be about a room. */
const isOfRoom = (path: string, { answers }: Operation) => path.startsWith("/rooms/") || 201 in answers;

const shareOf = (path: string) => path === "/healthz" ? [] : SHARE;

function successes(path: string, operation: Operation): Record<string, Response> {
  const { answers, shown, headers = [] } = operation;
  const replayed = takesKey(operation) ? ["Idempotency-Replayed"] : [];
  const packed = path.startsWith("/rooms") ? ["Vary"] : [];
  const withRevision = isOfRoom(path, operation) ? ["Convene-Revision"] : [];
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const common = {
        description: DESCRIPTIONS[status]!,
        headers: headersOf([...withRevision, ...headers, ...replayed, ...packed, ...shareOf(path)]),
      };
      const content = typeof answer === "string"
        ? { "application/json": { schema: ref("schemas", answer), example: shown } }
        : Object.fromEntries(answer.map((type) => [type, { schema: { type: "string" } }]));
      return [status, { ...common, ...(Object.keys(content).length > 0 && { content }) }];
    }),
  );
}

export function errorsOf(path: string, operation: Operation): ErrorCode[] {
  const ofWrites: ErrorCode[] = takesKey(operation) ? ["idempotency_mismatch"] : [];
  const own: ErrorCode[] = [...operation.body ? ["too_large" as const] : [], ...operation.errors ?? []];
  const ofBodies: ErrorCode[] = operation.body ? ["request_timeout", "unsupported_encoding"] : [];
  const ofRoom: ErrorCode[] = path.startsWith("/rooms/") ? ["room_not_found"] : [];
  const ofCallers = path === "/healthz" ? [] : BUT_HEALTH;
  return [...new Set([...own, ...ofRoom, ...ofWrites, ...ofBodies, ...ofCallers, ...EVERYWHERE])];
}

function refusals(path: string, operation: Operation): Record<string, Response> {
  const byStatus = Map.groupBy(errorsOf(path, operation), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const refs = codes.map((code) => ref("schemas", errorName(code)));
      const schema = refs.length === 1 ? refs[0]! : { oneOf: refs };
      const retry = [429, 503].includes(status) ? ["Retry-After"] : [];
      const revision = [404, 409, 412, 422].includes(status) && isOfRoom(path, operation)
        ? ["Convene-Revision"]
        : [];
      const scheme = status === ERRORS.unauthenticated.status ? ["WWW-Authenticate"] : [];
      const unpacked = status === ERRORS.unsupported_encoding.status ? ["Accept-Encoding"] : [];
      return [status, {
        description: codes.map((code) => `\`${code}\``).join(", "),
        headers: headersOf([...revision, ...retry, ...scheme, ...unpacked, ...shareOf(path)]),
        content: {
          "application/json": { schema },
          "application/problem+json": { schema: { allOf: [schema, ref("schemas", "Problem")] } },
        },
      }];
    }),
  );
}
