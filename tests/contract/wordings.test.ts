import assert from "node:assert/strict";
import { contract } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid } from "../support/shapes.ts";

contract("what is wrong with a member is said in plain words, what is missing by its name", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const wrong: [method: string, path: string, body: Json, told: string][] = [
    ["POST", `${path}/agents`, {}, "`name` is missing."],
    ["POST", `${path}/agents`, { name: 5 }, "name: must be a text"],
    ["POST", `${path}/agents`, { name: "a", meta: "x" }, "meta: must be a JSON object"],
    ["POST", `${path}/messages`, { from: "a" }, "`body` is missing."],
    ["POST", `${path}/messages`, { body: 1, from: {} }, "from: must be a text"],
    [
      "POST",
      `${path}/messages`,
      { body: 1, reply_to: "4" },
      "reply_to: must be a message's id, a whole number from 1 on",
    ],
    ["POST", `${path}/messages`, { body: 1, reply_to: 0 }, "reply_to: must be a message's id"],
    ["POST", `${path}/messages/1/claim`, {}, "`agent` is missing."],
    ["POST", `${path}/messages/1/claim`, { agent: null }, "agent: must be a text"],
    ["POST", `${path}/agents/ann/heartbeat`, { status: "away" }, 'status: must be one of "active", "idle"'],
    ["POST", `${path}/messages/claim`, { agent: "a", ttl: 0 }, "ttl: must be whole seconds, from 1 to 86400"],
    [
      "PUT",
      `${path}/state`,
      { key: "k", value: 1, ttl: 1e9 },
      "ttl: must be whole seconds, from 1 to 2592000",
    ],
    ["PUT", `${path}/state`, { value: 1 }, "`key` is missing."],
    ["PUT", `${path}/state`, { key: "k" }, "`value` is missing."],
    [
      "PUT",
      `${path}/state`,
      { key: "k", value: 1, if_version: -1 },
      "if_version: must be a whole number, 0 or more",
    ],
    ["PUT", `${path}/state/batch`, {}, "`writes` is missing."],
    ["PUT", `${path}/state/batch`, { writes: 5 }, "writes: must be an array"],
    ["PUT", `${path}/state/batch`, { writes: '[{"key":"k"}]' }, "writes: must be an array, not text"],
    ["POST", `${path}/messages`, '{"body":1}', "The body: must be a JSON object, not text"],
    ["PUT", `${path}/state/batch`, { writes: [{ value: 1 }] }, "`writes.0.key` is missing."],
    ["PUT", `${path}/state/batch`, { writes: [{ key: "k" }] }, "`writes.0.value` is missing."],
    ["PUT", `${path}/state/batch`, { writes: ["k"] }, "writes.0: must be a JSON object"],
    ["DELETE", `${path}/state`, {}, "`key` is missing."],
    ["POST", `${path}/eval`, {}, "`expr` is missing."],
    ["POST", `${path}/wait`, {}, "`condition` is missing."],
    ["POST", `${path}/wait`, { condition: true }, "condition: must be a CEL expression, as text"],
    [
      "POST",
      `${path}/wait`,
      { condition: "true", timeout: "200" },
      "timeout: must be milliseconds, a whole number from 0 on",
    ],
    ["POST", `${path}/wait`, { condition: "true", timeout: 0.5 }, "timeout: must be milliseconds"],
    ["POST", `${path}/wait`, { condition: "true", timeout: 1e300 }, "timeout: must be milliseconds"],
    ["POST", `${path}/wait`, [], "The body: must be a JSON object"],
    ["POST", "/rooms", 5, "The body: must be a JSON object"],
  ];
  for (const [method, path, body, told] of wrong) {
    const reply = await t.request(method, path, { body });
    assertInvalid(reply);
    assert.ok(reply.body.message.startsWith(told), `${told} is not ${reply.text}`);
    assert.doesNotMatch(reply.text, /Invalid|expected|received|undefined/, reply.text);
  }
});

contract("the hint of a missing member says what it is", async (t) => {
  const room = await t.room();
  await t.post(`/rooms/${room}/messages`, { from: "ann", body: 1 });
  const path = `/rooms/${room}/messages/1/renew`;
  const { body } = await t.post(path, { agent: "bob", ttl: 60 });
  assert.equal(body.hint, "`fence`: The `fence` that the answer to the claim shows.");
  const { body: invitation } = await t.post(`/rooms/${room}/invites`, { uses: 1 });
  assert.equal(invitation.message, "`role` is missing.");
  assert.equal(invitation.hint, '`role`: one of "admin", "member", "reader".');
});

