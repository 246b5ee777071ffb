import assert from "node:assert/strict";
import { createGzip } from "../../routes/http/gzip.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("pieces are one gzip body, which any reader unpacks", async () => {
  const pieces = ["first\n\n", "", "x".repeat(70_000), crypto.randomUUID().repeat(100), ":\n\n"].map(encode);
  const packing = createGzip();
  const body = new Blob([packing.head, ...pieces.map(packing.pack), packing.tail()]);
  const stream = body.stream().pipeThrough(new DecompressionStream("gzip"));
  assert.deepEqual(await new Response(stream).bytes(), await new Response(new Blob(pieces)).bytes());
  const empty = createGzip();
  const none = new Blob([empty.head, empty.tail()]).stream().pipeThrough(new DecompressionStream("gzip"));
  assert.equal((await new Response(none).bytes()).length, 0);
});

Deno.test("a piece is packed once for all its readers", () => {
  const piece = encode("the same event".repeat(100));
  const [one, other] = [createGzip(), createGzip()];
  other.pack(encode("something before"));
  assert.equal(one.pack(piece), other.pack(piece));
});
