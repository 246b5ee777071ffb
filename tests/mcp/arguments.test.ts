import assert from "node:assert/strict";
import { HEADERS, message, META, NEWEST, overEach, refusalOf, withClient } from "../support/mcp.ts";

interface Schema {
  type?: string;
  description?: string;
  anyOf?: Array<{ type: string }>;
  properties?: Record<string, Schema>;
  items?: Schema;
}

/** Every argument of a tool by its path, those of each write among them. */
function argumentsOf(schema: Schema, path: string): Array<[path: string, schema: Schema]> {
  return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => [
    [`${path}.${name}`, own],
    ...argumentsOf(own, `${path}.${name}`),
    ...(own.items ? argumentsOf(own.items, `${path}.${name}`) : []),
  ]);
}

const TYPES = ["object", "array", "string", "number", "boolean", "null"];

Deno.test("MCP: every argument is described and typed, values and bodies by a union of all types", () =>
  withClient(async (connect) => {
    const { tools } = await (await connect()).client.listTools();
    const all = tools.flatMap(({ name, inputSchema }) => argumentsOf(inputSchema as Schema, name));
    assert.ok(all.length > 40, `${all.length} arguments`);
    for (const [path, { description, type, anyOf }] of all) {
      assert.ok(description, `${path} is not described`);
      assert.ok(anyOf ?? typeof type === "string", `${path} has no type`);
    }
    for (
      const path of [
        "post_message.body",
        "write_state.writes.value",
        "write_state.writes.append",
        "finish_task.result",
      ]
    ) {
      assert.deepEqual(all.find(([other]) => other === path)![1].anyOf!.map(({ type }) => type), TYPES);
    }
    const text = JSON.stringify(tools);
    for (const noise of ["propertyNames", "9007199254740991", "$schema"]) {
      assert.ok(!text.includes(noise), `${noise} in the list of tools`);
    }
  }));

Deno.test("MCP: every tool says whether it reads, adds or replaces, and none that its list will change", () =>
  withClient(async (connect) => {
    for (const mode of ["auto", "legacy"] as const) {
      await withClient(async (connect) => {
        const { tools, resources } = (await connect()).client.getServerCapabilities()!;
        assert.deepEqual([tools?.listChanged ?? false, resources?.listChanged ?? false], [false, false]);
      }, { mode });
    }
    const { tools } = await (await connect()).client.listTools();
    const kinds = tools.map(({ name, annotations }) => {
      const { readOnlyHint, destructiveHint, openWorldHint } = annotations!;
      assert.equal(openWorldHint, false, name);
      return [name, readOnlyHint ? "reads" : destructiveHint ? "replaces" : "adds"];
    });
    assert.deepEqual(Object.fromEntries(kinds), {
      join: "adds",
      read_room: "reads",
      wait: "reads",
      evaluate: "reads",
      post_message: "adds",
      list_messages: "reads",
      take_task: "adds",
      finish_task: "adds",
      get_state: "reads",
      write_state: "replaces",
      delete_state: "replaces",
      reserve_paths: "adds",
    });
  }));

Deno.test("MCP 2026-07-28: a subscription to what never changes ends at once", () =>
  withClient(async (_, { url }) => {
    const notifications = { toolsListChanged: true, resourcesListChanged: true };
    const response = await fetch(`${url}/mcp`, {
      method: "POST",
      headers: { ...HEADERS, "MCP-Protocol-Version": NEWEST, "Mcp-Method": "subscriptions/listen" },
      body: message("subscriptions/listen", { notifications, ...META }),
    });
    assert.match(await response.text(), /"notifications":\{\}.*"resultType":"complete"/s);
  }));

overEach("a value is stored as the JSON that it is, and a text that is JSON as text", async (connect) => {
  const { call } = await connect();
  await call("join", { room: "r", agent: "ann" });
  const values = ["5", "true", "null", '{"a":1}', "[1]", 5, true, null, { a: ["1", 1] }, [], "", 0.5];
  for (const value of values) {
    const written = await call("write_state", { room: "r", writes: [{ key: "k", value }] });
    assert.deepEqual(written.body.value, value);
    const posted = await call("post_message", { room: "r", from: "ann", body: value });
    assert.deepEqual(posted.body.body, value);
  }
});

