import assert from "node:assert/strict";
import type { Running } from "../support/backends.ts";
import { collectGarbage } from "../support/garbage.ts";
import { type Agent, HEADERS, message, META, NEWEST, overEach, withClient } from "../support/mcp.ts";

/** What a request for a tool has beside its arguments, by the revision of the protocol. */
const FORMS: Record<string, { headers: Record<string, string>; params: Record<string, unknown> }> = {
  "2025-11-25": { headers: { "MCP-Protocol-Version": "2025-11-25" }, params: {} },
  [NEWEST]: {
    headers: { "MCP-Protocol-Version": NEWEST, "Mcp-Method": "tools/call", "Mcp-Name": "wait" },
    params: META,
  },
};

/** Waits for what nobody makes true. */
const FOR_EVER = { room: "r", agent: "ann", condition: "false", timeout_seconds: 30 };

/** Waits until an agent has the status; fails after some seconds. */
async function becomes({ call }: Agent, status: string, agent = "ann"): Promise<void> {
  const condition = `agents.${agent}.status == "${status}"`;
  const { body } = await call("wait", { room: "r", condition, timeout_seconds: 20 });
  assert.equal(body.triggered, true, `${agent} is not ${status}`);
}

overEach("a wait ends with its agent's next call, whichever it is, and says so", async (connect) => {
  const [ann, other] = [await connect(), await connect()];
  for (const room of ["r", "elsewhere"]) {
    for (const agent of ["ann", "bob"]) await other.call("join", { room, agent });
  }
  const stays = ann.call("wait", { ...FOR_EVER, agent: "bob", condition: "has(state._shared.over)" });
  await becomes(other, "waiting", "bob");
  const calls: [name: string, args: Record<string, unknown>][] = [
    ["join", { agent: "ann" }],
    ["post_message", { from: "ann", body: 1 }],
    ["post_message", { from_agent: "ann", body: 1 }],
    ["take_task", { message: 3, agent: "ann" }],
    ["take_task", { agent: "ann", timeout_seconds: 0 }],
    ["finish_task", { message: 3, agent: "ann", outcome: "fail" }],
    ["reserve_paths", { agent: "ann", paths: ["a"] }],
    ["write_state", { agent: "ann", writes: [{ key: "k", value: 1 }] }],
    ["delete_state", { agent: "ann", key: "k" }],
    ["evaluate", { agent: "ann", expr: "1" }],
    ["wait", { agent: "ann", condition: "true" }],
  ];
  for (const [name, args] of calls) {
    const waiting = ann.call("wait", FOR_EVER);
    await becomes(other, "waiting");
    await ann.call("read_room", { room: "r" }); // names no agent
    await other.call("list_messages", { room: "r", from: "ann", to: "ann" }); // is by nobody
    await ann.call(name, { room: "elsewhere", ...args });
    assert.equal((await other.call("read_room", { room: "r" })).body.agents.ann.status, "waiting", name);
    await ann.call(name, { room: "r", ...args });
    const { body, failed } = await waiting;
    assert.deepEqual([failed, body.triggered, body.ended], [false, false, true], name);
    assert.match(body.hint, /"ann" made another call/);
    await becomes(other, "active");
  }
  await other.call("write_state", { room: "r", writes: [{ key: "over", value: 1 }] });
  assert.equal((await stays).body.triggered, true);
});

for (const [mode, revision] of [["legacy", "2025-11-25"], ["auto", NEWEST]] as const) {
  Deno.test(`MCP ${revision}: a wait that its client cancels ends, while the client stays`, () =>
    withClient(async (connect) => {
      const [ann, other] = [await connect(), await connect()];
      await other.call("join", { room: "r", agent: "ann" });
      const cancel = new AbortController();
      const waiting = assert.rejects(ann.call("wait", FOR_EVER, { signal: cancel.signal }));
      await becomes(other, "waiting");
      collectGarbage(); // what the wait needs is held, on both sides
      cancel.abort();
      await waiting;
      await becomes(other, "active");
    }, { mode }));

  Deno.test(`MCP ${revision}: a client that leaves ends its wait, however its request came`, () =>
    withClient(async (connect, service) => {
      const other = await connect();
      await other.call("join", { room: "r", agent: "ann" });
      for (const inTwo of [false, true]) {
        const client = await waitRaw(service, revision, inTwo);
        await becomes(other, "waiting");
        collectGarbage();
        client.close();
        await becomes(other, "active");
      }
    }));
}