contract("a value of another type is told how to write it", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const told: [method: string, path: string, body: Json, hint: string][] = [
    ["PUT", `${path}/state`, { key: "k", value: 1, if_version: "1" }, "Write it without quotes: 1."],
    ["PUT", `${path}/state`, { key: "k", value: 1, ttl: "60" }, "Write it without quotes: 60."],
    ["PUT", `${path}/state`, { key: "k", increment: "true" }, "Write it without quotes: true."],
    ["POST", `${path}/wait`, { condition: "true", timeout: "5" }, "Write it without quotes: 5."],
    ["POST", "/rooms", { locked: "true" }, "Write it without quotes: true."],
    ["POST", `${path}/messages`, { body: 1, reply_to: "7" }, "Write it without quotes: 7."],
    ["POST", `${path}/messages`, { body: 1, needs: ["7"] }, "Write it without quotes: 7."],
    ["POST", `${path}/messages`, { body: 1, needs: 7 }, "Send a list: [7]."],
    ["POST", `${path}/agents`, { id: 7, name: "a" }, 'Write it in quotes: "7".'],
    ["POST", `${path}/reservations`, { agent: "a", paths: "src/**" }, 'Send a list: ["src/**"].'],
    ["PUT", `${path}/state/batch`, { writes: { key: "k", value: 1 } }, "Send a list of objects: [{...}]."],
    ["PUT", `${path}/state/batch`, [{ key: "k", value: 1 }], 'Send the list as a member: {"writes":[...]}.'],
    ["POST", `${path}/messages`, ["hello"], 'Send one object: {"key":"value"}.'],
  ];
  for (const [method, path, body, hint] of told) {
    const reply = await t.request(method, path, { body });
    assertInvalid(reply);
    assert.equal(reply.body.hint, hint, JSON.stringify(body));
  }
  // Without quotes these would be refused, too.
  for (const ttl of ["60s", "1.5", "true", 0, 1.5]) {
    assert.equal("hint" in (await t.put(`${path}/state`, { key: "k", value: 1, ttl })).body, false, `${ttl}`);
  }
});

contract("a token in a body or a query is told the header that it goes into", async (t) => {
  const room = await t.room();
  const told = /`Authorization: Bearer <token>`/;
  assert.match((await t.get(`/rooms/${room}/state?token=t`)).body.hint, told);
  for (const name of ["token", "api_key"]) {
    assert.match(
      (await t.put(`/rooms/${room}/state`, { key: "k", value: 1, [name]: "t" })).body.hint,
      told,
      name,
    );
  }
});

contract("a message's id that is none is not told as message 0", async (t) => {
  const room = await t.room();
  for (const id of ["abc", "0", "-1", "1.5", "01", "9007199254740993", "%20", "1e3"]) {
    const path = `/rooms/${room}/messages/${id}`;
    for (const reply of [await t.get(path), await t.post(`${path}/claim`, { agent: "ann" })]) {
      assertError(reply, 404, "message_not_found");
      assert.equal(reply.body.message, "There is no such message in this room.");
      assert.match(reply.body.hint, /whole number/);
    }
  }
  const missing = await t.get(`/rooms/${room}/messages/7`);
  assertError(missing, 404, "message_not_found");
  assert.match(missing.body.message, /no message 7/);
});