overEach(
  "numbers as text are taken for ids, versions and counts, and nothing else for a number",
  async (connect) => {
    const { client, call } = await connect();
    await call("join", { room: "r", agent: "ann" });
    const { body: { id } } = await call("post_message", { room: "r", from: "ann", kind: "task", body: 1 });
    const answered = await call("post_message", { room: "r", from: "ann", body: 2, reply_to: `${id}` });
    assert.equal(answered.body.reply_to, id);
    const listed = async (query: Record<string, unknown>) =>
      (await call("list_messages", { room: "r", ...query })).body.items.map(({ id }: { id: number }) => id);
    assert.deepEqual(await listed({ after: `${id}` }), [answered.body.id]);
    assert.deepEqual(await listed({ thread: `${id}`, limit: "1" }), [id]);
    assert.deepEqual(await listed({ last: "1", unclaimed: "true" }), [answered.body.id]);
    const claimed = await call("take_task", { room: "r", message: `${id}`, agent: "ann" });
    assert.deepEqual(claimed.body.message_id, id);
    const write = (version: unknown) =>
      call("write_state", { room: "r", writes: [{ key: "k", value: 1, if_version: version }] });
    assert.equal((await write("0")).body.version, 1);
    assert.equal((await write("0")).body.error, "version_conflict");
    assert.equal((await write("1")).body.version, 2);
    const add = async (increment: string) =>
      (await call("write_state", { room: "r", writes: [{ key: "n", increment }] })).body.value;
    assert.deepEqual([await add("true"), await add("41"), await add("-2")], [1, 42, 40]);
    for (const text of ["one", "1.5", "+1", "", "yes"]) {
      assert.match(
        await refusalOf(client, "write_state", { room: "r", writes: [{ key: "n", increment: text }] }),
        /writes\.0\.increment: must be true, false or a number/,
      );
    }
    const waited = await call("wait", {
      room: "r",
      condition: "true",
      timeout_seconds: "5",
      include: "messages, state._shared",
    });
    assert.deepEqual([waited.body.messages.count, waited.body.state], [2, { _shared: { k: 1, n: 40 } }]);
    const locked = await call("join", { room: "own", agent: "ann", locked: "true" });
    assert.match(locked.body.admin_token, /^cvn_a_/);
    for (const text of ["one", "1.5", "-1", "0x1", "", " 1"]) {
      assert.match(
        await refusalOf(client, "take_task", { room: "r", message: text, agent: "a" }),
        /message: must be/,
      );
    }
    assert.match(
      await refusalOf(client, "take_task", { room: "r", message: 0, agent: "a" }),
      /must be at least 1/,
    );
  },
);

overEach("a write under an idempotency_key is done once, a new room as well", async (connect) => {
  const { client, call } = await connect();
  const twice = async (name: string, args: Record<string, unknown>) => {
    const key = `"\\${crypto.randomUUID()}`; // what a header quotes is part of a key as well
    const first = await call(name, { ...args, idempotency_key: key });
    const again = await call(name, { ...args, idempotency_key: key });
    assert.equal(first.failed, false, `${name}: ${JSON.stringify(first.body)}`);
    assert.equal(again.body.replayed, true, name);
    const { replayed: _, revision: __, ...answer } = again.body;
    const { revision: ___, ...original } = first.body;
    assert.deepEqual(answer, original, name);
    return first.body;
  };
  const { room } = await twice("join", { agent: "ann", if_new: true });
  await twice("join", { room, agent: "bob", if_new: true });
  await twice("join", { room, agent: "bob", leave: true });
  const { id } = await twice("post_message", { room, from: "ann", body: 1 });
  await twice("take_task", { room, message: id, agent: "ann" });
  const { id: next } = await twice("post_message", { room, from: "ann", kind: "task", body: 2, needs: [id] });
  await twice("finish_task", {
    room,
    message: id,
    agent: "ann",
    fence: id + 1,
    outcome: "complete",
    result: 1,
  });
  const taken = await twice("take_task", { room, agent: "ann", ttl: 60 });
  assert.equal(taken.message_id, next);
  const fence = { message: next, agent: "ann", fence: taken.fence };
  await twice("finish_task", { room, ...fence, outcome: "renew", ttl: 90 });
  await twice("finish_task", { room, ...fence, outcome: "release", error: "late" });
  await twice("finish_task", { room, message: next, agent: "ann", outcome: "fail" });
  const reserved = await twice("reserve_paths", { room, agent: "ann", paths: ["a/**"] });
  const own = { room, agent: "ann", reservation: reserved.id, fence: reserved.fence };
  await twice("reserve_paths", { action: "renew", ...own, ttl: 60 });
  await twice("reserve_paths", { action: "end", ...own });
  await twice("write_state", { room, writes: [{ key: "n", increment: true }] });
  await twice("write_state", { room, writes: [{ key: "n", increment: 1 }, { key: "m", increment: 1 }] });
  assert.equal((await call("get_state", { room, key: "n" })).body.value, 2);
  await twice("delete_state", { room, key: "n" });
  assert.equal((await call("list_messages", { room })).body.items.length, 3);

  const post = (key: string, body: number) => ({ room, from: "ann", body, idempotency_key: key });
  await call("post_message", post("a", 1));
  const other = JSON.parse(await refusalOf(client, "post_message", post("a", 2)));
  assert.equal(other.error, "idempotency_mismatch");
  for (const key of ["", "é", "a\nb", "😀", "x".repeat(256)]) {
    const refused = JSON.parse(await refusalOf(client, "post_message", post(key, 1)));
    assert.match(refused.message, /^idempotency_key must have 1 to 255/, key);
    assert.deepEqual(refused.issues[0].path, ["idempotency_key"]);
  }
  assert.match(
    await refusalOf(client, "join", { agent: "eve", idempotency_key: "short" }),
    /idempotency_key of a room/,
  );
});

