import assert from "node:assert/strict";
import { createTextCache } from "../../routes/pages/cached_text.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { contract, oneBackend, type Subject } from "../support/backends.ts";
import { send } from "../support/raw.ts";

const HTML = "text/html,application/xhtml+xml,*/*;q=0.8";
const TEXTS = [
  "/",
  "/guide",
  "/help",
  "/README.md",
  "/docs",
  "/llms-full.txt",
  "/api",
  "/docs/api",
  "/docs/errors",
];
const OTHERS = ["/openapi.json", "/SKILL.md"];

const asking = (t: Subject, path: string, headers: Record<string, string>) =>
  t.request("GET", path, { headers });

contract("a document may be kept for five minutes, and is not sent again to whoever has it", async (t) => {
  const asked = [
    ...TEXTS.flatMap((path) => [[path, "*/*"], [path, HTML]]),
    ...OTHERS.map((path) => [path, "*/*"]),
  ];
  for (const [path, accept] of asked as Array<[string, string]>) {
    const { status, headers } = await asking(t, path, { accept });
    const tag = headers.get("etag")!;
    assert.deepEqual([status, headers.get("cache-control")], [200, "private, max-age=300"], path);
    assert.match(tag, /^W\/"[0-9a-f]{16}"$/);
    assert.match(
      headers.get("vary") ?? "",
      TEXTS.includes(path) ? /Accept,.*Accept-Encoding/ : /Accept-Encoding/,
    );
    for (const known of [tag, tag.slice(2), `"x", ${tag}`, "*"]) {
      const again = await asking(t, path, { accept, "if-none-match": known });
      assert.deepEqual([again.status, again.text, again.headers.get("etag")], [304, "", tag], path);
      assert.equal(again.headers.get("cache-control"), "private, max-age=300");
      assert.equal(again.headers.get("vary"), headers.get("vary"));
    }
    assert.equal((await asking(t, path, { accept, "if-none-match": '"1"' })).status, 200);
  }
  const tags = await Promise.all(
    ["*/*", HTML].map(async (accept) => (await asking(t, "/", { accept })).headers.get("etag")),
  );
  assert.notEqual(tags[0], tags[1]);
});

contract("what is true only now is not kept", async (t) => {
  const room = await t.room();
  for (
    const path of [
      `/?room=${room}`,
      "/?room=no-such-room",
      "/healthz",
      "/nothing",
      `/rooms/${room}/live/messages`,
    ]
  ) {
    const { headers } = await asking(t, path, { accept: HTML });
    assert.equal(headers.get("cache-control"), "no-store", path);
  }
});

/** The head of an answer and its body as bytes: `fetch` unpacks what is packed. */
async function packed(t: Subject, path: string, encoding: string) {
  const { hostname, port } = new URL(t.url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [
    `GET ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Accept-Encoding: ${encoding}`,
    "Connection: close",
  ];
  await connection.write(new TextEncoder().encode([...head, "", ""].join("\r\n")));
  const bytes = await new Response(connection.readable).bytes();
  const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
  return { head: new TextDecoder().decode(bytes.subarray(0, end)), body: bytes.slice(end + 4) };
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

contract("a document and the files of pages are sent packed to those who take it", async (t) => {
  const page = (await asking(t, "/", { accept: HTML })).text;
  const files = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
  assert.ok(files.length > 2);
  for (const path of ["/", "/help", "/docs/api", ...OTHERS, ...files]) {
    const plain = await t.get(path);
    for (const encoding of ["gzip", "deflate, gzip;q=1.0, *;q=0.5", "br,gzip", "x-gzip"]) {
      const { head, body } = await packed(t, path, encoding);
      assert.match(head, /\r\ncontent-encoding: gzip/i, `${path} ${encoding}`);
      assert.match(head, new RegExp(`\r\ncontent-length: ${body.byteLength}\r\n`, "i"));
      assert.ok(body.byteLength < plain.text.length * 0.75, path);
      assert.equal(await unpacked(body), plain.text);
      assert.ok(head.includes(`etag: ${plain.headers.get("etag")}`), head);
    }
    for (const encoding of ["identity", "br", "gzip;q=0", "gzip; q=0.00, br", "notgzip"]) {
      const { head, body } = await packed(t, path, encoding);
      assert.doesNotMatch(head, /content-encoding/i, encoding);
      assert.equal(new TextDecoder().decode(body), plain.text);
    }
  }
}, oneBackend);

contract("the guide is Markdown to agents and a page to browsers at each of its addresses", async (t) => {
  const { text } = await t.get("/");
  for (const path of ["/guide", "/help", "/README.md"]) {
    const reply = await t.get(path);
    assert.deepEqual([reply.text, reply.headers.get("content-type")], [text, "text/markdown; charset=utf-8"]);
    assert.match(
      (await asking(t, path, { accept: "text/plain" })).headers.get("content-type")!,
      /^text\/plain/,
    );
    const page = await asking(t, path, { accept: HTML });
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(page.text, /^<!doctype html>/i);
  }
}, oneBackend);

contract("each address has documents of its own, however many ask", async (t) => {
  const { port } = new URL(t.url);
  for (let n = 0; n < 3; n++) {
    for (const host of ["127.0.0.1", "localhost", "a.localhost"]) {
      const { text } = await send(t.url, "GET /docs HTTP/1.1", `Host: ${host}:${port}`);
      assert.ok(text.includes(`http://${host}:${port}/docs/cel`), text);
    }
  }
}, oneBackend);

Deno.test("128 documents are kept as they are sent, and no more", async () => {
  const kept = createTextCache();
  let made = 0;
  const ask = (n: number) => kept(`${n}`, () => `document ${made++}`);
  assert.equal(LIMITS.documents, 128);
  for (let n = 0; n < 128; n++) await ask(n);
  assert.equal(await ask(0), await ask(0));
  assert.equal(made, 128);
  await ask(128); // makes room: 1 was not asked for longest
  await ask(0);
  assert.equal(made, 129);
  await Promise.all([ask(1), ask(1)]);
  assert.equal(made, 130);
  await assert.rejects(kept("none", () => assert.fail("not made")), /not made/);
  await ask(2);
  assert.equal(made, 131);
});

contract("what robots and browsers ask for by themselves is there", async (t) => {
  const robots = await t.get("/robots.txt");
  assert.equal(robots.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.match(robots.text, /^User-agent: \*\nDisallow: \/rooms\nDisallow: \/\?room=\n/);
  const icon = await t.get("/favicon.ico");
  assert.deepEqual([icon.status, icon.headers.get("content-type")], [200, "image/svg+xml"]);
  assert.match(icon.headers.get("cache-control")!, /max-age=86400/);
  assert.match(icon.text, /^<svg/);
}, oneBackend);