contract("an id or key of a path or query that is none is not told as an empty one", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const [blank, long] = ["%20", "x".repeat(300)];
  const told: [path: string, message: string, hint: RegExp][] = [
    [`${path}/agents/${blank}`, "There is no such agent in this room.", /1 to 128 characters/],
    [`${path}/agents/${long}`, "There is no such agent in this room.", /1 to 128 characters/],
    [`${path}/wait?condition=true&agent=${blank}`, "There is no such agent in this room.", /1 to 128/],
    [
      `${path}/wait?condition=true&agent=_x`,
      'No agent "_x" is registered in this room.',
      /does not begin with _/,
    ],
    [`${path}/agents/_x`, 'No agent "_x" is registered in this room.', /does not begin with _/],
    [`${path}/agents/ann`, 'No agent "ann" is registered in this room.', /^Register it first/],
    [`${path}/state?key=${long}`, "There is no such key in this room.", /1 to 256 characters/],
    [`${path}/state?key=k&scope=${blank}`, "There is no such key in this room.", /1 to 128/],
  ];
  for (const [path, message, hint] of told) {
    const { status, body } = await t.get(path);
    assert.deepEqual([status, body.message], [404, message]);
    assert.match(body.hint, hint);
  }
  const reply = await t.delete(`${path}/reservations/${blank}`, { agent: "ann" });
  assert.deepEqual([reply.status, reply.body.message], [404, "There is no such reservation in this room."]);
});

contract("who sends another request under a key is not told what is stored of it", async (t) => {
  const room = await t.room();
  const one = { name: "a" };
  for (
    const [path, first, other] of [["/rooms", {}, { meta: {} }], [`/rooms/${room}/agents`, one, {
      name: "b",
    }]]
  ) {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    await t.request("POST", path as string, { body: first, headers });
    const { status, body } = await t.request("POST", path as string, { body: other, headers });
    assert.deepEqual([status, body.message], [422, "Another request was made under this Idempotency-Key."]);
  }
});

contract("a number that is lost in any member of own data has the hint to send text", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  const text = 'Send it as text: "...".';
  const task = await t.message(room, {});
  const number = "12345678901234567890";
  const refused: [method: string, path: string, body: string, hint: RegExp | string][] = [
    ["POST", `${path}/reservations`, `{"agent":"a","paths":["p"],"note":${number}}`, text],
    ["POST", `${path}/messages/${task.id}/complete`, `{"agent":"a","result":{"id":${number}}}`, text],
    ["POST", `${path}/messages/${task.id}/fail`, `{"agent":"a","error":[${number}]}`, text],
    ...["merge", "append", "append_all", "remove", "set", "value"].map((edit) =>
      ["PUT", `${path}/state`, `{"key":"k","${edit}":{"a":${number}}}`, text] as [
        string,
        string,
        string,
        string,
      ]
    ),
    ["PUT", `${path}/state`, `{"key":"k","increment":${number}}`, /within/],
    ["PUT", `${path}/state`, `{"key":"k","value":1,"if_version":${number}}`, /within/],
    ["POST", `${path}/messages`, `{"body":1,"needs":[${number}]}`, /within/],
  ];
  for (const [method, path, body, hint] of refused) {
    const reply = await t.request(method, path, { raw: body });
    assertInvalid(reply);
    if (typeof hint === "string") assert.equal(reply.body.hint, hint, `${body}: ${reply.text}`);
    else assert.match(reply.body.hint, hint, `${body}: ${reply.text}`);
  }
});

contract("a refusal says in its hint what to do instead", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}`;
  await t.write(room, "k", "text");
  const refused: [method: string, path: string, body: Json, hint: RegExp][] = [
    ["GET", `${path}/messages/99999`, null, /^Take the id from a message .*: GET \/rooms\/:id\/messages$/],
    ["PUT", `${path}/state`, { key: "k", increment: true }, /^Write a number as its `value` first\./],
    ["PUT", `${path}/state`, { key: "n", increment: true, value: "1" }, /`value`, or leave it out to add 1/],
    ["PUT", `${path}/state`, { key: "n", increment: 2, value: 1 }, /^Leave `value` out, or/],
    ["PUT", `${path}/state`, { key: "n", merge: {}, increment: 1 }, /^Leave one of them out\.$/],
    ["PUT", `${path}/state`, { scope: "_view", key: "v", expr: "1", ttl: 5 }, /^Leave `ttl` out, and delete/],
    ["DELETE", `${path}/state?key=k`, { key: "n" }, /^Send it in one of them\.$/],
    ["POST", `${path}/agents`, { id: "ann", name: "A", private: true }, /^Send `secure: true` too/],
    ["GET", "/rooms?before=soon", null, /the `Link` of the answer/],
  ];
  for (const [method, path, body, hint] of refused) {
    const reply = await t.request(method, path, body === null ? {} : { body });
    assert.match(reply.body.hint ?? "", hint, `${method} ${path} ${JSON.stringify(body)}: ${reply.text}`);
  }
});
