import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import type { Reply } from "../support/client.ts";
import { type Cutting, startCutting } from "../support/cutting.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { type Service, startService } from "../support/service.ts";
import { bearer } from "../support/tokens.ts";

const CLIENTS = 6;
const ROUNDS = 12;
const MAX_TRIES = 60;

/** Sends a request under one key until it is answered with success. */
async function insist(t: Subject, method: string, path: string, body: unknown): Promise<Reply> {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const reply = await t.request(method, path, { body, headers }).catch(() => undefined);
    if (reply && reply.status < 300) return reply;
    assert.ok(reply === undefined || reply.status === 503, reply?.text ?? "");
  }
  throw new Error(`${method} ${path} was not answered in ${MAX_TRIES} attempts`);
}

/** Many clients count and post at once through what cuts their replies; afterwards each counts once. */
async function countExactly(t: Subject, watcher: Subject, room: string, cutting: Cutting): Promise<void> {
  const state = `/rooms/${room}/state`;
  const replies = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const own: Reply[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        own.push(await insist(t, "PUT", state, { key: "n", increment: 1 }));
        await insist(t, "PUT", state, { key: "half", increment: 0.5 });
        await insist(t, "POST", `/rooms/${room}/messages`, { body: `${client}:${round}` });
        await insist(t, "PUT", state, { key: "gated", increment: 1, if: "state._shared.gated >= 0" });
      }
      return own;
    }),
  );
  assert.ok(cutting.cuts > 20, `${cutting.cuts} replies were cut`);
  const all = CLIENTS * ROUNDS;
  for (const [key, value] of [["n", all], ["half", all / 2], ["gated", all]] as const) {
    assert.equal((await watcher.entry(room, key)).value, value, key);
  }
  const counted = replies.flat().map(({ body }) => body.value).sort((a, b) => a - b);
  assert.deepEqual(counted, Array.from({ length: all }, (_, n) => n + 1));
  const messages = (await watcher.get(`/rooms/${room}/messages`, { limit: 1000 })).body;
  assert.equal(new Set(messages.map(({ body }: { body: string }) => body)).size, all);
  assert.equal(messages.length, all);
}

Deno.test("replies lost between client and service: each request counts once", async () => {
  const service = await startService();
  const cutting = startCutting(service.url, (n) => n % 3 === 1);
  try {
    const watcher = new Subject(service.url);
    const room = await watcher.room();
    await watcher.write(room, "gated", 0);
    await countExactly(new Subject(cutting.url), watcher, room, cutting);
  } finally {
    await cutting.stop();
    await service.stop();
  }
});

/** A service whose database is behind what cuts its replies, and another one that reaches it directly. */
async function withLosses(
  test: (t: Subject, watcher: Subject, cutting: Cutting) => Promise<void>,
): Promise<void> {
  const server = await startLibsqlServer();
  const cutting = startCutting(server.url, (n) => n > 20 && n % 5 === 1);
  const services: Service[] = [];
  try {
    for (const database of [server.url, cutting.url]) services.push(await startService({ database }));
    const [watcher, t] = services.map(({ url }) => new Subject(url)) as [Subject, Subject];
    await test(t, watcher, cutting);
  } finally {
    for (const service of services) await service.stop();
    await cutting.stop();
    await server.stop();
  }
}

Deno.test("replies lost between service and database: each request counts once", () =>
  withLosses(async (t, watcher, cutting) => {
    const room = await watcher.room();
    await watcher.write(room, "gated", 0);
    await countExactly(t, watcher, room, cutting);
  }));

Deno.test("replies lost between service and database: each task is taken and completed once", () =>
  withLosses(async (t, watcher, cutting) => {
    const room = await watcher.room();
    const at = `/rooms/${room}/messages`;
    // Few workers, so that few of their calls share a reply.
    const [TASKS, WORKERS] = [40, 2];
    for (let n = 0; n < TASKS; n++) await watcher.message(room, { kind: "task", body: n });
    const taken = await Promise.all(
      Array.from({ length: WORKERS }, async (_, client) => {
        const own: number[] = [];
        const agent = `w${client}`;
        for (;;) {
          const { claimed, message_id, fence } = (await insist(t, "POST", `${at}/claim`, { agent })).body;
          if (!claimed) return own;
          own.push(message_id);
          // Without a key: its fence alone tells that it is the same completion.
          const end = { agent, fence, result: message_id };
          let done: Reply | undefined;
          while (done?.status !== 200) {
            done = await t.post(`${at}/${message_id}/complete`, end);
            assert.ok([200, 503].includes(done.status), done.text);
          }
          assert.equal(done.body.result.body, message_id);
        }
      }),
    );
    assert.ok(cutting.cuts > 5, `${cutting.cuts} replies were cut`);
    const tasks = (await watcher.get(at, { kind: "task", limit: 1000 })).body;
    const results = (await watcher.get(at, { kind: "result", limit: 1000 })).body;
    const ids = (all: number[]) => all.toSorted((a, b) => a - b);
    assert.deepEqual(ids(taken.flat()), tasks.map(({ id }: { id: number }) => id));
    assert.deepEqual(
      ids(results.map(({ reply_to }: { reply_to: number }) => reply_to)),
      tasks.map(({ id }: { id: number }) => id),
    );
    for (const { status, attempts } of tasks) assert.deepEqual([status, attempts], ["done", 1]);
  }));

Deno.test("replies lost between service and database: a write without a key is never sent twice", () =>
  withLosses(async (t, watcher, cutting) => {
    const room = await watcher.room();
    let asked = 0;
    for (let answered = 0; answered < 60; asked++) {
      const { status, text } = await t.put(`/rooms/${room}/state`, { key: "n", increment: 1 });
      assert.ok(status === 200 || status === 503, text);
      if (status === 200) answered++;
    }
    assert.ok(cutting.cuts > 5, `${cutting.cuts} replies were cut`);
    // Of those that were not answered most were made: it was their replies that were lost. None was made twice.
    const { value } = await watcher.entry(room, "n");
    assert.ok(60 < value && value <= asked, `${value} of ${asked} requests counted`);
  }));

Deno.test("replies lost between service and database: a code lets in as many as it has uses, each with a token", () =>
  withLosses(async (t, watcher, cutting) => {
    const room = await watcher.room();
    const [CLIENTS, EACH] = [2, 12];
    const made = await watcher.post(`/rooms/${room}/invites`, { role: "member", uses: CLIENTS * EACH });
    const join = `/join/${made.body.code}`;
    const joined = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const own: Reply[] = [];
        for (let n = 0; n < EACH; n++) own.push(await insist(t, "POST", join, {}));
        return own;
      }),
    );
    assert.ok(cutting.cuts > 3, `${cutting.cuts} replies were cut`);
    for (const { body: { agent, token } } of joined.flat()) {
      const headers = bearer(token);
      const { status, body } = await watcher.request("GET", `/rooms/${room}/tokens`, { headers });
      assert.deepEqual([status, body.map(({ agent }: { agent: string }) => agent)], [200, [agent]]);
    }
    const agents = (await watcher.get(`/rooms/${room}/agents`)).body;
    assert.equal(agents.length, CLIENTS * EACH);
    assert.equal((await watcher.get(join)).status, 404);
  }));
