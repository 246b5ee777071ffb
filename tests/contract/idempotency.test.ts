import assert from "node:assert/strict";
import { contract, Subject } from "../support/backends.ts";
import { startCluster } from "../support/cluster.ts";
import type { Json, Reply } from "../support/client.ts";
import { assertError, assertInvalid, assertStatus } from "../support/shapes.ts";

type Request = [method: string, path: string, body?: unknown];

function keyed(t: Subject, key: string, [method, path, body]: Request): Promise<Reply> {
  return t.request(method, path, { body, headers: { "Idempotency-Key": key } });
}

function assertReplay(replay: Reply, first: Reply): void {
  assert.equal(first.headers.get("idempotency-replayed"), null);
  assert.equal(replay.headers.get("idempotency-replayed"), "true", replay.text);
  assert.deepEqual([replay.status, replay.text, replay.revision], [first.status, first.text, first.revision]);
}

/** Sends a request twice under one key, with something between; the second must be the first, and change nothing. */
async function twice(
  t: Subject,
  request: Request,
  status: number,
  between: (first: Reply) => Promise<unknown> = () => Promise.resolve(),
): Promise<Reply> {
  const key = crypto.randomUUID();
  const room = request[1].split("/")[2];
  const first = await keyed(t, key, request);
  assertStatus(first, status);
  await between(first);
  const before = room && await t.revision(room);
  assertReplay(await keyed(t, key, request), first);
  assertReplay(await keyed(t, key, request), first);
  if (room) assert.equal(await t.revision(room), before);
  return first;
}

contract("a message is posted once under its key, and replays as it was posted", async (t) => {
  const room = await t.room();
  const body = { b: 1, a: ["ü", 2, null, 0.1] };
  const first = await twice(
    t,
    ["POST", `/rooms/${room}/messages`, { from: "ann", body }],
    201,
    ({ body: { id } }) => t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "bob" }),
  );
  await twice(t, ["POST", `/rooms/${room}/messages`, { body: 1, reply_to: first.body.id }], 201);
  assert.equal((await t.get(`/rooms/${room}/messages`)).body.length, 2);
});

contract("values, increments and batches are written once", async (t) => {
  const room = await t.room();
  const put = (body: unknown, between?: () => Promise<unknown>) =>
    twice(t, ["PUT", `/rooms/${room}/state`, body], 200, between);
  await put({ key: "v", value: { z: 1, a: [1.5, "5"] }, agent: "ann" }, () => t.write(room, "v", 2));
  assert.equal((await t.entry(room, "v")).value, 2);
  await put({ key: "n", increment: 5 }, () => t.write(room, "n", 1, { increment: true }));
  assert.equal((await t.entry(room, "n")).value, 6);
  await put({ key: "f", increment: 0.1 });
  const sum = await put({ key: "f", increment: 0.2 }, () => t.write(room, "f", 9));
  assert.equal(sum.body.value, 0.1 + 0.2);
  await put({ key: "cas", value: 1, if_version: 0 }, () => t.delete(`/rooms/${room}/state`, { key: "cas" }));
  assert.equal(await t.entry(room, "cas"), undefined);

  const writes = [
    { key: "n", increment: 1 },
    { key: "n", increment: 1 },
    { key: "f", increment: 0.5 },
    {
      scope: "_view",
      key: "double",
      expr: "state._shared.n * 2",
    },
    { key: "n", value: "text" },
    { key: "n", value: 40 },
    { key: "n", increment: 2 },
  ];
  const batch = await twice(
    t,
    ["PUT", `/rooms/${room}/state/batch`, { writes }],
    200,
    () => t.write(room, "n", 0),
  );
  assert.deepEqual(batch.body.state.map(({ value }: { value: unknown }) => value), [
    7,
    8,
    9.5,
    84,
    "text",
    40,
    42,
  ]);
});

/** As many writes as a batch has: edits of large values, several of one key, and what is no edit among them. */
const FULL = [
  ...Array.from({ length: 8 }, (_, n) => ({ key: "list", append: { n, text: '"\\ü\u0000' } })),
  ...Array.from({ length: 6 }, (_, n) => ({ key: `large ${n % 3}`, set: { "/n": n } })),
  { key: "n", increment: 0.5 },
  { scope: "_view", key: "double", expr: "state._shared.n * 2.0" },
  { key: "large 0", merge: { n: null } },
  { key: "list", unset: ["/0"] },
  { key: "n", value: "text" },
  { key: "large 1", set: { "/n": 14 } },
];

