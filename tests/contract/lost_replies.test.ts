import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import type { Reply } from "../support/client.ts";
import { type Cutting, startCutting } from "../support/cutting.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";

const CLIENTS = 6;
const ROUNDS = 12;
const MOST_TRIES = 60;

/** Sends a request under one key until it is answered with success. */
async function insist(t: Subject, method: string, path: string, body: unknown): Promise<Reply> {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const reply = await t.request(method, path, { body, headers }).catch(() => undefined);
    if (reply && reply.status < 300) return reply;
    assert.ok(reply === undefined || reply.status === 503, reply?.text);
  }
  throw new Error(`${method} ${path} was not answered in ${MOST_TRIES} attempts`);
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

Deno.test("replies lost between service and database: each request counts once", async () => {
  const server = await startLibsqlServer();
  let cuts = false;
  const cutting = startCutting(server.url, (n) => cuts && n % 5 === 1);
  try {
    const service = await startService({ database: cutting.url });
    try {
      const t = new Subject(service.url);
      const room = await t.room();
      await t.write(room, "gated", 0);
      cuts = true;
      const watcher = {
        entry: async (...place: Parameters<Subject["entry"]>) => (cuts = false, await t.entry(...place)),
        get: (path: string, query: Record<string, number>) => t.get(path, query),
      } as Subject;
      await countExactly(t, watcher, room, cutting);
    } finally {
      await service.stop();
    }
  } finally {
    await cutting.stop();
    await server.stop();
  }
});