overEach("a limit is heeded wherever there is one", async (connect) => {
  const { call } = await connect();
  await call("join", { room: "r", agent: "ann" });
  for (const key of ["a", "b", "c"]) {
    await call("write_state", { room: "r", writes: [{ key, value: 1 }] });
    await call("post_message", { room: "r", from: "ann", body: key });
  }
  const { body } = await call("read_room", { room: "r", limit: 2 });
  const count = body.agents.length + body.messages.length + body.state.length;
  assert.deepEqual([count, body.more], [2, true]);
  const rest = await call("read_room", { room: "r", after: body.revision, limit: 100 });
  assert.deepEqual([rest.body.state.length, rest.body.messages.length, rest.body.more], [2, 3, false]);
  const list = await call("list_messages", { room: "r", limit: 2 });
  assert.deepEqual([list.body.items.length, list.body.more], [2, true]);
});

Deno.test("MCP: an argument __proto__ is refused as other unknown ones are, and kept where it is data", () =>
  withClient(async (connect, { url }) => {
    await (await connect()).call("join", { room: "r", agent: "ann" });
    const call = async (name: string, args: string) => {
      const body = message("tools/call", { name, arguments: {} }, 7).replace("{}", args);
      const response = await fetch(`${url}/mcp`, {
        method: "POST",
        headers: { ...HEADERS, "MCP-Protocol-Version": "2025-11-25" },
        body,
      });
      return await response.text();
    };
    const own = '"__proto__":{"a":1}';
    for (
      const [name, args] of [
        ["evaluate", `{"room":"r","expr":"1",${own}}`],
        ["write_state", `{"room":"r","writes":[{"key":"k","value":1}],${own}}`],
        ["write_state", `{"room":"r","writes":[{"key":"k","value":1,${own}}]}`],
        ["write_state", `{"room":"r","writes":[{"key":"k","value":1}],"\\u005f_proto__":1}`],
      ] as const
    ) {
      const text = await call(name, args);
      assert.match(text, /There is no argument `__proto__`\. (The arguments are `|Leave it out)/, args);
      assert.match(text, /"id":7/);
    }
    assert.equal((await fetch(`${url}/rooms/r/state`).then((reply) => reply.json())).length, 0);
    await call("write_state", `{"room":"r","writes":[{"key":"k","value":{${own}}}]}`);
    const [entry] = await fetch(`${url}/rooms/r/state`).then((reply) => reply.json());
    assert.equal(JSON.stringify(entry.value), `{${own}}`);
    await call("post_message", `{"room":"r","from":"ann","body":{${own}}}`);
    const [posted] = await fetch(`${url}/rooms/r/messages`).then((reply) => reply.json());
    assert.equal(JSON.stringify(posted.body), `{${own}}`);
  }));
