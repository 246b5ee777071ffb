import type { Context } from "hono";
import { replyLargePage } from "../http/large_bodies.ts";

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

/** Sends a page, or parts of one, with `GUARDS`: each can be opened by itself. */
export async function sendPieces(c: Context, texts: string[], status: 200 | 404 = 200): Promise<Response> {
  for (const [name, value] of Object.entries(GUARDS)) c.header(name, value);
  return await replyLargePage(c, texts, status);
}
