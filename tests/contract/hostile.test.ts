import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";

contract("a strange body is answered, never with a 5xx, and harms nobody", async (t) => {
  const room = await t.room();
  const bytes = (...list: number[]) => new Uint8Array(list);
  const bodies: (string | Uint8Array<ArrayBuffer>)[] = [
    '{"key":"k","value":1e400}',
    '{"key":"k","value":-0}',
    '{"key":"k","key":"j","value":1}',
    '{"key":"k","value":1,"__proto__":{"scope":"x"}}',
    '{"key":"k","value":1,"constructor":{}}',
    '{"key":"k","value":123456789012345678901234567890}',
    '\uFEFF{"key":"k","value":1}',
    "\u0000",
    bytes(0xff, 0xfe, 0x00),
    bytes(0x22, 0xc3, 0x28, 0x22),
    bytes(0x1f, 0x8b, 0x08, 0x00),
    '{"key":"k","value":"\\ud800"}',
    '{"key":"\\u0000","value":1}',
    '{"key":"k","value":1,"if_version":1e308}',
    '{"key":"k","value":1,"if_version":9223372036854775808}',
    '{"key":"k","value":1,"increment":1e309}',
    '{"key":"k","value":1,"increment":null}',
    '{"key":"k","value":1,"if":null,"agent":null,"scope":null}',
  ];
  for (const raw of bodies) {
    for (
      const [method, path] of [["PUT", "/state"], ["PUT", "/state/batch"], ["POST", "/messages"]] as const
    ) {
      const reply = await t.request(method, `/rooms/${room}${path}`, { raw });
      assert.ok(reply.status < 500, `${method} ${path} ${raw}: ${reply.text}`);
      assert.ok(reply.body !== undefined, reply.text);
    }
  }
  assert.equal(await t.value(room, "1 + 1"), 2);
});

contract("a strange address is answered, never with a 5xx", async (t) => {
  const room = await t.room();
  const rest = [
    "/%",
    "/%zz",
    "/%ff",
    "/%c3%28",
    "/agents/%",
    "/agents/%ed%a0%80",
    "/messages/%2",
    "/messages/1%00",
    "/state?key=%",
    "/state?key=%ff",
    "/state?scope=%ed%a0%80",
    "/state?key=a&key=b",
    "/state?resolve=maybe",
    "/messages?after=1&after=x",
    "/messages?kind=%00",
    "/wait?condition=%ff",
    "/wait?condition=true&include=state.%00",
    "/wait?condition=true&include=,,",
    "//",
    "/../..",
  ];
  for (const path of rest) {
    const reply = await t.get(`/rooms/${room}${path}`);
    assert.ok(reply.status < 500, `${path}: ${reply.text}`);
  }
  for (
    const path of ["/rooms?before=yesterday", "/rooms?before=%00", "/rooms/%", "/%", "/?room=%ff", "/?room="]
  ) {
    const reply = await t.get(path);
    assert.ok(reply.status < 500, `${path}: ${reply.text}`);
  }
});

