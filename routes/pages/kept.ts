import { pause } from "../../db/pause.ts";
import { createLru } from "../../db/lru.ts";
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { isKnown } from "../http/etags.ts";
import { LIMITS } from "../http/limits.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A text that is made once and sent often, as bytes. */
export interface Kept {
  bytes: Bytes;
  /** Weak: it stands for the text, however it is packed. */
  etag: string;
  /** As gzip, made when it is first asked for. */
  packed?: Promise<Bytes>;
}

const utf8 = new TextEncoder();

/** Characters of a tag: more than enough to tell two texts apart. */
const TAG_LENGTH = 16;

export function keep(text: string): Kept {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, TAG_LENGTH);
  return { bytes: utf8.encode(text), etag: `W/"${hash}"` };
}

/** Texts by what they are made from, which are not made again while they are kept. */
export function createShelf() {
  const shelf = createLru<Kept>(LIMITS.documents);
  let making: Promise<unknown> = Promise.resolve();
  let restsUntil = 0;

  /**
   * The text of this name: callers choose the hosts in it, so that those not asked for longest make room. One is made
   * at a time, and others are left as much time as it took: with a host of its own each request would have one made.
   */
  return async function kept(name: string, make: () => string): Promise<Kept> {
    const found = shelf.get(name) ?? await serialize(() => made(name, make));
    shelf.set(name, found);
    return found;
  };

  function serialize(run: () => Promise<Kept>): Promise<Kept> {
    const after = making.then(run);
    making = after.catch(() => {});
    return after;
  }

  async function made(name: string, make: () => string): Promise<Kept> {
    if (shelf.has(name)) return shelf.get(name)!;
    const rest = restsUntil - performance.now();
    if (rest > 0) await pause(rest);
    const began = performance.now();
    const text = keep(make());
    restsUntil = 2 * performance.now() - began;
    return text;
  }
}

/** Whether a caller takes gzip; `gzip;q=0` says that it does not. */
function takesGzip(c: Context): boolean {
  const accepted = c.req.header("Accept-Encoding");
  return accepted !== undefined &&
    /(?:^|[\s,])(?:x-)?gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(accepted);
}

/**
 * Sends a text that is kept, packed to whoever takes that, or 304 to whoever has it. `caching` is for Cache-Control,
 * `headers` say of which type it is.
 */
export async function sendKept(
  c: Context,
  kept: Kept,
  caching: string,
  headers: Record<string, string>,
): Promise<Response> {
  c.header("Cache-Control", caching);
  c.header("ETag", kept.etag);
  c.header("Vary", "Accept-Encoding", { append: true });
  if (isKnown(c, kept.etag)) return c.body(null, 304);
  const packs = takesGzip(c);
  const bytes = packs ? await (kept.packed ??= gzip(kept.bytes)) : kept.bytes;
  const content = {
    "Content-Length": String(bytes.byteLength),
    ...(packs && { "Content-Encoding": "gzip" }),
  };
  return c.body(bytes, 200, { ...headers, ...content });
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}
