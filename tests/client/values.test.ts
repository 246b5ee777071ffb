import assert from "node:assert/strict";
import { connect, ConveneError, type Room } from "../../client/mod.ts";
import { startHereAlone } from "../support/here.ts";

Deno.test("what JSON has no word for is refused before it is sent", async () => {
  const sent: string[] = [];
  const room = connect("http://127.0.0.1:1", {
    patience: 0,
    fetch: (input) => {
      sent.push(String(input));
      return Promise.reject(new Error("nothing may be sent"));
    },
  }).room("r");
  // deno-lint-ignore no-explicit-any -- what a caller without types may send
  const odd: any[] = [NaN, Infinity, -Infinity, 1n, { a: [NaN] }, [undefined], () => 1, { a: Symbol("x") }];
  for (const value of odd) {
    await assert.rejects(room.state.put("k", value), TypeError);
    await assert.rejects(room.messages.post(value), TypeError);
    await assert.rejects(room.state.batch([{ key: "k", value }]), TypeError);
    await assert.rejects(room.join({ name: "x", meta: { value } }), TypeError);
  }
  const lost = [new Map([[1, 2]]), new Set([1]), Promise.resolve(1), /a/, new Error("a"), new ArrayBuffer(1)];
  // deno-lint-ignore no-explicit-any -- as above
  for (const value of lost as any[]) {
    await assert.rejects(room.state.put("k", value), { message: /^"value": a \w+ is no JSON/ });
    await assert.rejects(room.messages.post({ a: [value] }), TypeError);
  }
  await assert.rejects(room.state.increment("k", NaN), { message: /"increment": NaN is no JSON/ });
  await assert.rejects(room.until("true", { timeout: NaN }), TypeError);
  await assert.rejects(room.state.get(""), { name: "TypeError", message: /key must not be empty/ });
  await assert.rejects(room.messages.list({ kind: "" }), TypeError);
  assert.deepEqual(sent, []);
});

Deno.test("a text in the place of options is refused before anything is sent: it would name no agent", async () => {
  const service = connect("http://127.0.0.1:9", { fetch: () => Promise.reject(new Error("sent")) });
  const room = service.room("r", { agent: "ann" });
  const text = "bob" as unknown as object;
  const calls: [how: string, call: () => unknown][] = [
    ["room(id, { agent })", () => service.room("r", text)],
    ["open(id, { agent })", () => service.open("r", text)],
    ["join({ id, name })", () => room.join(text)],
    ["leave({ agent })", () => room.leave(text)],
    ["list({ kind })", () => room.messages.list(text)],
    ["list({ scope })", () => room.state.list(text)],
    ["get(key, { scope })", () => room.state.get("k", text)],
  ];
  for (const [how, call] of calls) {
    await assert.rejects(async () => await call(), new TypeError(`"bob" is no object of options: ${how}.`));
  }
});

Deno.test("an address or headers with which no request can be sent fail at once", () => {
  const odd = [
    "localhost:8000",
    "localhost",
    "127.0.0.1:8000",
    "example.com/convene",
    "//example.com",
    "/convene",
  ];
  for (const url of [...odd, "", "ws://localhost", "file:///tmp/x", "http://"]) {
    assert.throws(
      () => connect(url),
      { name: "TypeError", message: /begins with http:\/\/ or https:\/\// },
      url,
    );
  }
  for (const url of ["http://localhost:8000/?room=r", "http://localhost:8000/#room"]) {
    assert.throws(() => connect(url), { name: "TypeError", message: /added at its end/ }, url);
  }
  for (const [name, value] of [["X Y", "a"], ["Authorization", "a\nb"], ["Authorization", "€"]] as const) {
    assert.throws(() => connect("http://localhost", { headers: { [name]: value } }), TypeError);
  }
  for (const url of ["http://localhost:8000", "http://localhost:8000//", " HTTP://LOCALHOST:8000/ "]) {
    assert.equal(connect(url).connection.url, "http://localhost:8000");
  }
  assert.equal(connect("https://example.com/convene/").connection.url, "https://example.com/convene");
});

Deno.test("if_new, created and the other names of from and to", async () => {
  await withRoom(async (room) => {
    assert.equal((await room.join({ id: "ada", if_new: true })).created, true);
    assert.equal((await room.join({ id: "ada" })).created, false);
    const taken = (error: unknown) => error instanceof ConveneError && error.code === "agent_exists";
    await assert.rejects(room.join({ id: "ada", if_new: true }), taken);
    const read = await room.messages.post("x", { from: "bob", to: "cyd" });
    const { from_agent, to_agent } = read;
    const again = await room.messages.post(read.body, { from_agent, to_agent });
    assert.deepEqual([again.from_agent, again.to_agent], ["bob", "cyd"]);
    assert.equal((await room.messages.post("x")).from_agent, "ada");
  });
});

async function withRoom(test: (room: Room) => Promise<void>): Promise<void> {
  const service = await startHereAlone();
  try {
    await test(await connect(service.url).open("r", { agent: "ada" }));
  } finally {
    await service.stop();
  }
}
