import type { Context } from "hono";

/**
 * Who calls, as far as limits care: the client's address, an IPv6 one by its network of 64 bits. Behind proxies it
 * is what the outermost of the `trustedProxies` saw, which stands that far from the right end of X-Forwarded-For;
 * what is further left anybody may have written. Undefined where the runtime does not tell.
 */
export function callerOf(c: Context, trustedProxies: number): string | undefined {
  const forwarded = trustedProxies > 0 ? c.req.header("X-Forwarded-For")?.split(",") : undefined;
  const seen = forwarded?.at(-Math.min(trustedProxies, forwarded.length))?.trim();
  const { remoteAddr } = (c.env ?? {}) as { remoteAddr?: { hostname?: string } };
  const address = seen ?? remoteAddr?.hostname;
  return address && networkOf(withoutPort(address));
}

/** Some proxies write the port of each connection behind the address, and then an IPv6 one in brackets. */
function withoutPort(address: string): string {
  if (!address.includes(":")) return address;
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? /^\[(.*)\](:\d+)?$/.exec(address)?.[1] ?? address;
}

const NETWORK_GROUPS = 4;

function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || address === "::1") return mapped ?? address;
  const [left = "", right = ""] = address.toLowerCase().split("%")[0]!.split("::");
  const [before, after] = [left, right].map((groups) => groups === "" ? [] : groups.split(":")) as [
    string[],
    string[],
  ];
  const zeros = address.includes("::") ? Math.max(0, 8 - before.length - after.length) : 0;
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
