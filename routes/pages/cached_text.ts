import { pause } from "../../db/pause.ts";
import { createLru } from "../../db/lru.ts";
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { isKnown } from "../http/etags.ts";
import { LIMITS } from "../http/limits.ts";
import { takesGzip } from "../http/packing.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface CachedText {
  bytes: Bytes;
  /** Weak, since it names the text, compressed or not. */
  etag: string;
  /** As gzip, made on first use. */
  gzipped?: Promise<Bytes>;
}

/** Characters of a tag, enough to tell texts apart. */
const TAG_LENGTH = 16;

export function encodeText(text: string): CachedText {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, TAG_LENGTH);
  return { bytes: new TextEncoder().encode(text), etag: `W/"${hash}"` };
}

export function createTextCache() {
  const cache = createLru<CachedText>(LIMITS.documents);
  let making: Promise<unknown> = Promise.resolve();
  let restsUntil = 0;

  /**
   * Returns the text of a name, cached in an LRU since callers choose the hosts in names. Makes one text at a time and
   * then pauses as long as that took: else requests with ever new hosts would use up the processor.
   */
  return async function cached(name: string, make: () => string): Promise<CachedText> {
    const found = cache.get(name) ?? await serialize(() => made(name, make));
    cache.set(name, found);
    return found;
  };

  function serialize(run: () => Promise<CachedText>): Promise<CachedText> {
    const after = making.then(run);
    making = after.catch(() => {});
    return after;
  }

  async function made(name: string, make: () => string): Promise<CachedText> {
    if (cache.has(name)) return cache.get(name)!;
    const rest = restsUntil - performance.now();
    if (rest > 0) await pause(rest);
    const began = performance.now();
    const text = encodeText(make());
    restsUntil = 2 * performance.now() - began;
    return text;
  }
}

/**
 * Sends a cached text, as gzip if the caller accepts it, or 304 if the caller has it. `caching`: its Cache-Control;
 * `headers`: its type.
 */
export async function sendCached(
  c: Context,
  text: CachedText,
  caching: string,
  headers: Record<string, string>,
): Promise<Response> {
  c.header("Cache-Control", caching);
  c.header("ETag", text.etag);
  c.header("Vary", "Accept-Encoding", { append: true });
  if (isKnown(c, text.etag)) return c.body(null, 304);
  const accepted = takesGzip(c);
  const bytes = accepted ? await (text.gzipped ??= gzip(text.bytes)) : text.bytes;
  const content = {
    "Content-Length": String(bytes.byteLength),
    ...(accepted && { "Content-Encoding": "gzip" }),
  };
  return c.body(bytes, 200, { ...headers, ...content });
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}
