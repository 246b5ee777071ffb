import assert from "node:assert/strict";
import { type Agent, HEADERS, message, unframed, withClient } from "../support/mcp.ts";

/** Some 3,000 tokens: a tenth of a small model's context would be far too much for the mere list of tools. */
const MAX_LIST_CHARACTERS = 12_500;

Deno.test("MCP: twelve tools at most, described in few words", () =>
  withClient(async (connect) => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    assert.ok(tools.length <= 12);
    assert.ok(JSON.stringify(tools).length <= MAX_LIST_CHARACTERS, `${JSON.stringify(tools).length}`);
    for (const { name, description } of tools) assert.ok(description, name);
  }));

for (const [mode, revision] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]] as const) {
  Deno.test(`MCP ${revision}: two agents coordinate through tools alone`, () =>
    withClient(coordinate(revision), { mode, apart: true }));
}

function coordinate(revision: string) {
  return async (connect: () => Promise<Agent>) => {
    const [ann, bob] = [await connect(), await connect()];
    assert.equal(ann.client.getNegotiatedProtocolVersion(), revision);
    const { body: { room, agents } } = await ann.call("join", { agent: "ann", role: "lead" });
    assert.equal(agents.ann.role, "lead");
    const { body: entered } = await bob.call("join", { room, agent: "bob" });
    assert.deepEqual(Object.keys(entered.agents), ["ann", "bob"]);

    const { body: task } = await ann.call("post_message", {
      room,
      from: "ann",
      kind: "task",
      body: { n: 1 },
    });
    const condition = "state._shared.done == 1";
    const waiting = ann.call("wait", { room, agent: "ann", condition, include: ["state._shared"] });
    await bob.call("wait", { room, condition: `agents.ann.waiting_on == '${condition}'` });

    const { body: { items } } = await bob.call("list_messages", { room, unclaimed: true });
    assert.deepEqual(items.map(({ id }: { id: number }) => id), [task.id]);
    assert.equal((await bob.call("take_task", { room, message: task.id, agent: "bob" })).failed, false);
    const late = await ann.call("take_task", { room, message: task.id, agent: "cyd" });
    assert.deepEqual([late.failed, late.body.error, late.body.claimed_by], [true, "already_claimed", "bob"]);

    const done = { room, agent: "bob", if: "!has(state._shared.done)" };
    const writes = [{ key: "done", increment: true }];
    assert.equal((await bob.call("write_state", { ...done, writes })).body.value, 1);
    const again = await bob.call("write_state", { ...done, writes });
    assert.deepEqual([again.failed, again.body.error], [true, "precondition_failed"]);
    const { body: woken } = await waiting;
    assert.deepEqual([woken.triggered, woken.state], [true, { _shared: { done: 1 } }]);

    const { body: changed } = await ann.call("read_room", { room, after: entered.revision });
    assert.deepEqual(changed.state.map(({ key }: { key: string }) => key), ["done"]);
    assert.equal(changed.messages[0].claimed_by, "bob");
    assert.equal((await ann.call("evaluate", { room, expr: "messages.unclaimed" })).body.value, 0);
    assert.equal((await ann.call("delete_state", { room, key: "done" })).body.deleted, true);
    const both = [{ key: "a", value: null }, { scope: "_view", key: "b", expr: "1 + 1" }];
    assert.equal((await ann.call("write_state", { room, writes: both })).body.count, 2);
    const { body: listed } = await ann.call("get_state", { room, scope: "_view" });
    assert.equal(listed.items[0].value, 2);
  };
}

Deno.test("MCP: a wait takes 50 s where nothing is said, and 10 minutes at the most", () =>
  withClient(async (connect) => {
    const { client, call } = await connect();
    const { tools } = await client.listTools();
    const { timeout_seconds } = tools.find(({ name }) => name === "wait")!.inputSchema.properties! as {
      timeout_seconds: { default: number };
    };
    assert.equal(timeout_seconds.default, 50);
    const { body: { room } } = await call("join", { agent: "ann" });
    const wait = (seconds: number) =>
      client.callTool({ name: "wait", arguments: { room, condition: "true", timeout_seconds: seconds } });
    assert.ok(!(await wait(600)).isError);
    assert.equal((await wait(601)).isError, true);
  }));