contract("a strange expression is answered, never with a 5xx", async (t) => {
  const room = await t.room();
  const expressions = [
    "((((((((((",
    "(".repeat(2_000) + "1" + ")".repeat(2_000),
    "!".repeat(4_000) + "true",
    "-".repeat(4_000) + "1",
    "[".repeat(2_000) + "]".repeat(2_000),
    "1" + " + 1".repeat(1_000),
    "true" + " || true".repeat(500),
    "state" + ".a".repeat(2_000),
    "true ? ".repeat(500) + "1" + " : 2".repeat(500),
    '"' + "\\u0000".repeat(500) + '"',
    "\u0000",
    "state._shared\u0000",
    '"\uD800"',
    "9223372036854775808",
    "-9223372036854775808 - 1",
    "9223372036854775807 + 1",
    "1u - 2u",
    "1 % 0",
    'timestamp("9999-12-31T23:59:59Z") + duration("1000000h")',
    'timestamp("tomorrow")',
    'duration("1 fortnight")',
    'int("x")',
    '"a".matches("(")',
    '"a".matches("a{1000}{1000}")',
    "{1: 2, 1: 3}",
    '{"__proto__": 1}',
    "{[1]: 2}",
    "{1.5: 2}",
    "{true: 2}",
    "agents.map(a, a)",
    "state.constructor",
    'state["__proto__"]',
    "state._shared.constructor.constructor",
    "messages.count.toString()",
    "now.constructor",
    'bytes("a") + b"\\xff"',
  ];
  for (const expr of expressions) {
    for (
      const reply of [
        await t.post(`/rooms/${room}/eval`, { expr }),
        await t.post(`/rooms/${room}/wait`, { condition: expr, timeout: 0 }),
        await t.put(`/rooms/${room}/state`, { key: "k", value: 1, if: expr }),
        await t.put(`/rooms/${room}/state`, { scope: "_view", key: "v", expr }),
        await t.get(`/rooms/${room}/state?resolve=true`),
      ]
    ) assert.ok(reply.status < 500, `${expr}: ${reply.text}`);
  }
});

contract("an expression is kept letter for letter or refused", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  for (const text of ["a\u0000b", "a\uD800b", "a\u0085b", "a\uFEFFb", "\u2028", "e\u0301", "😀"]) {
    const expr = `"${text}"`;
    const view = await t.put(`/rooms/${room}/state`, { scope: "_view", key: "v", expr });
    if (view.status !== 400) {
      assert.deepEqual([view.status, view.body.expr, view.body.value], [200, expr, text]);
      const read = (await t.get(`/rooms/${room}/state?scope=_view&key=v&resolve=true`)).body;
      assert.deepEqual([read.expr, read.value], [expr, text]);
    }
    const condition = `state._shared.go == ${expr}`;
    const now = await t.post(`/rooms/${room}/wait`, { condition, timeout: 0 });
    if (now.status === 400) continue;
    const waiting = t.post(`/rooms/${room}/wait`, { condition, agent: "ann", timeout: 15_000 });
    const shown = await t.agentUntil(room, "ann", (agent) => agent.status === "waiting");
    assert.equal(shown.waiting_on, condition);
    await t.write(room, "go", text);
    assert.equal((await waiting).body.triggered, true);
  }
});

contract("an expression that makes much of little is stopped, and holds up no other room", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  await t.write(room, "list", Array.from({ length: 16_000 }, (_, n) => n % 1000));
  await t.write(room, "text", "x".repeat(60_000));
  for (let n = 0; n < 30; n++) {
    const twice = (name: string) =>
      n ? `state._view.${name}${n - 1} + state._view.${name}${n - 1}` : "state._shared.text";
    await t.view(room, `text${n}`, twice("text"));
  }
  const expressions = [
    "state._shared.list.map(a, state._shared.list)",
    "state._shared.list.map(a, state._shared.text + string(a))",
    "state._shared.list.all(a, state._shared.list.all(b, a + b >= 0))",
    "state._shared.list.all(a, a >= 0 && size(state._shared.list + state._shared.list) > 0)",
    'state._shared.list.all(a, a >= 0 && !state._shared.text.contains("xxxxxxxxxxxxxxxxxxxxxxxxy"))',
    "size(state._view.text29)",
  ];
  for (const expr of expressions) {
    const from = Date.now();
    const [reply, ...others] = await Promise.all([
      t.post(`/rooms/${room}/eval`, { expr }),
      ...Array.from({ length: 5 }, async () => {
        assert.equal((await t.get(`/rooms/${other}`)).status, 200);
        return Date.now() - from;
      }),
    ]);
    assert.deepEqual([reply.status, reply.body.cause?.code], [400, "budget_exceeded"], expr);
    assert.ok(Math.max(...others) < 500, `${expr}: others waited ${Math.max(...others)} ms`);
  }
});
