import type { Context } from "hono";
import { invalidMember } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** The hosts that a request names, as URLs write them: that of its target and, where it differs, that of `Host`. */
export type Hosts = readonly [target: string, ...others: string[]];

/**
 * A name of letters, digits, hyphens, underscores and dots, which are all that networks use, or an address; then
 * perhaps a port. RFC 3986 allows more, which is of use to attackers only: the text stands in addresses that others
 * are shown.
 */
const AUTHORITY = new RegExp(`^(?:[\\w.-]{1,${LIMITS.hostLength}}|\\[[\\da-f:.]+\\])(?::\\d{0,5})?$`, "i");

/** The host of `host` or `host:port`, as URLs write it. Undefined where the text is anything else. */
export function hostIn(authority: string): string | undefined {
  return AUTHORITY.test(authority) ? URL.parse(`http://${authority}/`)?.hostname : undefined;
}

/** True where a host, as URLs write it, is an address and no name. */
export function isAddress(host: string): boolean {
  return host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Reads the hosts of requests; the last that were right are remembered, since most requests name the same.
 * Deno makes a request's URL of Host and target as they come, so that a Host with a slash or a question mark would
 * choose the path, past whatever a proxy lets through. Errors: `invalid_request` where either names no host.
 */
export function createHosts(): (c: Context) => Hosts {
  let before = { start: "\0", header: undefined as string | undefined, hosts: [""] as Hosts };

  return function hostsOf(c) {
    const { url } = c.req;
    const header = c.req.header("host"); // so spelt, Deno looks it up without making a list of all
    if (url.startsWith(before.start) && header === before.header) return before.hosts;
    const [start, authority = ""] = /^https?:\/\/([^/]*)\//.exec(url) ?? [];
    const target = hostIn(authority);
    // A request without Host (HTTP/1.0), or with an empty one, is to the address at which it came.
    const other = header ? hostIn(header) : target;
    if (start === undefined || target === undefined || other === undefined) throw noHost();
    before = { start, header, hosts: other === target ? [target] : [target, other] };
    return before.hosts;
  };
}

function noHost() {
  const hint =
    "Send `Host: name` or `Host: name:port` as in the address, and a target that begins with a slash.";
  return invalidMember([], "The request's Host is not a host and a port.", hint);
}