contract("a full batch of edits is made once, as a whole, and replays each value that it left", async (t) => {
  const room = await t.room();
  const large = '"\\'.repeat(15_000);
  for (const n of [0, 1, 2]) await t.write(room, `large ${n}`, { large });
  await t.write(room, "n", 1);
  const request: Request = ["PUT", `/rooms/${room}/state/batch`, { writes: FULL }];
  const { body: { count, state } } = await twice(t, request, 200, () => t.write(room, "n", 0));
  assert.equal(count, 20);
  // Briefly, for where they differ.
  const left = state.map(({ value }: Json) =>
    Array.isArray(value) ? value.length : value?.large === large ? { ...value, large: "all" } : value
  );
  assert.deepEqual(left, [
    ...Array.from({ length: 8 }, (_, n) => n + 1),
    ...Array.from({ length: 6 }, (_, n) => ({ large: "all", n })),
    ...[1.5, null, { large: "all" }, 7, "text", { large: "all", n: 14 }],
  ]);
  const before = await t.get(`/rooms/${room}/state`);
  // The last one of another is refused: none is made, and the key is free.
  const other: Request = ["PUT", request[1], {
    writes: [...FULL.slice(0, 14), { key: "text", append: 1 }],
  }];
  await t.write(room, "text", "none");
  const refused = await keyed(t, "another", other);
  assertError(refused, 409, "not_editable", ["current", "path", "index"]);
  const after = await t.get(`/rooms/${room}/state`);
  assert.ok(JSON.stringify(after.body.filter(({ key }: Json) => key !== "text")) === before.text);
  await t.write(room, "text", []);
  assertStatus(await keyed(t, "another", other), 200);
  assertError(await keyed(t, "another", request), 422, "idempotency_mismatch");
});

contract("a view replays the value that it had", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 1);
  for (const expr of ["state._shared.n + 1", "state._shared.missing", '{"b": now, "a": state._shared.n}']) {
    await twice(
      t,
      ["PUT", `/rooms/${room}/state`, { scope: "_view", key: "v", expr }],
      200,
      () => t.write(room, "n", Math.random()),
    );
  }
});

contract("a gated write replays when its gate does not hold any more", async (t) => {
  const room = await t.room();
  await t.write(room, "turn", 1);
  const gate = "state._shared.turn == 1";
  await twice(t, ["PUT", `/rooms/${room}/state`, { key: "turn", value: 2, if: gate }], 200);
  const [key, request] = ["mine", ["PUT", `/rooms/${room}/state`, {
    key: "turn",
    value: 3,
    if: gate,
  }]] as const;
  assertError(await keyed(t, key, [...request]), 409, "precondition_failed", ["expression", "evaluated"]);
  await t.write(room, "turn", 1);
  assertStatus(await keyed(t, key, [...request]), 200);
  const other: Request = ["PUT", `/rooms/${room}/state`, { key: "turn", value: 4, if: gate }];
  assertError(await keyed(t, key, other), 422, "idempotency_mismatch");
  await twice(t, ["DELETE", `/rooms/${room}/state`, { key: "turn", if: "has(state._shared.turn)" }], 200);
});

contract("deletes replay, also those that found nothing", async (t) => {
  const room = await t.room();
  const request: Request = ["DELETE", `/rooms/${room}/state`, { key: "k" }];
  const nothing = await twice(t, request, 200, () => t.write(room, "k", 1));
  assert.deepEqual(nothing.body, { deleted: false });
  assert.equal((await t.entry(room, "k")).value, 1);
  await twice(t, request, 200, () => t.write(room, "k", 2));
  assert.equal((await t.entry(room, "k")).value, 2);
  assertError(
    await keyed(t, "x", ["DELETE", request[1], { key: "k", if_version: 9 }]),
    409,
    "version_conflict",
    [
      "current",
    ],
  );
});

