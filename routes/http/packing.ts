import type { Context } from "hono";
import type { Packing } from "./gzip.ts";

/** Header of whatever `packingFor` decides about. */
export const VARY = { "Vary": "Accept-Encoding" };

/** Tells whether a caller accepts gzip; `gzip;q=0` refuses it. */
export function takesGzip(c: Context): boolean {
  const accepted = c.req.header("accept-encoding");
  return accepted !== undefined &&
    /(?:^|[\s,])(?:x-)?gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(accepted);
}

/**
 * Returns how to pack the body for this caller; undefined if it does not accept that. The runtime compresses on the
 * thread that answers requests, with `CompressionStream` and with the callbacks of `node:zlib` alike, and does not
 * flush a `CompressionStream` after an event. So bodies are packed in pieces, and others are served in between.
 */
export async function packingFor(c: Context): Promise<Packing | undefined> {
  if (!takesGzip(c)) return undefined;
  const { createGzip } = await import("./gzip.ts");
  return createGzip();
}
