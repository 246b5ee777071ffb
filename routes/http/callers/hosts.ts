import type { Context } from "hono";
import { invalidMember } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** The hosts of a request, in the form of URLs: its target's and, if different, that of `Host`. */
export type Hosts = readonly [target: string, ...others: string[]];

/**
 * A name of letters, digits, hyphens, underscores and dots, or an address, with an optional port. RFC 3986 allows more,
 * which only attackers use: pages show the text to others in addresses.
 */
const AUTHORITY = new RegExp(`^(?:[\\w.-]{1,${LIMITS.hostLength}}|\\[[\\da-f:.]+\\])(?::\\d{0,5})?$`, "i");

/** Returns the host of `host` or `host:port` in the form of URLs; undefined for any other text. */
export function hostIn(authority: string): string | undefined {
  return AUTHORITY.test(authority) ? URL.parse(`http://${authority}/`)?.hostname : undefined;
}

/** Tells an address from a name; `host` is in the form of URLs. */
export function isAddress(host: string): boolean {
  return host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Reads the hosts of requests, and caches the last valid ones since most requests name the same. Deno joins Host and
 * target unchecked, so that a Host with a slash or a question mark would choose the path, past a proxy's rules.
 * Errors: `invalid_request` if either names no host.
 */
export function createHosts(): (c: Context) => Hosts {
  let before = { start: "\0", header: undefined as string | undefined, hosts: [""] as Hosts };

  return function hostsOf(c) {
    const { url } = c.req;
    const header = c.req.header("host"); // in lower case Deno finds it without listing all headers
    if (url.startsWith(before.start) && header === before.header) return before.hosts;
    const [start, authority = ""] = /^https?:\/\/([^/]*)\//.exec(url) ?? [];
    const target = hostIn(authority);
    // Without a Host (HTTP/1.0), or with an empty one, the target is the address of the connection.
    const other = header ? hostIn(header) : target;
    if (start === undefined || target === undefined || other === undefined) {
      const hint =
        "Send `Host: name` or `Host: name:port` as in the address, and a target that begins with a slash.";
      throw invalidMember([], "The request's Host is not a host and a port.", hint);
    }
    before = { start, header, hosts: other === target ? [target] : [target, other] };
    return before.hosts;
  };
}
