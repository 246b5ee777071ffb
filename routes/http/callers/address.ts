import type { Context } from "hono";
import { hostIn } from "./hosts.ts";

/**
 * Where the service is reached: at `publicUrl`, else where this caller reached it. Behind `trustedProxies` that is what
 * the outermost of them says by `X-Forwarded-Host` and `X-Forwarded-Proto`, else by `Forwarded` (RFC 7239).
 */
export function createAddress(trustedProxies: number, publicUrl?: string): (c: Context) => string {
  return function addressOf(c) {
    if (publicUrl !== undefined) return publicUrl;
    const url = new URL(c.req.url);
    const told = trustedProxies > 0 ? forwarded(c, trustedProxies) : {};
    const protocol = told.protocol ?? url.protocol;
    return told.host === undefined ? `${protocol}//${url.host}` : new URL(`${protocol}//${told.host}`).origin;
  };
}

/** What the outermost of so many proxies says: each appends, so that it stands that far from the right end. */
function forwarded(c: Context, proxies: number): { host?: string; protocol?: string } {
  const of = (header: string) => {
    const said = c.req.header(header)?.split(",");
    return said?.at(-Math.min(proxies, said.length))?.trim();
  };
  const element = of("Forwarded") ?? "";
  const host = of("X-Forwarded-Host") ?? pairOf(element, "host");
  const protocol = (of("X-Forwarded-Proto") ?? pairOf(element, "proto"))?.toLowerCase();
  return {
    ...(host !== undefined && hostIn(host) !== undefined && { host }),
    ...(protocol !== undefined && /^https?$/.test(protocol) && { protocol: `${protocol}:` }),
  };
}

function pairOf(element: string, name: string): string | undefined {
  const pairs = element.split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([own]) => own?.toLowerCase() === name)?.[1]?.replace(/^"(.*)"$/, "$1");
}
