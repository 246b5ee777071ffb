import type { Context } from "hono";

/** The address of the connection's other end. Undefined if the runtime does not tell. */
export function peerOf(c: Context): string | undefined {
  return ((c.env ?? {}) as { remoteAddr?: { hostname?: string } }).remoteAddr?.hostname;
}

/**
 * What the outermost of `proxies` put into a header. Each proxy appends, so its entry stands that far from the right
 * end; anybody may have written what is further left.
 */
export function forwardedBy(c: Context, proxies: number, header: string): string | undefined {
  const entries = proxies > 0 ? c.req.header(header)?.split(",") : undefined;
  return entries?.at(-Math.min(proxies, entries.length))?.trim();
}

/**
 * Identifies the caller for limits: by its address, or by the 64-bit network of an IPv6 address. Undefined if the
 * runtime does not tell.
 */
export function callerOf(c: Context, trustedProxies: number): string | undefined {
  const address = forwardedBy(c, trustedProxies, "X-Forwarded-For") ?? peerOf(c);
  return address && networkOf(withoutPort(address));
}

/** Removes the port that some proxies append, for which they put an IPv6 address in brackets. */
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