/** Sends a wait over a connection of its own, the body in a segment after its head where it is `inTwo`. */
async function waitRaw({ url }: Running, revision: string, inTwo: boolean): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  const { headers, params } = FORMS[revision]!;
  const body = message("tools/call", { name: "wait", arguments: FOR_EVER, ...params });
  const lines = Object.entries({ Host: hostname, ...HEADERS, ...headers, "Content-Length": body.length });
  const head = `POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  const client = await Deno.connect({ hostname, port: Number(port) });
  client.setNoDelay();
  const send = (text: string) => client.write(new TextEncoder().encode(text));
  if (!inTwo) await send(head + body);
  else {
    await send(head);
    // Nothing tells when a server has read a head alone: another request is answered after it.
    await (await fetch(`${url}/healthz`)).body?.cancel();
    await send(body);
  }
  return client;
}

Deno.test("MCP 2025-11-25: notifications/cancelled ends the wait of its own session alone", () =>
  withClient(async (connect, { url }) => {
    const other = await connect();
    for (const agent of ["ann", "bob"]) await other.call("join", { room: "r", agent });
    const post = (body: string, session?: string) =>
      fetch(`${url}/mcp`, {
        method: "POST",
        headers: {
          ...HEADERS,
          ...FORMS["2025-11-25"]!.headers,
          ...(session && { "Mcp-Session-Id": session }),
        },
        body,
      });
    const hello = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "raw", version: "1" },
    };
    const open = async () => {
      const response = await post(message("initialize", hello));
      await response.body?.cancel();
      return response.headers.get("Mcp-Session-Id")!;
    };
    const [ofAnn, ofBob] = [await open(), await open()];
    assert.match(ofAnn, /^[\x21-\x7e]{20,}$/);
    assert.notEqual(ofAnn, ofBob);
    const wait = async (agent: string, session: string, condition: string) => {
      const args = { ...FOR_EVER, agent, condition };
      const response = await post(message("tools/call", { name: "wait", arguments: args }, 7), session);
      return await response.text();
    };
    const waits = [wait("ann", ofAnn, "false"), wait("bob", ofBob, "has(state._shared.over)")];
    await becomes(other, "waiting");
    await becomes(other, "waiting", "bob");
    const cancelled = (requestId: unknown) =>
      JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
    for (
      const [id, session] of [[7, undefined], ["7", ofAnn], [8, ofAnn], [undefined, ofAnn], [
        7,
        "unknown",
      ]] as const
    ) {
      assert.equal((await post(cancelled(id), session)).status, 202);
    }
    const { agents } = (await other.call("read_room", { room: "r" })).body;
    assert.deepEqual([agents.ann.status, agents.bob.status], ["waiting", "waiting"]);
    assert.equal((await post(cancelled(7), ofAnn)).status, 202);
    assert.doesNotMatch(await waits[0]!, /"result"/);
    await becomes(other, "active");
    await other.call("write_state", { room: "r", writes: [{ key: "over", value: 1 }] });
    assert.match(await waits[1]!, /triggered\\":true/);
  }));

/** Calls that name ann and that no tool does: no such tool, arguments that it does not take. */
const REFUSED: [name: string, args: Record<string, unknown>][] = [
  ["wiat", { room: "r", agent: "ann" }],
  ["evaluate", { room: "r", agent: "ann" }],
  ["evaluate", { room: "r", agent: "ann", expr: "1", frobnicate: 1 }],
  ["post_message", { room: "r", from: "ann", from_agent: "bob", body: 1 }],
  ["take_task", { room: "r", agent: "ann", message: "one" }],
  ["take_task", { room: "r", agent: "ann", message: 1, kind: "task" }],
  ["finish_task", { room: "r", agent: "ann", message: 1, outcome: "complete", error: "x" }],
  ["write_state", { room: "r", agent: "ann", writes: [] }],
  ["wait", { room: "r", agent: "ann", timeout_seconds: -1, condition: "true" }],
];

overEach("a call that is refused ends no wait of the agent that it names", async (connect, { url }) => {
  const [ann, other] = [await connect(), await connect()];
  for (const agent of ["ann", "bob"]) await other.call("join", { room: "r", agent });
  const waiting = ann.call("wait", { ...FOR_EVER, condition: "has(state._shared.over)" });
  await becomes(other, "waiting");
  for (const [name, args] of REFUSED) {
    const refused = await ann.client.callTool({ name, arguments: args }).catch(() => ({ isError: true }));
    assert.equal(refused.isError, true, name);
  }
  const headers = { ...HEADERS, ...FORMS["2025-11-25"]!.headers };
  const call = (args: string) =>
    message("tools/call", { name: "evaluate", arguments: {} }).replace("{}", args);
  const batch = (count: number) =>
    `[${Array(count).fill(call('{"room":"r","agent":"ann","expr":"1"}')).join()}]`;
  for (const body of [batch(101), call('{"room":"r","agent":"ann","expr":"1","__proto__":{}}')]) {
    await (await fetch(`${url}/mcp`, { method: "POST", headers, body })).body?.cancel();
  }
  const { agents } = (await other.call("read_room", { room: "r" })).body;
  assert.equal(agents.ann.status, "waiting");
  await other.call("write_state", { room: "r", writes: [{ key: "over", value: 1 }] });
  assert.equal((await waiting).body.triggered, true);
});

Deno.test("MCP: calls that come as one batch end waits of before, and none of each other", () =>
  withClient(async (connect, { url }) => {
    const [ann, other] = [await connect(), await connect()];
    await other.call("join", { room: "r", agent: "ann" });
    const before = ann.call("wait", FOR_EVER);
    await becomes(other, "waiting");
    const tool = (id: number, name: string, args: Record<string, unknown>) =>
      message("tools/call", { name, arguments: { room: "r", agent: "ann", ...args } }, id);
    const headers = { ...HEADERS, ...FORMS["2025-11-25"]!.headers };
    const calls = [
      tool(1, "wait", { condition: "has(state._shared.over)" }),
      tool(2, "wait", { condition: "has(state._shared.over)" }),
      tool(3, "evaluate", { expr: "1" }),
    ];
    const together = fetch(`${url}/mcp`, { method: "POST", headers, body: `[${calls.join()}]` });
    assert.equal((await before).body.ended, true);
    await becomes(other, "waiting");
    await other.call("write_state", { room: "r", writes: [{ key: "over", value: 1 }] });
    const text = await (await together).text();
    assert.equal(text.match(/\\"triggered\\":true/g)?.length, 2, text);
  }));

Deno.test("MCP: a take under a key that its agent's next call ends says to take under it again", () =>
  withClient(async (connect) => {
    const [ann, other] = [await connect(), await connect()];
    await other.call("join", { room: "r", agent: "ann" });
    const asked = { room: "r", agent: "ann", timeout_seconds: 30, idempotency_key: "of ann" };
    const taking = ann.call("take_task", asked);
    await becomes(other, "waiting");
    await ann.call("evaluate", { room: "r", agent: "ann", expr: "1" });
    const { body } = await taking;
    assert.deepEqual([body.claimed, body.ended], [false, true]);
    assert.match(body.hint, /with the same `idempotency_key`/);
    await other.call("post_message", { room: "r", from: "bob", kind: "task", body: 1 });
    assert.equal((await ann.call("take_task", asked)).body.claimed, true);
  }));
