/**
 * Match loopback and private addresses in the form of Deno and URLs: IPv6 in its shortest form. They are patterns,
 * since `node:net` with its BlockList costs every start some 10 ms and 8 MB.
 */
const LOOPBACK = /^127\.|^::1$/;
const PRIVATE = new RegExp(
  "^(?:" + [
    "10\\.|172\\.(?:1[6-9]|2\\d|3[01])\\.|192\\.168\\.", // RFC 1918
    "169\\.254\\.|fe[89ab][\\da-f]:", // link-local
    "100\\.(?:6[4-9]|[7-9]\\d|1[01]\\d|12[0-7])\\.", // RFC 6598: overlay networks, carriers, fronts of platforms
    "f[cd][\\da-f]{2}:", // RFC 4193
    "0\\.0\\.0\\.0$|::$", // "this host"
  ].join("|") + ")",
);

export function isLoopback(address: string): boolean {
  return LOOPBACK.test(unmapped(address));
}

/** Tells whether an address, not loopback, is reachable only within a network. */
export function isPrivate(address: string): boolean {
  return PRIVATE.test(unmapped(address));
}

/** Converts an IPv4 address in the form of IPv6 (`::ffff:10.0.0.1`, in URLs `::ffff:a00:1`). */
function unmapped(address: string): string {
  if (!address.startsWith("::ffff:")) return address;
  const [, dotted, high, low] =
    /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/.exec(address) ?? [];
  if (dotted !== undefined || high === undefined) return dotted ?? address;
  return [high, low!].map((group) => parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]).join(
    ".",
  );
}
