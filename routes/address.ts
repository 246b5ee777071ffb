import type { Context } from "hono";

/** Where the caller reached the service; a proxy in front of it says whether that was by TLS. */
export function addressOf(c: Context): string {
  const { protocol, host } = new URL(c.req.url);
  return `${c.req.header("X-Forwarded-Proto") === "https" ? "https:" : protocol}//${host}`;
}
