import type { Context } from "hono";
import { forwardedBy } from "./caller.ts";
import { hostIn } from "./hosts.ts";

/**
 * Tells under which URL the service is reached: `publicUrl`, else the one that this caller used. Behind
 * `trustedProxies` the outermost of them names it in `X-Forwarded-Host` and `X-Forwarded-Proto`, else in `Forwarded`
 * (RFC 7239).
 */
export function createAddress(trustedProxies: number, publicUrl?: string): (c: Context) => string {
  return function addressOf(c) {
    if (publicUrl !== undefined) return publicUrl;
    const url = new URL(c.req.url);
    const told = forwarded(c, trustedProxies);
    const protocol = told.protocol ?? url.protocol;
    return told.host === undefined ? `${protocol}//${url.host}` : new URL(`${protocol}//${told.host}`).origin;
  };
}

function forwarded(c: Context, proxies: number): { host?: string; protocol?: string } {
  const of = (header: string) => forwardedBy(c, proxies, header);
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
