import assert from "node:assert/strict";
import { connect, ConveneError, type Room } from "../../client/mod.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

const busy = (status: number, seconds: string) => ({
  status,
  headers: { "Retry-After": seconds },
  body: JSON.stringify({ error: "unavailable", message: "Later." }),
});

Deno.test("a write that was put off is sent again with the same key, and later than it was told", async () => {
  await withGateway(async ({ gateway, room }) => {
    gateway.treatments.push(busy(503, "0"), busy(429, "1"));
    const start = performance.now();
    assert.equal((await room.state.increment("n")).value, 1);
    assert.ok(performance.now() - start >= 1_000);
    const keys = gateway.requests.map(({ key }) => key);
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0]!, /^[0-9a-f]{32}$/);
    gateway.requests.length = 0;
    await room.state.increment("n");
    assert.notEqual(
      gateway.requests[0]!.key,
      keys[0],
      "another write has another key",
    );
  });
});

Deno.test("a write whose answer was cut off counts once", async () => {
  await withGateway(async ({ gateway, room }) => {
    gateway.treatments.push("cut", "cut");
    assert.equal((await room.state.increment("n")).value, 1);
    gateway.treatments.push("cut");
    const { id } = await room.messages.post("once");
    assert.equal((await room.state.get("n"))!.value, 1);
    assert.deepEqual((await room.messages.list()).map((message) => message.id), [id]);
  });
});

Deno.test("a write whose answer was cut off is sent again under its key", async () => {
  await withGateway(async ({ gateway, room }) => {
    gateway.treatments.push("cut");
    await room.state.put("n", 1);
    const [first, second] = gateway.requests;
    assert.deepEqual(second, first);
    assert.equal(gateway.requests.length, 2);
  });
});

Deno.test("reads, waits and eval carry no key", async () => {
  await withGateway(async ({ gateway, room }) => {
    await room.state.list();
    await room.eval("1");
    await room.until("true");
    assert.deepEqual(gateway.requests.map(({ key }) => key), [
      undefined,
      undefined,
      undefined,
    ]);
  });
});

Deno.test("a refusal is not sent again", async () => {
  await withGateway(async ({ gateway, room }) => {
    await assert.rejects(room.state.increment("n", 1, { if: "false" }), {
      code: "precondition_failed",
    });
    assert.equal(gateway.requests.length, 1);
  });
});

Deno.test("whoever is not there is given up after a while", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close(); // now nobody listens at its port
  const room = connect(`http://127.0.0.1:${listener.addr.port}`, {
    patience: 500,
  }).room("r");
  for (
    const call of [
      () => room.state.list(),
      () => room.until("true"),
      () => room.follow().next(),
    ]
  ) {
    const error = await call().then(() => undefined, (error) => error);
    assert.ok(error instanceof ConveneError);
    assert.deepEqual([error.code, error.status, error.passing], [
      "no_answer",
      0,
      true,
    ]);
    assert.match(error.message, /refused/i);
  }
});

Deno.test("an answer of somebody else is told from one of the service", async () => {
  await withGateway(async ({ gateway, room }) => {
    gateway.treatments.push(
      { status: 200, body: "<h1>Hello</h1>" },
      { status: 404, body: "Nothing" },
    );
    for (let n = 0; n < 2; n++) {
      await assert.rejects(room.info(), { code: "bad_answer" });
    }
  });
});

Deno.test("nothing follows a redirect, behind which a write would be a read, and nobody's", async () => {
  const asked: string[] = [];
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    asked.push(url);
    return Response.json([]);
  });
  const elsewhere = `http://127.0.0.1:${other.addr.port}`;
  for (const status of [301, 302, 303, 307, 308]) {
    await using moved = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      return new Response(null, { status, headers: { Location: elsewhere + new URL(url).pathname } });
    });
    const room = connect(`http://127.0.0.1:${moved.addr.port}`).room("r");
    for (const call of [() => room.messages.post("hi"), () => room.info(), () => room.follow().next()]) {
      await assert.rejects(async () => await call(), (error: ConveneError) => {
        assert.deepEqual([error.code, error.status, error.passing], ["bad_answer", status, false]);
        assert.match(`${error.message} ${error.hint}`, new RegExp(`leads to ${elsewhere}/rooms/r`));
        return true;
      });
    }
  }
  assert.deepEqual(asked, []);
});

Deno.test("a wait and those who follow outlive a restart of the service", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  const database = `file:${directory}/convene.db`;
  let service = await startService({ database });
  await using gateway = await startGateway(service.url);
  try {
    const room = await connect(gateway.url, { patience: 1_000 }).open("r", {
      agent: "ada",
    });
    await room.join();
    const waiting = room.until("state._shared.go");
    const messages = room.messages.follow();
    const changes = room.follow({ after: 0 });
    const first = messages.next();
    await room.messages.post("one");
    assert.equal((await first).value?.body, "one");
    await changes.next();
    const [second, changed] = [messages.next(), changedState(changes)];
    await room.as("eve").until('agents.ada.status == "waiting"', {
      agent: undefined,
    });

    gateway.target = undefined;
    await service.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than the patience of a request
    service = await startService({ database });
    gateway.target = service.url;
    await room.messages.post("two");
    await room.state.put("go", "now");
    assert.equal((await waiting).value, "now");
    assert.equal((await second).value?.body, "two");
    assert.deepEqual(await changed, ["go"]);
    await messages.return();
    await changes.return();
  } finally {
    await service.stop();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("messages that are followed outlive an outage between their list and their stream", async () => {
  await withGateway(async ({ gateway, service }) => {
    const patience = 200;
    const room = connect(gateway.url, { patience }).room("r");
    await room.messages.post("one");
    const messages = room.messages.follow();
    assert.equal((await messages.next()).value?.body, "one");
    gateway.target = undefined;
    const second = messages.next();
    await new Promise((resolve) => setTimeout(resolve, 2 * patience));
    gateway.target = service.url;
    await room.messages.post("two");
    assert.equal((await second).value?.body, "two");
    await messages.return();
  });
});

Deno.test("the signal ends a pause between two attempts, a wait and a stream", async () => {
  await withGateway(async ({ gateway, room }) => {
    const reason = new Error("enough");
    for (const treatment of [busy(503, "5"), "pass"] as const) {
      const leave = new AbortController();
      gateway.treatments = [treatment];
      gateway.requests.length = 0;
      const waiting = room.until("false", { signal: leave.signal });
      await until(() => gateway.requests.length, (count) => count > 0);
      leave.abort(reason);
      await assert.rejects(waiting, reason);
    }
    const leave = new AbortController();
    const next = room.follow({ after: 0, signal: leave.signal }).next();
    leave.abort(reason);
    assert.deepEqual(await next, { done: true, value: undefined });
  });
});

/** The keys of the next change set that has state. */
async function changedState(
  changes: ReturnType<Room["follow"]>,
): Promise<string[]> {
  for (;;) {
    const { value } = await changes.next();
    if (!value) return [];
    if (value.state.length > 0) return value.state.map(({ key }) => key);
  }
}

async function withGateway(
  test: (
    t: { gateway: Gateway; room: Room; service: Service },
  ) => Promise<void>,
): Promise<void> {
  const service = await startService();
  try {
    await using gateway = await startGateway(service.url);
    const room = await connect(gateway.url).open("r");
    gateway.requests.length = 0;
    await test({ gateway, room, service });
  } finally {
    await service.stop();
  }
}
