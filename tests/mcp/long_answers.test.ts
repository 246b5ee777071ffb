import assert from "node:assert/strict";
import { estimateTokens } from "../../routes/mcp/estimate.ts";
import { withApp } from "../support/app.ts";
import { onThisMachine } from "../support/bounds.ts";
import { HEADERS, overEach, textOf, unframed } from "../support/mcp.ts";
import { workingTime } from "../support/probe.ts";

/** Draws the same characters each time. */
function drawn(characters: string, length: number): string {
  let seed = 7;
  const all = [...characters];
  return Array.from({ length }, () => {
    seed = (seed * 48271) % 2147483647;
    return all[seed % all.length];
  }).join("");
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => String.fromCodePoint(from + n)).join("");

/** Texts with the tokens that o200k_base and cl100k_base count at most. */
const COUNTED: Array<[text: string, tokens: number]> = [
  ["Wait for the other agents, then read what they have decided. ".repeat(100), 1_301],
  [
    JSON.stringify({ id: 17, from_agent: "alice", body: { n: 1.5, of: ["a", null] }, status: "open" }).repeat(
      60,
    ),
    1_740,
  ],
  [drawn("abcdefghijklmnopqrstuvwxyz", 4_000), 2_159],
  [drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 4_000), 2_856],
  [drawn("0123456789abcdef", 4_000), 2_260],
  [drawn("0123456789,", 4_000), 1_671],
  [drawn("!#$%&'()*+,-./:;<=>?@[]^_{|}~", 4_000), 2_682],
  [drawn("abc ", 4_000), 1_728],
  [JSON.stringify('\n"\u0001'.repeat(1_000)), 5_002],
  [drawn(range(0xc0, 0x17f), 2_000), 3_218],
  [drawn(range(0x4e00, 0x9fff), 2_000), 4_749],
  [drawn(range(0xac00, 0xd7a3), 2_000), 5_226],
  [drawn(range(0xe000, 0xe800), 2_000), 5_969],
  [drawn(range(0x1f600, 0x1f640), 2_000), 4_000],
  [drawn(range(0x20000, 0x21000), 2_000), 7_917],
];

Deno.test("MCP: an estimate of tokens is seldom below what tokenizers count, and by less than a third", () => {
  for (const [text, tokens] of COUNTED) {
    const estimate = estimateTokens(text);
    assert.ok(estimate >= tokens * 0.7, `${text.slice(0, 20)}: ${estimate} for ${tokens}`);
    assert.ok(estimate <= tokens * 3, `${text.slice(0, 20)}: ${estimate} for ${tokens}`);
  }
});

const LONG = "so it goes ".repeat(2_700);
const GOES = /(so it goes ){90}/;

