import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import { openEvents } from "../support/events.ts";
import { assertError } from "../support/shapes.ts";

contract("a page is told in pieces what changed, and nothing that it was told before", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const { id } = await t.message(room, { from: "ann", body: "the <b>first</b>" });
  const stream = await openEvents(`${t.url}/rooms/${room}/live?after=${await t.revision(room)}`);
  try {
    await t.write(room, "k", 1, { agent: "ann" });
    const first = await stream.next();
    assert.deepEqual([first!.type, first!.id], ["room", 3]);
    for (const piece of ['id="counts"', 'id="agent/ann"', 'id="scope/_shared"', 'id="state/_shared/k"']) {
      assert.ok(first!.data.includes(piece), piece);
    }
    const reply = await t.message(room, { from: "bob", body: "an answer", reply_to: id });
    const second = await stream.next((html) => html.includes(`id="m${reply.id}"`));
    assert.ok(second!.data.includes("ann: the &lt;b&gt;first&lt;/b&gt;"), "it does not say what it answers");
    assert.ok(!second!.data.includes('id="agent/ann"'));
    await t.delete(`/rooms/${room}/state`, { key: "k" });
    await stream.next((html) => /id="state\/_shared\/k"[^>]*data-gone/.test(html));
  } finally {
    stream.leave();
  }
});

contract("the pieces of a page are asked for one by one", async (t) => {
  const room = await t.room();
  const ids = [];
  for (let n = 0; n < 5; n++) ids.push((await t.message(room, { body: `message ${n}` })).id);
  const older = await t.get(`/rooms/${room}/live/messages`, { before: ids[3]!, limit: 2 });
  assert.deepEqual([...older.text.matchAll(/<li id="(m\d+)"/g)].map(([, name]) => name), [
    `m${ids[1]}`,
    `m${ids[2]}`,
  ]);
  assert.equal(older.headers.get("convene-older"), "1");

  for (const key of ["a", "b", "c"]) await t.write(room, key, key);
  const entriesFrom = async (from: number) => {
    const { text } = await t.get(`/rooms/${room}/live/entries`, { scope: "_shared", from });
    return [...text.matchAll(/data-key="(\w)"/g)].map(([, key]) => key);
  };
  assert.deepEqual(await entriesFrom(1), ["b", "c"]);
  await t.delete(`/rooms/${room}/state`, { key: "b" });
  assert.deepEqual(await entriesFrom(0), ["a", "c"]);
  assert.deepEqual(await entriesFrom(1), ["c"]);
  await t.write(room, "b", "b");
  assert.deepEqual(await entriesFrom(1), ["b", "c"]);

  const value = await t.get(`/rooms/${room}/live/evaluation`, {
    expr: "self + state._shared.a",
    agent: "ann",
  });
  assert.match(value.text, /&quot;anna&quot;/);
  for (const expr of ["", "1 +", "1 2", "nothing", "\u0000"]) {
    const wrong = await t.get(`/rooms/${room}/live/evaluation`, { expr });
    assert.deepEqual([wrong.status, wrong.text.includes('class="error"')], [200, true], JSON.stringify(expr));
    assert.doesNotMatch(wrong.text, /URL/, JSON.stringify(expr));
  }
});

contract("a page draws a wait as long as it was seen, and not until the next look", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  await t.message(room, { body: "with which the picture begins" });
  const look = async () => {
    const { text } = await t.request("GET", `/?room=${room}`, { headers: { accept: "text/html" } });
    const [now] = text.match(/(?<=data-now=")[^"]*/)!;
    return { now, bars: [...text.matchAll(/<title>(ann wait[^<]*)<\/title>/g)].map(([, title]) => title) };
  };
  const wait = t.post(`/rooms/${room}/wait`, { agent: "ann", condition: "has(state._shared.go)" });
  const { last_heartbeat } = await t.agentUntil(room, "ann", ({ status }) => status === "waiting");
  await t.after(last_heartbeat);
  const first = await look();
  assert.deepEqual(first.bars, [`ann waits for has(state._shared.go) (seen since ${first.now})`]);
  await t.after(first.now);
  const second = await look();
  assert.deepEqual(second.bars, first.bars);
  await t.write(room, "go", true);
  await wait;
  await t.after(second.now);
  const third = await look();
  assert.ok(third.now > second.now);
  assert.deepEqual(third.bars, [
    `ann waited for has(state._shared.go) (seen from ${first.now} to ${second.now})`,
  ]);
});

contract("a room that there is not has no pieces", async (t) => {
  for (const path of ["", "/messages", "/entries", "/evaluation?expr=1"]) {
    assertError(await t.get(`/rooms/no-such-room/live${path}`), 404, "room_not_found");
  }
  const room = await t.room();
  assert.equal((await t.request("HEAD", `/rooms/${room}/live`)).status, 405);
});
