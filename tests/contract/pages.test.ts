import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import { VERSION } from "../../version.ts";

const accepting = (t: Subject, path: string, accept: string) =>
  t.request("GET", path, { headers: { accept } });

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

contract("agents get the guide as Markdown", async (t) => {
  for (const accept of ["*/*", "text/plain", "text/markdown"]) {
    const reply = await accepting(t, "/", accept);
    assert.equal(reply.status, 200);
    assert.match(reply.headers.get("content-type") ?? "", /^text\/(markdown|plain)/, accept);
    assert.doesNotMatch(reply.text, /<html|<body/i);
    assert.match(reply.text, /^# /m);
    for (const part of ["/rooms", "/agents", "/messages", "/claim", "/state", "/wait", "/eval", "CEL"]) {
      assert.ok(reply.text.includes(part), `the guide does not name ${part}`);
    }
  }
});

contract("browsers get a page", async (t) => {
  for (const accept of ["text/html", browser]) {
    const reply = await accepting(t, "/", accept);
    assert.equal(reply.status, 200);
    assert.match(reply.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(reply.text, /<html/i);
  }
});

contract("what the guide is depends on Accept and says so", async (t) => {
  for (const accept of ["*/*", "text/html"]) {
    assert.match((await accepting(t, "/", accept)).headers.get("vary") ?? "", /\baccept\b/i);
  }
});

contract("a room has a page, whatever is asked for", async (t) => {
  const room = await t.room();
  for (const accept of ["*/*", "text/plain", "application/json", browser]) {
    const reply = await accepting(t, `/?room=${room}`, accept);
    assert.equal(reply.status, 200);
    assert.match(reply.headers.get("content-type") ?? "", /^text\/html/);
    assert.ok(reply.text.includes(room));
  }
});

contract("a reservation's note stands on the page, and nothing where there is none", async (t) => {
  const room = await t.room();
  const notes = async () => {
    const { text } = await accepting(t, `/?room=${room}`, browser);
    return text.match(/<div class="note">/g)?.length ?? 0;
  };
  await t.post(`/rooms/${room}/reservations`, { agent: "ann", paths: ["src/**"] });
  assert.equal(await notes(), 0);
  for (const note of ["no tests yet", 0, { null: null }]) {
    await t.post(`/rooms/${room}/reservations`, { agent: "ann", paths: ["docs"], note });
  }
  assert.equal(await notes(), 3);
});

contract("a room that there is not has a page that says so", async (t) => {
  for (const accept of ["*/*", browser]) {
    const reply = await accepting(t, "/?room=no-such-room", accept);
    assert.equal(reply.status, 404);
    assert.match(reply.headers.get("content-type") ?? "", /^text\/html/);
  }
});

contract("nothing that strangers named reaches a page as markup", async (t) => {
  const nasty = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script>`;
  const room = `${crypto.randomUUID()}${nasty}`;
  const path = `/rooms/${encodeURIComponent(room)}`;
  assert.equal((await t.post("/rooms", { id: room, meta: { [nasty]: nasty } })).status, 201);
  await t.post(`${path}/agents`, { id: nasty, name: nasty, role: nasty });
  await t.post(`${path}/messages`, { from: nasty, to: nasty, kind: nasty, body: nasty });
  await t.put(`${path}/state`, { scope: nasty, key: nasty, value: nasty });
  const pages = [`/?room=${encodeURIComponent(room)}`, `/?room=${encodeURIComponent(nasty)}`];
  for (const page of pages) {
    const { text } = await accepting(t, page, browser);
    assert.ok(!text.includes("<img src=x"), page);
    assert.ok(!text.includes("<script>alert"), page);
  }
});

contract("every page and piece of one runs nothing but our own, and is taken for nothing else", async (t) => {
  const room = await t.room();
  await t.message(room);
  await t.write(room, "k", "<script>");
  const pieces = ["messages", "entries", "evaluation?expr=state", "evaluation?expr=%3Cscript%3E"];
  const pages = ["/", "/guide", "/docs/api", `/?room=${room}`, "/?room=no-such-room", "/?room=%3Cscript%3E"];
  for (const path of [...pages, ...pieces.map((piece) => `/rooms/${room}/live/${piece}`)]) {
    const { headers } = await accepting(t, path, browser);
    assert.match(headers.get("content-type") ?? "", /^text\/html; charset=utf-8/i, path);
    assert.match(
      headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'self'/,
      path,
    );
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
  }
});

contract("healthz answers that all is well, and which version does", async (t) => {
  const reply = await t.get("/healthz");
  assert.deepEqual([reply.status, reply.body], [200, { ok: true, version: VERSION }]);
});
