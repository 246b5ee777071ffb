/**
 * Normalizes the address of a service. Errors: `TypeError` for an address or headers that `fetch` refuses, which
 * would otherwise look like a service that is away.
 */
export function addressOf(url: string, headers?: Record<string, string>): string {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !["http:", "https:"].includes(address.protocol)) {
    throw new TypeError(
      `${
        JSON.stringify(url)
      } is no address of a service: it begins with http:// or https://, as in http://localhost:8000.`,
    );
  }
  if (address.search !== "" || address.hash !== "") {
    throw new TypeError(`${JSON.stringify(url)} is no address of a service: paths are added at its end.`);
  }
  new Request(address, { headers }); // throws what `fetch` would throw at each attempt
  return address.href.replace(/\/+$/, "");
}
