import type { Context, Next } from "hono";

/** All: `*` means that without credentials (Fetch, 3.3.6). By name what the API page names, for those who look for it. */
const EXPOSED = ["*", "Convene-Revision", "Link", "Retry-After"];

/**
 * What every answer says: any origin may read it, and no cache may keep what is true only now. Short, since Deno
 * sends a longer head in a way that costs it half as much again.
 */
export const BASE_HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": EXPOSED.join(","),
  "Cache-Control": "no-store",
};

/**
 * W3C Trace Context, 3.2. An answer names the trace that its request belongs to; calls of the database carry none,
 * since requests share them.
 */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * An answer that was made with BASE_HEADERS. It is known as such without a look at its headers: for one that was
 * looked at, or that headers are added to, Deno gives up what it has prepared to send.
 */
export class BasedResponse extends Response {
  constructor(body: BodyInit | null, status: number, headers: Record<string, string>) {
    super(body, { status, headers: { ...BASE_HEADERS, ...headers } });
  }
}

/** Names the length of what GET would answer; the framework answers HEAD with nothing and with the headers of GET. */
export async function withLength(c: Context, next: Next) {
  await next();
  if (c.req.method === "HEAD") await nameLength(c);
}

async function nameLength(c: Context) {
  if (c.res.body === null || c.res.headers.has("Content-Length")) return;
  const { byteLength } = await c.res.clone().arrayBuffer();
  c.header("Content-Length", String(byteLength));
}

/**
 * Gives BASE_HEADERS to answers that were made without them; a page sets its own caching. `elsewhere` may have another
 * answer where nothing was found.
 */
export function baseHeaders(elsewhere: (c: Context) => Response | Promise<Response> | undefined) {
  return async function withBaseHeaders(c: Context, next: Next) {
    await next();
    if (c.res.status === 404) await replace(c, elsewhere(c));
    if (c.req.method === "HEAD") await nameLength(c);
    const trace = c.req.header("traceparent");
    if (trace !== undefined && TRACEPARENT.test(trace)) c.header("traceparent", trace);
    if (c.res instanceof BasedResponse || c.res.headers.has("Access-Control-Allow-Origin")) return;
    for (const [name, value] of Object.entries(BASE_HEADERS)) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  };
}

async function replace(c: Context, other: Response | Promise<Response> | undefined) {
  if (other === undefined) return;
  const answer = await other;
  c.res = undefined; // else the framework adds the headers of the answer before
  c.res = answer;
}
