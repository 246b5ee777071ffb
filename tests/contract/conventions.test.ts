import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import { Client } from "../support/client.ts";
import { assertError, assertInvalid } from "../support/shapes.ts";

const asking = (t: Subject, method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  t.request(method, path, { headers, body });

contract("an entry and a room have an ETag, and 304 answers those who have it", async (t) => {
  const room = await t.room();
  const written = await t.put(`/rooms/${room}/state`, { key: "k", value: 1 });
  for (const path of [`/rooms/${room}/state?key=k`, `/rooms/${room}`]) {
    const tag = (await t.get(path)).headers.get("etag")!;
    assert.match(tag, /^"\d+"$/);
    for (const known of [tag, `W/${tag}`, `"999", ${tag}`, "*"]) {
      const reply = await asking(t, "GET", path, { "if-none-match": known });
      assert.deepEqual([reply.status, reply.text, reply.headers.get("etag")], [304, "", tag]);
      assert.equal(reply.revision, 1);
    }
    assert.equal((await asking(t, "GET", path, { "if-none-match": '"999"' })).status, 200);
  }
  assert.equal(written.headers.get("etag"), '"1"');
  await t.write(room, "k", 2);
  assert.equal(
    (await asking(t, "GET", `/rooms/${room}/state?key=k`, { "if-none-match": '"1"' })).status,
    200,
  );
});

contract("If-Match lets one of many writers through, and refuses the others with 412", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 0);
  const path = `/rooms/${room}/state`;
  const replies = await Promise.all(
    Array.from(
      { length: 8 },
      (_, n) => asking(t, "PUT", path, { "if-match": '"1"' }, { key: "k", value: n }),
    ),
  );
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)]);
  const refused = replies.find(({ status }) => status === 412)!;
  assertError(refused, 412, "etag_mismatch", ["current"]);
  assert.equal(refused.body.current.version, 2);
  assert.equal(refused.revision, 2);
  assertError(await asking(t, "DELETE", path, { "if-match": '"1"' }, { key: "k" }), 412, "etag_mismatch", [
    "current",
  ]);
  assert.equal((await asking(t, "DELETE", path, { "if-match": '"2"' }, { key: "k" })).body.deleted, true);
});

contract("If-Match counts as the tag that it is where a proxy has weakened it", async (t) => {
  const room = await t.room();
  await t.write(room, "k", 0);
  const path = `/rooms/${room}/state`;
  assert.equal(
    (await asking(t, "PUT", path, { "if-match": 'W/"1"' }, { key: "k", value: 1 })).body.version,
    2,
  );
  const stale = await asking(t, "PUT", path, { "if-match": 'W/"1"' }, { key: "k", value: 2 });
  assertError(stale, 412, "etag_mismatch", ["current"]);
  assert.equal((await asking(t, "DELETE", path, { "if-match": 'W/"2"' }, { key: "k" })).body.deleted, true);
});

/** What proxies make of the tag "1" when they pack an answer: Apache, Caddy, Jetty, some of them weakened as well. */
const PACKED = [
  '"1-gzip"',
  '"1-br"',
  '"1-zstd"',
  '"1--gzip"',
  '"1;gzip"',
  '"1"-gzip',
  'W/"1-gzip"',
  'W/"1--gzip"',
];

