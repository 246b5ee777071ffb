import assert from "node:assert/strict";
import { inWordsOfTools } from "../../routes/mcp/words.ts";
import { HEADERS, message, overEach, refusalOf, unframed, withClient } from "../support/mcp.ts";

/** What only callers by HTTP know. */
const HTTP =
  /\b(GET|POST|PUT|DELETE|PATCH|HEAD)\b|[Cc]url|\/rooms|\/docs|[Hh]eader|Idempotency-Key|query|ETag|Invalid input|expected /;

const LONE = "a\ud800";

overEach(
  "what is refused is told in the words of tools: no paths, no headers, no methods",
  async (connect) => {
    const { client, call } = await connect();
    await call("join", { room: "r", agent: "ann" });
    const { body: { id } } = await call("post_message", { room: "r", from: "ann", body: 1 });
    await call("take_task", { room: "r", message: id, agent: "ann" });
    const { body: blocked } = await call("post_message", { room: "r", from: "ann", body: 2, needs: [id] });
    const { body: over } = await call("post_message", { room: "r", from: "ann", body: 3 });
    await call("finish_task", { room: "r", agent: "ann", message: over.id, outcome: "fail" });
    const { body: open } = await call("post_message", { room: "r", from: "ann", body: 4 });
    const { body: held } = await call("reserve_paths", { room: "r", agent: "ann", paths: ["a/**"] });
    await call("write_state", { room: "r", writes: [{ key: "k", value: "text" }] });
    const task = { room: "r", agent: "bob", message: id };
    const paths = { room: "r", agent: "bob", paths: ["a/b"] };
    const write = (...writes: unknown[]) => ({ room: "r", writes });
    const post = { room: "r", from: "ann", body: 1 };
    const refusals: [name: string, args: Record<string, unknown>, told: RegExp][] = [
      ["read_room", { room: "nowhere" }, /room_not_found.*Create it with join/],
      ["wait", { room: "nowhere", condition: "true" }, /Create it with join/],
      ["wait", { room: "r", condition: "true", agent: "_x" }, /agent_not_found.*Call join first/],
      ["join", { room: "r", agent: "ann", if_new: true }, /agent_exists.*leave out `if_new`/],
      ["join", { room: "r", agent: "_x" }, /"agent: must not begin with _"/],
      ["join", { room: " ", agent: "ann" }, /"room: must not be only spaces"/],
      ["join", { room: "r", agent: "ann", name: "" }, /"name: must have 1 to/],
      [
        "take_task",
        { room: "r", message: id, agent: "bob" },
        /already_claimed.*take_task without `message`/,
      ],
      ["take_task", { room: "r", message: 99, agent: "bob" }, /There is no message 99/],
      ["take_task", { room: "r", id, agent: "bob" }, /Did you mean `message`/],
      ["take_task", { room: "r", message_id: id, agent: "bob" }, /Did you mean `message`/],
      ["take_task", { room: "r", message: id, from: "bob" }, /: `agent` is missing\. `agent`: /],
      [
        "take_task",
        { room: "r", agent: "bob", kind: "task", where: "mesage.id > 1" },
        /Did you mean `message`/,
      ],
      ["take_task", { room: "r", agent: "bob", condition: "true" }, /Did you mean `where`/],
      [
        "take_task",
        { ...task, kind: "task" },
        /with `message`, take_task does not take `kind`: leave it out/,
      ],
      ["take_task", { ...task, message: blocked.id }, /task_blocked.*Take one of those, or wait until/],
      ["take_task", { ...task, message: over.id }, /task_over.*take_task without `message`/],
      ["take_task", { room: "r", agent: "bob", timeout_seconds: 601 }, /must be at most 600/],
      ["take_task", { ...task, ttl: 0 }, /ttl: must be at least 1/],
      ["finish_task", task, /: `outcome` is missing\. `outcome`: one of "complete", "fail"/],
      ["finish_task", { ...task, status: "done" }, /Did you mean `outcome`/],
      ["finish_task", { ...task, outcome: "done" }, /outcome: must be one of "complete", "fail"/],
      ["finish_task", { ...task, outcome: "renew", ttl: 60 }, /`fence` is missing: outcome renew needs it/],
      ["finish_task", { ...task, outcome: "fail", result: 1 }, /outcome fail does not take `result`/],
      ["finish_task", { ...task, outcome: "complete", error: "x" }, /outcome complete does not take `error`/],
      ["finish_task", { ...task, outcome: "complete" }, /lease_lost.*Drop the work/],
      [
        "finish_task",
        { ...task, agent: "ann", outcome: "complete" },
        /fence is missing: the claim has a ttl/,
      ],
      [
        "finish_task",
        { ...task, message: open.id, outcome: "complete" },
        /lease_lost.*Take it first: take_task with `message`/,
      ],
      ["finish_task", { ...task, message: 99, outcome: "complete" }, /There is no message 99/],
      ["reserve_paths", { room: "r", agent: "bob" }, /`paths` is missing: action reserve needs it/],
      ["reserve_paths", { ...paths, files: ["b"] }, /Did you mean `paths`/],
      ["reserve_paths", { ...paths, paths: ["a**b"] }, /paths\.0: .*position/],
      ["reserve_paths", { ...paths, paths: "a/b" }, /paths: must be an array, not text/],
      ["reserve_paths", paths, /"reserved".*Reserve other paths, or wait/],
      ["reserve_paths", { ...paths, action: "list", ttl: 5 }, /action list does not take `ttl`/],
      ["reserve_paths", { ...paths, action: "list", paths: ["a", "b"] }, /paths: action list takes one item/],
      ["reserve_paths", { room: "r", action: "end", agent: "bob" }, /`reservation` is missing: action end/],
      [
        "reserve_paths",
        { room: "r", action: "end", agent: "bob", reservation: "none" },
        /reservation_not_found.*reserve_paths with `action` list/,
      ],
      [
        "reserve_paths",
        { room: "r", action: "renew", agent: "bob", reservation: held.id, fence: held.fence, ttl: 5 },
        /lease_lost.*Reserve the paths again/,
      ],
      ["post_message", { ...post, needs: [99] }, /There is no message 99/],
      ["post_message", { ...post, needs: "one" }, /needs\.0: must be a number/],
      ["post_message", { ...post, depends_on: [id] }, /Did you mean `needs`/],
      ["write_state", write({ key: "k", append: 1 }), /not_editable.*append needs a list/],
      ["write_state", write({ key: "k", set: { a: 1 } }), /writes\.0\.set\.a/],
      ["join", { agent: "ann", leave: true }, /`room` is missing: with `leave`, join needs it/],
      [
        "join",
        { room: "r", agent: "ann", leave: true, role: "x" },
        /with `leave`, join does not take `role`/,
      ],
      ["join", { room: "nowhere", agent: "ann", leave: true }, /room_not_found/],
      ["get_state", { room: "r", key: "none" }, /key_not_found.*Write it with write_state/],
      ["get_state", { room: "r", key: "_shared.k" }, /key_not_found.*named without its scope/],
      [
        "get_state",
        { room: "r", scope: "_shared.k" },
        /"A scope is named without a key.*`scope` _shared, `key` turn/,
      ],
      ["wait", { room: "r", condition: "", agent: "ann" }, /The expression is empty.*Write one such as/],
      ["read_room", { id: "r" }, /no argument `id`\. Did you mean `room`/],
      ["list_messages", { room: "r", unread: true }, /Did you mean `after`/],
      ["wait", { room: "r", condition: "true", timeout_ms: 5_000 }, /Did you mean `timeout_seconds`/],
      ["wait", { room: "r", condition: "true", include: ["everything"] }, /Use state, state\.<scope>/],
      ["wait", { room: "r" }, /: `condition` is missing\. `condition`: CEL/],
      [
        "write_state",
        write({ key: "k" }),
        /"`writes\.0\.value` is missing\.".*"path":\["writes",0,"value"\]/,
      ],
      ["write_state", write({ key: "" }), /"writes\.0\.key: must have/],
      ["write_state", write({ key: "a", value: 1 }, { key: "" }), /"writes\.1\.key: must have/],
      ["write_state", write({ key: "a", value: 1 }, { key: "b" }), /"`writes\.1\.value` is missing/],
      ["write_state", write({ value: 1 }), /: `writes\.0\.key` is missing\.$/],
      ["write_state", write({ key: "k", increment: true }), /not_a_number/],
      ["write_state", write({ key: "k", value: 1, room_id: "r" }), /Put `room` beside/],
      ["write_state", write({ key: "k", value: 1, if_version: 9 }), /version_conflict/],
      ["write_state", write({ key: "k", value: 1, increment: "five" }), /must be true, false or a number/],
      [
        "write_state",
        { room: "r", writes: '[{"key":"k","value":1}]' },
        /: writes: must be an array, not text\. Send a list of objects: \[\{\.\.\.\}\]\.$/,
      ],
      ["write_state", { room: "r", writes: [] }, /: writes: must hold at least 1$/],
      ["delete_state", { room: "r" }, /: `key` is missing\. `key`: /],
      ["post_message", { room: "r", body: 1 }, /: `from` is missing\. `/],
      ["post_message", { room: "r", from: "ann" }, /: `body` is missing\. `/],
      [
        "post_message",
        { room: "r", from: 5, body: 1 },
        /: from: must be a text\. Write it in quotes: "5"\.$/,
      ],
      ["post_message", { ...post, reply_to: 99 }, /There is no message 99/],
      ["post_message", { ...post, reply_to: true }, /reply_to: must be a number$/],
      ["list_messages", { room: "r", limit: 0 }, /limit: must be at least 1$/],
      ["list_messages", { room: "r", after: 1.5 }, /after: must be a whole number$/],
      ["list_messages", { room: "r", unclaimed: "yes" }, /unclaimed: must be true or false$/],
      ["evaluate", { room: "r", expr: "1 / 0" }, /evaluation_failed/],
      ["evaluate", { room: "r", expression: "1" }, /Did you mean `expr`/],
      ["join", { room: "r", agent: "ann", meta: "text" }, /meta: must be a JSON object, not text$/],
    ];
    const missed: string[] = [];
    for (const [name, args, told] of refusals) {
      const text = await refusalOf(client, name, args);
      if (!told.test(text) || HTTP.test(text)) missed.push(`${name} ${JSON.stringify(args)}: ${text}`);
    }
    assert.deepEqual(missed, []);
  },
);

overEach("what can be no id leads nowhere else: it is told as what there is not", async (connect) => {
  const { client, call } = await connect();
  await call("join", { room: "r", agent: "ann" });
  await call("join", { room: "\ufffd", agent: "ann" });
  await call("write_state", { room: "r", writes: [{ scope: "a\ufffd", key: "a\ufffd", value: 1 }] });
  await call("post_message", { room: "r", from: "a\ufffd", to: "a\ufffd", kind: "a\ufffd", body: 1 });
  for (const room of [".", "..", "", " ", LONE, "a\nb", "x".repeat(129), "\ud800"]) {
    const calls: [name: string, args: Record<string, unknown>][] = [
      ["read_room", {}],
      ["read_room", { after: 0 }],
      ["wait", { condition: "true" }],
      ["evaluate", { expr: "1" }],
      ["list_messages", {}],
      ["get_state", {}],
      ["post_message", { from: "ann", body: 1 }],
      ["take_task", { message: 1, agent: "ann" }],
      ["take_task", { agent: "ann" }],
      ["finish_task", { message: 1, agent: "ann", outcome: "complete" }],
      ["reserve_paths", { agent: "ann", paths: ["a"] }],
      ["reserve_paths", { action: "list" }],
      ["reserve_paths", { action: "end", agent: "ann", reservation: "r" }],
      ["write_state", { writes: [{ key: "k", value: 1 }] }],
      ["delete_state", { key: "k" }],
    ];
    for (const [name, args] of calls) {
      const { error } = JSON.parse(await refusalOf(client, name, { room, ...args }));
      assert.equal(error, "room_not_found", `${name} ${JSON.stringify(room)}`);
    }
    assert.match(await refusalOf(client, "join", { room, agent: "ann" }), /"room: must/);
    assert.match(await refusalOf(client, "join", { room: "r", agent: room }), /"agent: must/);
  }
  for (const filter of [{ from: LONE }, { to: LONE }, { kind: LONE }]) {
    assert.deepEqual((await call("list_messages", { room: "r", ...filter })).body.items, []);
  }
  for (const filter of [{ scope: LONE }, { prefix: LONE }, { scope: "a\ufffd", prefix: LONE }]) {
    assert.deepEqual((await call("get_state", { room: "r", ...filter })).body.items, []);
  }
  const entry = await refusalOf(client, "get_state", { room: "r", scope: LONE, key: "k" });
  assert.match(entry, /key_not_found/);
  assert.match(
    await refusalOf(client, "post_message", { room: "r", from: LONE, body: 1 }),
    /from: must be well-formed/,
  );
  for (const reservation of [".", "..", "", LONE, "a\nb"]) {
    const end = { room: "r", action: "end", agent: "ann", reservation };
    assert.match(await refusalOf(client, "reserve_paths", end), /reservation_not_found/);
  }
  assert.equal((await call("post_message", { room: "r", from: "ann", body: "\ud800" })).failed, false);
});

Deno.test("MCP: what to do when the database is away names the argument, and no header", () => {
  const refusal = {
    error: "unavailable",
    message: "The database did not answer. The change may or may not have been made.",
    hint: "Send it again with the same Idempotency-Key: it is done once.",
    docs: "/docs/errors#unavailable",
  };
  const { message, hint, ...rest } = JSON.parse(inWordsOfTools(JSON.stringify(refusal)));
  assert.deepEqual([message, rest], [refusal.message, { error: "unavailable" }]);
  assert.equal(hint, "Send it again with the same idempotency_key: it is done once.");
});

Deno.test("MCP: an address of a resource that is none, or of nothing, gets the right error", () =>
  withClient(async (connect, { url }) => {
    const { call } = await connect();
    await call("join", { room: "a b/c", agent: "ann" });
    const read = async (uri: string) => {
      const response = await fetch(`${url}/mcp`, {
        method: "POST",
        headers: HEADERS,
        body: message("resources/read", { uri }),
      });
      return JSON.parse(/data: (.*)/.exec(await response.text())![1]!);
    };
    const { result } = await read("convene://rooms/a%20b%2Fc");
    assert.ok(JSON.parse(unframed(result.contents[0].text)).agents.ann);
    const wrong: [uri: string, codes: number[], told: RegExp][] = [
      ["convene://rooms/%E0%A4%A", [-32602], /is no address/],
      ["convene://rooms/%", [-32602], /is no address/],
      ["no address", [-32602], /no address/],
      ["", [-32602], /invalid/],
      ["convene://rooms/nowhere", [-32602, -32002], /no room with this id/],
      ["convene://rooms/%2E%2E", [-32602, -32002], /./],
      ["convene://rooms/..", [-32602, -32002], /./],
      [`convene://rooms/${LONE}`, [-32602, -32002], /no room with this id/],
      ["convene://elsewhere", [-32602, -32002], /not found/],
    ];
    for (const [uri, codes, told] of wrong) {
      const { error } = await read(uri);
      assert.ok(codes.includes(error?.code), `${uri}: ${JSON.stringify(error)}`);
      assert.match(error.message, told, uri);
    }
  }));

Deno.test("MCP: a tool that there is not is told the near one, or all there are", () =>
  withClient(async (connect, { url }) => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => `\`${name}\``).join(", ");
    const meant: [name: string, told: string][] = [
      ["nope", `There is no tool \`nope\`. The tools are ${names}.`],
      ["take_tasks", "There is no tool `take_tasks`. Did you mean `take_task`?"],
      ["complete-task", "There is no tool `complete-task`. Did you mean `finish_task`?"],
      ["send_message", "There is no tool `send_message`. Did you mean `post_message`?"],
      ["status", `There is no tool \`status\`. The tools are ${names}.`],
      ['a"\n$&', `There is no tool \`a"\n$&\`. The tools are ${names}.`],
      ["constructor", `There is no tool \`constructor\`. The tools are ${names}.`],
    ];
    for (const [name, told] of meant) {
      await assert.rejects(client.callTool({ name, arguments: {} }), (error: Error & { code: number }) => {
        assert.deepEqual([error.code, error.message.endsWith(told)], [-32602, true], error.message);
        return true;
      });
      const body = message("tools/call", { name, arguments: {} });
      const response = await fetch(`${url}/mcp`, { method: "POST", headers: HEADERS, body });
      const { error } = JSON.parse(/data: (.*)/.exec(await response.text())![1]!);
      assert.deepEqual(error, { code: -32602, message: told });
    }
  }));

Deno.test("MCP: a trailing slash does not count", () =>
  withClient(async (_, { url }) => {
    const answers = await Promise.all(["/mcp", "/mcp/"].map(async (path) => {
      const call = async (method: string, body?: string) => {
        const response = await fetch(url + path, { method, headers: HEADERS, body });
        await response.body?.cancel();
        return [response.status, response.headers.get("Allow")];
      };
      return [await call("GET"), await call("POST", message("tools/list", {})), await call("DELETE")];
    }));
    assert.deepEqual(answers[0], [[405, "POST, OPTIONS"], [200, null], [405, "POST, OPTIONS"]]);
    assert.deepEqual(answers[1], answers[0]);
  }));