Deno.test("MCP: a wait says that it goes on, and how long it took in all", () =>
  withClient(async (connect) => {
    const { call } = await connect();
    const { body: { room } } = await call("join", { agent: "ann" });
    const steps: number[] = [];
    const { body } = await call("wait", { room, condition: "false", timeout_seconds: 11 }, {
      onprogress: ({ progress }) => void steps.push(progress),
    });
    assert.deepEqual(steps, [0, 6], "two parts of 5.5 s: none may take longer than 10");
    assert.deepEqual([body.triggered, body.timeout], [false, true]);
    assert.ok(body.elapsed_ms >= 11_000, `${body.elapsed_ms}`);
  }));

Deno.test("MCP: a client that goes away ends its wait", () =>
  withClient(async (connect, { url }) => {
    const { call } = await connect();
    const { body: { room } } = await call("join", { agent: "ann" });
    const gone = new AbortController();
    const args = { room, agent: "ann", condition: "false" };
    const waiting = fetch(`${url}/mcp`, {
      method: "POST",
      headers: HEADERS,
      body: message("tools/call", { name: "wait", arguments: args }),
      signal: gone.signal,
    }).then((response) => response.text());
    const left = assert.rejects(waiting, { name: "AbortError" });
    await call("wait", { room, condition: 'agents.ann.status == "waiting"' });
    gone.abort();
    await left;
    const { body } = await call("wait", {
      room,
      condition: 'agents.ann.status == "active"',
      timeout_seconds: 5,
    });
    assert.equal(body.triggered, true);
  }));

Deno.test("MCP: an instance that stops answers its waits", () =>
  withClient(async (connect, service) => {
    const { call } = await connect();
    const { body: { room } } = await call("join", { agent: "ann" });
    const waiting = call("wait", { room, agent: "ann", condition: "false" });
    await call("wait", { room, condition: 'agents.ann.status == "waiting"' });
    await service.stop();
    assert.equal((await waiting).body.timeout, true);
  }, { apart: true }));