contract(
  "a tag that a proxy has put its packing behind is known, and is told from that of a write",
  async (t) => {
    const room = await t.room();
    const path = `/rooms/${room}/state`;
    const write = { key: "k", value: 1 };
    await t.put(path, write);
    for (const tag of [...PACKED, `"7", ${PACKED[0]}`]) {
      for (const known of [`${path}?key=k`, `/rooms/${room}`]) {
        const reply = await asking(t, "GET", known, { "if-none-match": tag });
        assert.deepEqual([reply.status, reply.headers.get("etag")], [304, '"1"'], tag);
      }
    }
    for (const tag of PACKED) {
      for (const [method, body] of [["PUT", write], ["DELETE", { key: "k" }]] as const) {
        const refused = await asking(t, method, path, { "if-match": tag }, body);
        assertInvalid(refused, ["If-Match"]);
        assert.match(refused.body.hint, /A proxy .* Send "1", or `if_version` 1/, tag);
      }
    }
    for (
      const tag of ['"2-gzip"', '"1-gzip-gzip"', '"-gzip"', '"1-zip"', '"11-gzip"', '"1gzip"', '"1 -gzip"']
    ) {
      assert.equal((await asking(t, "GET", `${path}?key=k`, { "if-none-match": tag })).status, 200, tag);
    }
    assert.equal(await t.revision(room), 1);
    const guide = (await t.get("/guide")).headers.get("etag")!;
    const known = { "if-none-match": guide.replace(/"$/, '-gzip"') };
    assert.equal((await asking(t, "GET", "/guide", known)).status, 304);
  },
);

contract("If-None-Match: * creates a key, and overwrites none", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  const create = () => asking(t, "PUT", path, { "if-none-match": "*" }, { key: "k", value: 1 });
  assert.equal((await create()).status, 200);
  assertError(await create(), 412, "etag_mismatch", ["current"]);
});

contract("a precondition that a write cannot keep is refused, not ignored", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  const body = { key: "k", value: 1 };
  for (const tag of ["*", "1", '"01"', '"0"', 'w/"1"', "W/1", '"1", "2"', '"x"']) {
    assertInvalid(await asking(t, "PUT", path, { "if-match": tag }, body), ["If-Match"]);
  }
  assertInvalid(await asking(t, "PUT", path, { "if-none-match": '"1"' }, body), ["If-None-Match"]);
  assertInvalid(await asking(t, "PUT", path, { "if-match": '"1"' }, { ...body, if_version: 1 }), [
    "if_version",
  ]);
  assertInvalid(await asking(t, "DELETE", path, { "if-none-match": "*" }, { key: "k" }), ["If-None-Match"]);
  assertInvalid(await asking(t, "PUT", `${path}/batch`, { "if-match": '"1"' }, { writes: [body] }), [
    "If-Match",
  ]);
});

contract("another If-Match makes another request of the same Idempotency-Key", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  const once = (tag: string) =>
    asking(t, "PUT", path, { "idempotency-key": "one", "if-match": tag }, { key: "k", value: 2 });
  await t.put(path, { key: "k", value: 1 });
  assert.equal((await once('"1"')).status, 200);
  assert.equal((await once('"1"')).headers.get("idempotency-replayed"), "true");
  assertError(await once('"2"'), 422, "idempotency_mismatch", []);
});

contract("an answer names the trace that its request belongs to", async (t) => {
  const path = `/rooms/${await t.room()}/state`;
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const method of ["GET", "PUT"]) {
    const reply = await asking(t, method, path, { traceparent: trace }, method === "PUT" ? {} : undefined);
    assert.equal(reply.headers.get("traceparent"), trace);
  }
  const odd = await asking(t, "GET", path, { traceparent: "<script>" });
  assert.equal(odd.headers.get("traceparent"), null);
});

contract("changes that were cut link to the rest", async (t) => {
  const room = await t.room();
  for (const key of ["a", "b", "c"]) await t.write(room, key, 1);
  const pages = await t.pages(`/rooms/${room}/changes?limit=1`);
  assert.deepEqual(pages.flatMap(({ body }) => body.state.map(({ key }: { key: string }) => key)), [
    "a",
    "b",
    "c",
  ]);
  assert.equal(Client.next(pages.at(-1)!), undefined);
});

contract("an error is a problem (RFC 9457) to those who ask for it", async (t) => {
  const reply = await asking(t, "GET", "/rooms/no-such-room", { accept: "application/problem+json" });
  assert.equal(reply.headers.get("content-type"), "application/problem+json");
  const { type, title, status, detail, error, message } = reply.body;
  assert.deepEqual([type, title, status, error], [
    "/docs/errors#room_not_found",
    "room_not_found",
    404,
    "room_not_found",
  ]);
  assert.equal(detail, message);
});
