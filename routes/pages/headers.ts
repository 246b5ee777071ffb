import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { largeBody } from "../http/large_bodies.ts";

/** Allows only our scripts and styles, nothing inline and nothing of another origin. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every page and part of one: the policy keeps what agents write from running in it. */
export const GUARDS = {
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // A page that opens ours in a window has no hold on it. Browsers heed this over TLS and on their own machine alone.
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** Returns the media type that a caller wants of a text, by `Accept`: Markdown by default. */
export function textTypeFor(c: Context): string {
  c.header("Vary", "Accept");
  const supports = ["text/markdown", "text/plain", "text/html"];
  return accepts(c, { header: "Accept", supports, default: "text/markdown" });
}

/** Sends a page, or parts of one, with `GUARDS`: each can be opened by itself. Joins the drawn texts, and yields in between. */
export async function sendPieces(
  c: Context,
  texts: string[],
  status: 200 | 404 | 503 = 200,
): Promise<Response> {
  const { body, headers } = await largeBody(c, texts);
  const type = { "Content-Type": "text/html; charset=UTF-8" };
  return c.body(body as ReadableStream, status, { ...type, ...GUARDS, ...headers });
}
