import type { Context } from "hono";

/**
 * Where the service is reached: at `publicUrl`, else where this caller reached it; a proxy in front of it says whether
 * that was by TLS.
 */
export function createAddress(publicUrl?: string): (c: Context) => string {
  return function addressOf(c) {
    if (publicUrl !== undefined) return publicUrl;
    const { protocol, host } = new URL(c.req.url);
    return `${c.req.header("X-Forwarded-Proto") === "https" ? "https:" : protocol}//${host}`;
  };
}