contract("registrations, heartbeats and claims replay", async (t) => {
  const room = await t.room();
  const register = (body: unknown, status: number) =>
    twice(
      t,
      ["POST", `/rooms/${room}/agents`, body],
      status,
      ({ body: { id } }) => t.post(`/rooms/${room}/agents`, { id, name: "Other", meta: { other: true } }),
    );
  await register({ name: "Nameless", meta: { b: 1, a: 2 } }, 201);
  await register({ id: "ann", name: "Ann" }, 201);
  await register({ id: "ann", name: "Anna", role: "x" }, 200);
  assert.equal((await t.get(`/rooms/${room}/agents`)).body.length, 2);

  const beat: Request = ["POST", `/rooms/${room}/agents/ann/heartbeat`, { status: "busy" }];
  await twice(t, beat, 200, () => t.post(beat[1], { status: "idle" }));
  await twice(t, beat, 200);
  await twice(t, beat, 200, () => t.post(beat[1], { status: "idle" }));
  assert.equal((await t.get(`/rooms/${room}/agents/ann`)).body.status, "idle");

  const { id } = await t.message(room);
  const claim: Request = ["POST", `/rooms/${room}/messages/${id}/claim`, { agent: "ann" }];
  await twice(t, claim, 200);
  await twice(t, claim, 200);
});

contract("a room is created once, with an id and without", async (t) => {
  const id = crypto.randomUUID();
  await twice(t, ["POST", "/rooms", { id, meta: { b: 1, a: 2 } }], 201, () => t.write(id, "k", 1));
  await twice(t, ["POST", "/rooms", { id }], 200, () => t.write(id, "k", 2));
  const first = await twice(t, ["POST", "/rooms", {}], 201);
  const key = crypto.randomUUID();
  const one = await keyed(t, key, ["POST", "/rooms"]);
  assertReplay(await keyed(t, key, ["POST", "/rooms"]), one);
  assert.notEqual(one.body.id, first.body.id);
  assertError(await keyed(t, key, ["POST", "/rooms", { meta: {} }]), 422, "idempotency_mismatch");
});

contract("the key of a room without an id has 20 characters at the least, and counts alone", async (t) => {
  const short = await keyed(t, "x".repeat(19), ["POST", "/rooms", {}]);
  assertInvalid(short, ["Idempotency-Key"]);
  assert.match(short.body.hint, /UUID/);
  assertInvalid(await keyed(t, `"${"x".repeat(19)}"`, ["POST", "/rooms", { id: null }]), ["Idempotency-Key"]);
  assertStatus(await keyed(t, "short", ["POST", "/rooms", { id: crypto.randomUUID() }]), 201);
  const key = crypto.randomUUID().slice(0, 20);
  const first = await keyed(t, key, ["POST", "/rooms", {}]);
  assertStatus(first, 201);
  // The same caller's repetition comes by another way, as proxies say.
  for (const address of ["192.0.2.1", "2001:db8::1, 192.0.2.2"]) {
    const headers = { "Idempotency-Key": key, "X-Forwarded-For": address };
    assertReplay(await t.request("POST", "/rooms", { body: {}, headers }), first);
  }
  assertError(await keyed(t, key, ["POST", "/rooms", { meta: {} }]), 422, "idempotency_mismatch");
});

contract("a key belongs to one method, path and body, in one room", async (t) => {
  const [room, other] = [await t.room(), await t.room()];
  const key = crypto.randomUUID();
  assertStatus(await keyed(t, key, ["PUT", `/rooms/${room}/state`, { key: "k", value: 1 }]), 200);
  const before = await t.revision(room);
  for (
    const request of [
      ["PUT", `/rooms/${room}/state`, { key: "k", value: 2 }],
      ["DELETE", `/rooms/${room}/state`, { key: "k" }],
      ["POST", `/rooms/${room}/messages`, { body: 1 }],
      ["POST", "/rooms", { id: room }],
    ] as Request[]
  ) {
    const reply = await keyed(t, key, request);
    assertError(reply, 422, "idempotency_mismatch");
    assert.equal(typeof reply.body.hint, "string");
  }
  assert.equal(await t.revision(room), before);
  assertStatus(await keyed(t, key, ["PUT", `/rooms/${other}/state`, { key: "k", value: 2 }]), 200);
});