Deno.test("MCP: resources are the guide and rooms", () =>
  withClient(async (connect) => {
    const { client, call } = await connect();
    const { body: { room } } = await call("join", { agent: "ann" });
    const read = async (uri: string) => (await client.readResource({ uri })).contents[0] as { text: string };
    assert.match((await read("convene://guide")).text, /^# Convene/);
    assert.ok(JSON.parse(unframed((await read(`convene://rooms/${room}`)).text)).agents.ann);
    await assert.rejects(read("convene://rooms/nowhere"), /no room with this id/);
  }));

Deno.test("MCP: what is wrong is said in the words of the API", () =>
  withClient(async (connect) => {
    const { client, call } = await connect();
    const unknown = await call("evaluate", { room: "nowhere", expr: "1" });
    assert.deepEqual([unknown.failed, unknown.body.error], [true, "room_not_found"]);
    const { body: { room } } = await call("join", { agent: "ann" });
    const wrong = await call("wait", { room, condition: "state._shared.x ==" });
    assert.deepEqual([wrong.failed, wrong.body.error], [true, "invalid_expression"]);
    const untyped = await client.callTool({ name: "evaluate", arguments: { room: 5 } });
    assert.equal(untyped.isError, true);
    const odd = await call("evaluate", { room: "../../healthz", expr: "1" });
    assert.deepEqual([odd.failed, odd.body.error], [true, "room_not_found"]);
  }));

Deno.test("MCP: arguments that are not understood are refused, with the near name, and nothing is done", () =>
  withClient(async (connect) => {
    const { client, call } = await connect();
    const { body: { room } } = await call("join", { agent: "ann" });
    const { tools } = await client.listTools();
    for (const { inputSchema } of tools) assert.equal(inputSchema.additionalProperties, false);
    const { body: { revision } } = await call("read_room", { room });
    const refused = async (name: string, args: Record<string, unknown>, told: RegExp) => {
      const { content, isError } = await client.callTool({ name, arguments: args });
      assert.equal(isError, true, name);
      assert.match((content[0] as { text: string }).text, told);
    };
    const write = { key: "lock", value: 1 };
    const wrong: [name: string, args: Record<string, unknown>, told: RegExp][] = [
      ["write_state", { writes: [{ ...write, ifVersion: 0 }] }, /`ifVersion`.*Did you mean `if_version`/],
      ["write_state", { writes: [{ ...write, if: "false" }] }, /`if`.*Put `if` beside `writes`/],
      ["write_state", { writes: [{ key: "lock", delete: true }] }, /`delete`.*delete_state does/],
      ["write_state", { writes: [write], if_version: 0 }, /Put `if_version` into each/],
      ["write_state", { writes: [write], gate: "false" }, /`gate`.*Did you mean `if`/],
      ["write_state", { writes: [write], if: null }, /if: .*leave it out/],
      ["write_state", { writes: [{ ...write, if_version: null }] }, /if_version: .*leave it out/],
      ["delete_state", { key: "lock", expected_version: 1 }, /Did you mean `if_version`/],
      ["post_message", { from: "ann", body: 1, replyTo: 1 }, /Did you mean `reply_to`/],
      ["post_message", { from: "ann", from_agent: "bob", body: 1 }, /Did you mean `from`/],
      ["list_messages", { Kind: "task" }, /Did you mean `kind`/],
      ["wait", { condition: "true", timeout: 1 }, /Did you mean `timeout_seconds`/],
      [
        "get_state",
        { frobnicate: 1 },
        /There is no argument `frobnicate`. The arguments are `room`, `scope`/,
      ],
      ["join", { agent: "eve", nmae: "Eve" }, /Did you mean `name`/],
    ];
    for (const [name, args, told] of wrong) await refused(name, { room, ...args }, told);
    const number = (digits: string) =>
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"post_message","arguments":{"room":"${room}",` +
      `"from":"ann","body":{"id":${digits}}}}}`;
    for (const digits of ["9007199254740993", "1e400", '1,"id":2']) {
      const url = new URL("/mcp", (client.transport as unknown as { _url: URL })._url);
      const response = await fetch(url, { method: "POST", headers: HEADERS, body: number(digits) });
      const { id, error } = await response.json();
      assert.equal(id, 7);
      assert.match(error.message, /^params\.arguments\.body\.id: .*(text|each member once)/);
    }
    for (const depth of [70, 50_000]) {
      const url = new URL("/mcp", (client.transport as unknown as { _url: URL })._url);
      const body = number("[".repeat(depth) + "]".repeat(depth));
      const { id, error } = await (await fetch(url, { method: "POST", headers: HEADERS, body })).json();
      assert.deepEqual([id, /nested at most 64 deep/.test(error.message)], [7, true], error.message);
    }
    assert.equal((await call("read_room", { room })).body.revision, revision);
  }));

Deno.test("MCP: null is as if left out, from_agent is from, and join says whether the agent is new", () =>
  withClient(async (connect) => {
    const { call } = await connect();
    const joined = await call("join", { room: null, agent: "ann", name: null, role: null, meta: null });
    const { room, created } = joined.body;
    assert.deepEqual([joined.failed, created], [false, true]);
    assert.equal((await call("join", { room, agent: "ann" })).body.created, false);
    const taken = await call("join", { room, agent: "ann", if_new: true });
    assert.deepEqual([taken.failed, taken.body.error], [true, "agent_exists"]);
    const posted = await call("post_message", {
      room,
      from_agent: "ann",
      to_agent: "bob",
      kind: null,
      reply_to: null,
      body: null,
    });
    const { from_agent, to_agent, kind, body } = posted.body;
    assert.deepEqual([from_agent, to_agent, kind, body], ["ann", "bob", "message", null]);
    const writes = [{ scope: null, key: "k", value: null, increment: null, expr: null }];
    assert.equal((await call("write_state", { room, writes, agent: null })).body.value, null);
    assert.equal((await call("list_messages", { room, after: null, kind: null })).body.items.length, 1);
  }));

Deno.test("MCP: raw requests get answers, whatever they are", () =>
  withClient(async (_, { url }) => {
    const post = async (body: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}/mcp`, {
        method: "POST",
        body,
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json, text/event-stream",
          ...headers,
        },
      });
      return { status: response.status, text: await response.text() };
    };
    const hello = (protocolVersion: string) =>
      message("initialize", { protocolVersion, capabilities: {}, clientInfo: { name: "raw", version: "1" } });
    for (const version of ["2025-03-26", "2025-06-18", "2025-11-25"]) {
      const { status, text } = await post(hello(version));
      assert.equal(status, 200);
      assert.match(text, new RegExp(`"protocolVersion":"${version}"`));
    }
    for (
      const body of [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        '{"jsonrpc":"2.0","id":1,"method":"nothing"}',
        "[".repeat(9_999),
      ]
    ) {
      assert.ok((await post(body)).status < 500, body.slice(0, 50));
    }
    assert.equal((await post(`"${"x".repeat(300_000)}"`)).status, 413);
    const get = await fetch(`${url}/mcp`);
    await get.body?.cancel();
    assert.deepEqual([get.status, get.headers.get("Allow")], [405, "POST, OPTIONS"]);
  }));
