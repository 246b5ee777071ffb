import type { Context, Next } from "hono";

/** `*` exposes all headers without credentials (Fetch, 3.3.6). The others are named for readers of the header. */
const EXPOSED = ["*", "Convene-Revision", "Link", "Retry-After"];

/**
 * Headers of every answer: any origin may read it, no cache may store it. Keep them short: Deno sends a longer head in
 * a way that costs half as much again.
 */
const BASE_HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": EXPOSED.join(","),
  "Cache-Control": "no-store",
};

/** W3C Trace Context, 3.2. An answer repeats its request's trace. Database calls carry none: requests share them. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * An answer with BASE_HEADERS. Its class lets middleware recognise it without reading or setting `headers`, either of
 * which disables Deno's fast path.
 */
export class BasedResponse extends Response {
  constructor(body: BodyInit | null, status: number, headers: Record<string, string>) {
    super(body, { status, headers: { ...BASE_HEADERS, ...headers } });
  }
}

/** Adds GET's Content-Length to answers to HEAD, to which the framework gives all other headers of GET. */
export async function withLength(c: Context, next: Next) {
  await next();
  if (c.req.method === "HEAD") await nameLength(c);
}

/** Names the length of a body and drops it, since nobody reads it: a large one counts until it is read or given up. */
async function nameLength(c: Context) {
  const answer = c.res;
  if (answer.body === null) return;
  const known = answer.headers.get("Content-Length");
  const length = known ?? String((await answer.arrayBuffer()).byteLength);
  if (known !== null) await answer.body.cancel();
  c.res = undefined; // else the framework copies the old answer's headers once more
  c.res = new Response(null, answer);
  c.header("Content-Length", length);
}

/**
 * Adds BASE_HEADERS to answers without them, except those an answer sets itself. `elsewhere` may give another answer
 * in place of a 404, which `answered` has counted already. Where the instance ends, the runtime closes connections behind
 * their answers, and says so to nobody: a caller that is not told sends its next request into the closing connection.
 */
export function baseHeaders(
  elsewhere: (c: Context) => Response | Promise<Response> | undefined,
  answered: (status: number) => void,
  isEnding: () => boolean = () => false,
) {
  return async function withBaseHeaders(c: Context, next: Next) {
    await next();
    const { status } = c.res;
    const other = status === 404 ? elsewhere(c) : undefined;
    if (other === undefined) answered(status);
    else await replace(c, other);
    if (c.req.method === "HEAD") await nameLength(c);
    if (isEnding()) c.header("Connection", "close");
    const trace = c.req.header("traceparent");
    if (trace !== undefined && TRACEPARENT.test(trace)) c.header("traceparent", trace);
    if (c.res instanceof BasedResponse || c.res.headers.has("Access-Control-Allow-Origin")) return;
    for (const [name, value] of Object.entries(BASE_HEADERS)) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  };
}

async function replace(c: Context, other: Response | Promise<Response>) {
  const answer = await other;
  c.res = undefined; // else the framework copies the old answer's headers
  c.res = answer;
}
