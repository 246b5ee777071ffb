import assert from "node:assert/strict";
import { Hono } from "hono";
import { shared, stored } from "../../db/json.ts";
import { largeJson } from "../../routes/http/large_bodies.ts";

/** Longer than a piece, and no multiple of one. */
const LONG = 200_000;

/** Answers of these values, each as the chunks that its reader takes and as what they say. */
async function answered(values: unknown[], accepted: string) {
  const answers: Array<{ chunks: Uint8Array[]; said: unknown }> = [];
  const app = new Hono().get("/", async (c) => {
    for (const value of values) {
      const { body, headers } = await largeJson(c, value);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body as ReadableStream<Uint8Array<ArrayBuffer>>) chunks.push(chunk);
      const all = new Blob(chunks as BlobPart[]);
      assert.equal(headers["Content-Length"], String(all.size));
      const isPacked = headers["Content-Encoding"] === "gzip";
      assert.equal(isPacked, accepted === "gzip");
      const plain = isPacked ? all.stream().pipeThrough(new DecompressionStream("gzip")) : all.stream();
      answers.push({ chunks, said: await new Response(plain).json() });
    }
    return c.text("");
  });
  await app.request("/", { headers: { "Accept-Encoding": accepted } });
  return answers;
}

for (const accepted of ["identity", "gzip"]) {
  Deno.test(`what answers share is encoded once for all, as ${accepted}`, async () => {
    const state = {
      _shared: { long: "x".repeat(LONG), many: Array.from({ length: LONG / 10 }, (_, n) => n) },
      ["__proto__"]: { 1: "é\ud800".repeat(LONG / 10), text: stored('{"a":[1]}') },
    };
    const said = { ...state, ["__proto__"]: { ...state["__proto__"], text: { a: [1] } } };
    const both = shared(state);
    const [first, second] = await answered(
      [{ value: 1, state: both }, { value: "two", state: both }],
      accepted,
    );
    assert.deepEqual(first!.said, { value: 1, state: said });
    assert.deepEqual(second!.said, { value: "two", state: said });
    const common = first!.chunks.filter((chunk) =>
      second!.chunks.some(({ buffer }) => buffer === chunk.buffer)
    );
    const bytes = (chunks: Uint8Array[]) => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    assert.ok(bytes(common) > 0.9 * bytes(first!.chunks), "they are in memory once");
  });
}