overEach(
  "an answer has at most 20,000 tokens; a longer one is cut, and names the calls that show the rest",
  async (connect, { url }) => {
    const { client, call } = await connect();
    const told: Record<string, unknown> = {};
    // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
    const long = async (name: string, args: Record<string, unknown>): Promise<any> => {
      const { content } = await client.callTool({ name, arguments: { room: "r", ...args } });
      const text = textOf(content);
      assert.ok(estimateTokens(text) <= 20_000 * 0.72, `${name}: ${estimateTokens(text)}`);
      const body = JSON.parse(unframed(text));
      assert.match(body.hint, /^(The answer is too long|Only \d+ at a time fit)/, name);
      told[name] = body.hint;
      return body;
    };
    const put = (writes: unknown[]) =>
      fetch(`${url}/rooms/r/state/batch`, { method: "PUT", body: JSON.stringify({ writes }) });
    await call("join", { room: "r", agent: "ann" });

    // Lists come in fewer items, and go on where they ended.
    for (let n = 0; n < 9; n++) await call("post_message", { room: "r", from: "ann", body: `${n}${LONG}` });
    const some = await long("list_messages", {});
    assert.deepEqual([some.cut, some.more], [undefined, true]);
    const seen: string[] = [];
    for (let after = 0;;) {
      const { body } = await call("list_messages", { room: "r", after });
      seen.push(...body.items.map(({ body }: { body: string }) => body[0]));
      after = body.items.at(-1)?.id;
      if (!body.more) break;
    }
    assert.equal(seen.join(""), "012345678");
    const newest = await long("list_messages", { last: 5 });
    assert.deepEqual(newest.items.at(-1).body[0], "8");
    assert.match(newest.hint, /Those before: list_messages with after/);
    const changes = await long("read_room", { after: 0 });
    assert.equal(changes.more, true);
    const { body: later } = await call("read_room", { room: "r", after: changes.revision });
    assert.ok(later.messages[0].id > changes.revision);

    // Of what is no list, the largest members are cut: what else it says stays.
    const task = await call("post_message", {
      room: "r",
      from: "ann",
      kind: "task",
      body: `task ${LONG}${LONG}`,
    });
    const taken = await long("take_task", { agent: "ann" });
    assert.deepEqual([taken.claimed, taken.message_id, taken.cut], [true, task.body.id, true]);
    assert.ok(Number.isInteger(taken.fence));
    assert.match(JSON.stringify(taken.begins), /task (so it goes ){90}/);
    const expr = /evaluate with expr (.*?\))/.exec(taken.hint)![1]!.replace("id[7]", `id[${task.body.id}]`);
    const rest = await call("evaluate", { room: "r", expr: expr.replace("(0, 9000)", "(50000, 59405)") });
    assert.ok(rest.body.value === LONG.repeat(2).slice(49_995));

    for (let n = 0; n < 1; n++) {
      const values = Array.from(
        { length: 20 },
        (_, k) => ({ key: `key ${n} ${k}`, value: LONG.slice(0, 9_000) }),
      );
      assert.equal((await put(values)).status, 200);
    }
    await put([{ key: "one", value: `one ${LONG}${LONG}` }]);
    const state = await long("get_state", {});
    assert.match(state.begins.items, /^\[\{.*(so it goes ){90}/);
    const { body: names } = await call("evaluate", { room: "r", expr: 'state["_shared"].map(k, k).size()' });
    assert.equal(names.value, 21);
    const one = await long("get_state", { key: "one" });
    assert.deepEqual([one.version > 0, one.key], [true, "one"]);
    assert.match(one.begins.value, /^one so it/);
    for (const [name, args] of [["join", { agent: "bob" }], ["read_room", {}]] as const) {
      const body = await long(name, args);
      assert.ok(body.revision > 0 && body.agents.ann, name);
      assert.match(body.hint, /get_state with scope/);
    }
    const woken = await long("wait", { condition: "true", include: ["state"] });
    assert.equal(woken.triggered, true);
    assert.match((await long("evaluate", { expr: "state._shared" })).begins.value, GOES);
    // Of one that is not even read whole, there is only how it begins.
    for (let n = 3; n < 6; n++) {
      const values = Array.from({ length: 3 }, (_, k) => ({ key: `key ${n} ${k}`, value: LONG + LONG }));
      assert.equal((await put(values)).status, 200);
    }
    const huge = await long("wait", { condition: "true", include: ["state"] });
    assert.deepEqual([huge.triggered, huge.cut], [true, true]);
    assert.match(huge.begins, GOES);
    assert.equal((await call("get_state", { room: "r", prefix: "key 0 19" })).body.items.length, 1);
  },
);

overEach("what a frame escapes is counted as it is sent", async (connect) => {
  const { client, call } = await connect();
  await call("join", { room: "r", agent: "ann" });
  for (const mark of ["\u0085", "\u2028", "\u2029"]) {
    const kind = `of ${mark.codePointAt(0)}`;
    for (let n = 0; n < 40; n++) {
      await call("post_message", { room: "r", from: "ann", kind, body: mark.repeat(200) });
    }
    const { content } = await client.callTool({ name: "list_messages", arguments: { room: "r", kind } });
    const text = textOf(content);
    assert.ok(estimateTokens(text) <= 20_000 * 0.72, `${kind}: ${estimateTokens(text)}`);
    const { items, more } = JSON.parse(unframed(text));
    assert.ok(more && items.length >= 3, `${kind}: ${items.length}`);
    assert.equal(items[0].body, mark.repeat(200));
  }
});

Deno.test("MCP: a batch of a hundred lists of tools takes little more than a few", () =>
  withApp(async ({ app }) => {
    async function list(count: number): Promise<number> {
      const from = workingTime();
      const asked = Array.from({ length: count }, (_, id) => ({ jsonrpc: "2.0", id, method: "tools/list" }));
      const init = { method: "POST", headers: HEADERS, body: JSON.stringify(asked) };
      const text = await (await app.request("/mcp", init)).text();
      assert.equal(text.split('"name":"join"').length - 1, count);
      return workingTime() - from;
    }
    await list(2);
    const took = Math.min(await list(100), await list(100));
    // To make each list's schemas anew took 210 ms where this takes 30.
    assert.ok(took < onThisMachine(100), `${took} ms`);
  }));
