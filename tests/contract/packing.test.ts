import assert from "node:assert/strict";
import { contract, oneBackend, type Subject } from "../support/backends.ts";
import { openPacked } from "../support/packed.ts";

const unpack = (bytes: Uint8Array<ArrayBuffer>) =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

/** A room with a list long enough to be packed, and one that is not. */
async function room(t: Subject): Promise<string> {
  const room = await t.room();
  const body = "look at the logs, and say what you find ".repeat(20);
  for (let n = 0; n < 30; n++) await t.message(room, { body: `${n} ${body}` });
  await t.write(room, "k", 1);
  return room;
}

contract(
  "long answers and pages are packed for those who take it, with the same headers for HEAD",
  async (t) => {
    const id = await room(t);
    for (
      const path of [`/rooms/${id}/messages`, `/rooms/${id}/changes?after=0`, `/?room=${id}`]
    ) {
      // A page shows the time of its drawing, by which its timeline grows.
      const settled = (text: string) =>
        text.replaceAll(/data-now="[^"]*"|as of [\d:]+ UTC|<time[^>]*>[^<]*/g, "")
          .replace(/<div id="timeline-figure"[^]*?<\/svg><\/div>/, "");
      const plain = await openPacked(t.url, path, "identity");
      const packed = await openPacked(t.url, path, "gzip");
      const head = await openPacked(t.url, path, "gzip", "HEAD");
      assert.equal(plain.header("content-encoding"), undefined, path);
      const body = await packed.rest();
      const text = new TextDecoder().decode(await plain.rest());
      assert.ok(body.length < text.length / 4, `${path}: ${body.length} of ${text.length}`);
      assert.equal(settled(await unpack(body)), settled(text));
      assert.equal(packed.header("content-length"), String(body.length));
      for (const answer of [plain, packed]) assert.match(answer.header("vary")!, /accept-encoding/i);
      for (const name of ["content-encoding", "vary", "content-type", "convene-revision"]) {
        assert.equal(head.header(name), packed.header(name), `${path} ${name}`);
      }
      // The times in a page change between two requests, and its length when packed with them.
      if (!path.startsWith("/?")) assert.equal(head.header("content-length"), String(body.length));
      assert.equal((await head.rest()).length, 0);
    }
  },
  oneBackend,
);

contract("short answers stay as they are, with their tags", async (t) => {
  const id = await room(t);
  for (const path of [`/rooms/${id}`, `/rooms/${id}/state`, `/rooms/${id}/state?key=k`]) {
    const answer = await openPacked(t.url, path, "gzip");
    JSON.parse(new TextDecoder().decode(await answer.rest()));
    assert.equal(answer.header("content-encoding"), undefined, path);
    assert.equal(answer.header("vary"), undefined, path);
  }
  await t.write(id, "long", "x".repeat(30_000));
  const one = await openPacked(t.url, `/rooms/${id}/state?key=long`, "gzip");
  assert.deepEqual([one.header("etag"), one.header("content-encoding")], ['"1"', undefined]);
  await one.rest();
}, oneBackend);

contract("each event of a packed stream can be read when it comes", async (t) => {
  const id = await room(t);
  for (const path of [`/rooms/${id}/events`, `/rooms/${id}/live`]) {
    const stream = await openPacked(t.url, path, "gzip");
    try {
      assert.equal(stream.header("content-encoding"), "gzip");
      assert.match(stream.header("vary")!, /accept-encoding/i);
      const text = stream.text();
      for (const value of ["first", "second"]) {
        await t.write(id, "k", `${value} of ${path}`);
        await text.until(`${value} of ${path}`);
      }
      // An event larger than a piece, of letters that hardly pack.
      const random = Array.from({ length: 50 }, () => crypto.randomUUID()).join("");
      await t.write(id, "long", random.repeat(20) + " at last");
      await text.until(path.endsWith("live") ? random.slice(0, 500) : " at last");
    } finally {
      stream.leave();
    }
  }
}, oneBackend);