contract("a refused request leaves its key free", async (t) => {
  const room = await t.room();
  const cas: Request = ["PUT", `/rooms/${room}/state`, { key: "k", value: 1, if_version: 1 }];
  assertError(await keyed(t, "k", cas), 409, "version_conflict", ["current"]);
  await t.write(room, "k", 0);
  assertStatus(await keyed(t, "k", cas), 200);
  const text: Request = ["PUT", `/rooms/${room}/state`, { key: "t", increment: 0.5 }];
  await t.write(room, "t", "text");
  assertError(await keyed(t, "t", text), 409, "not_a_number", ["current"]);
  assertError(
    await keyed(t, "t", ["POST", `/rooms/${room}/messages`, { body: 1, reply_to: 99 }]),
    404,
    "message_not_found",
  );
  assertError(
    await keyed(t, "t", ["POST", `/rooms/${room}/agents/nobody/heartbeat`]),
    404,
    "agent_not_found",
  );
  assertError(
    await keyed(t, "t", ["POST", `/rooms/none-${room}/messages`, { body: 1 }]),
    404,
    "room_not_found",
  );
  const { id } = await t.message(room);
  await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "ann" });
  const claim: Request = ["POST", `/rooms/${room}/messages/${id}/claim`, { agent: "bob" }];
  const refused = ["claimed", "claimed_by", "claimed_at", "claimed_until"];
  assertError(await keyed(t, "t", claim), 409, "already_claimed", refused);
  await t.write(room, "t", 1);
  assertStatus(await keyed(t, "t", text), 200);
});

contract("keys are 1 to 255 printable ASCII characters, plain or quoted", async (t) => {
  const room = await t.room();
  const request: Request = ["PUT", `/rooms/${room}/state`, { key: "n", increment: true }];
  for (const key of ["", "x".repeat(256), "tab\tin", "ü", '""', '"open', '"a"b"']) {
    const reply = await keyed(t, key, request);
    assertInvalid(reply, ["Idempotency-Key"]);
    assert.equal(typeof reply.body.hint, "string");
  }
  for (const key of ["x", "x".repeat(255), "~!{}[]", 'a "b"']) {
    assertStatus(await keyed(t, key, request), 200);
  }
  assert.equal((await keyed(t, '"x"', request)).body.value, 1);
  assert.equal((await keyed(t, String.raw`"a \"b\""`, request)).body.value, 4);
  assert.equal((await t.entry(room, "n")).value, 4);
});

contract(
  "what writes nothing takes a key without effect; browsers may send and read the headers",
  async (t) => {
    const room = await t.room();
    for (let n = 0; n < 2; n++) {
      for (const [path, body] of [["eval", { expr: "1" }], ["wait", { condition: "true" }]] as const) {
        const reply = await keyed(t, "k", ["POST", `/rooms/${room}/${path}`, body]);
        assertStatus(reply, 200);
        assert.equal(reply.headers.get("idempotency-replayed"), null);
        // Without credentials this means every header.
        assert.match(reply.headers.get("access-control-expose-headers")!, /^\*,/);
      }
    }
    const preflight = await t.request("OPTIONS", `/rooms/${room}/state`, {
      headers: {
        Origin: "http://localhost:3000",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "idempotency-key",
      },
    });
    assert.match(preflight.headers.get("access-control-allow-headers")!, /idempotency-key/i);
  },
);

Deno.test("two instances: of 32 requests at once under one key one is made, and all get its answer", async () => {
  const cluster = await startCluster(2);
  try {
    const [a, b] = cluster.services.map((service) => new Subject(service.url)) as [Subject, Subject];
    const room = await a.room();
    const gate = "!has(state._shared.lock)";
    const requests: Request[] = [
      ["POST", `/rooms/${room}/messages`, { body: "once" }],
      ["PUT", `/rooms/${room}/state`, { key: "n", increment: 1 }],
      ["PUT", `/rooms/${room}/state`, { key: "f", increment: 0.5 }],
      ["PUT", `/rooms/${room}/state`, { key: "lock", value: 1, if: gate }],
      ["PUT", `/rooms/${room}/state`, { scope: "_view", key: "v", expr: "now" }],
      ["POST", `/rooms/${room}/agents`, { name: "Nameless" }],
      ["POST", "/rooms", {}],
      ["PUT", `/rooms/${room}/state/batch`, { writes: [1, 2].map((n) => ({ key: "list", append: n })) }],
      ["DELETE", `/rooms/${room}/state`, { key: "n" }],
    ];
    for (const request of requests) {
      const key = crypto.randomUUID();
      const before = await a.revision(room);
      const replies = await Promise.all(
        Array.from({ length: 32 }, (_, n) => keyed(n % 2 ? a : b, key, request)),
      );
      const name = JSON.stringify(request);
      assert.deepEqual(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1, name);
      assert.ok(replies[0]!.status < 300, replies[0]!.text);
      assert.equal(replies.filter(({ headers }) => !headers.has("idempotency-replayed")).length, 1, name);
      assert.equal(await b.revision(room), before + (request[1] === "/rooms" ? 0 : 1), name);
    }
  } finally {
    await cluster.stop();
  }
});
