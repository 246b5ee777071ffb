import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import type { Json, Reply } from "../support/client.ts";
import { startCluster } from "../support/cluster.ts";
import type { Service } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";

interface Queue {
  /** Two instances of one libSQL server. */
  services: [Service, Service];
  of(service: Service): Subject;
  /** The path of the room's messages. */
  at: string;
  /** Posted tasks. */
  ids: number[];
}

async function withQueue(tasks: number, test: (queue: Queue) => Promise<void>): Promise<void> {
  const cluster = await startCluster(2);
  const of = (service: Service) => new Subject(service.url);
  try {
    const t = of(cluster.services[0]!);
    const room = await t.room();
    const posts = Array.from({ length: tasks }, (_, n) => t.message(room, { kind: "task", body: n }));
    const ids = (await Promise.all(posts)).map(({ id }) => id).sort((a, b) => a - b);
    await test({ services: cluster.services as [Service, Service], of, at: `/rooms/${room}/messages`, ids });
  } finally {
    await cluster.stop();
  }
}

/** Each task was completed once, and at no time had two holders: no attempt begins before the one before has ended. */
async function assertDoneOnce(t: Subject, { at, ids }: Queue): Promise<void> {
  const fences = new Set<number>();
  let claims = 0;
  for (const id of ids) {
    const attempts: Json[] = (await t.get(`${at}/${id}/attempts`)).body;
    for (const [n, { fence, claimed_at, ended }] of attempts.entries()) {
      fences.add(fence);
      claims++;
      assert.equal(ended, n === attempts.length - 1 ? "completed" : "expired", `attempt ${n} of ${id}`);
      if (n === 0) continue;
      const before = attempts[n - 1]!;
      assert.ok(fence > before.fence && claimed_at >= before.ended_at, JSON.stringify(attempts));
    }
  }
  assert.equal(fences.size, claims, "no two claims have one fence");
  const results = (await t.get(at, { kind: "result", limit: 1000 })).body;
  assert.deepEqual(results.map(({ reply_to }: Json) => reply_to).sort((a: number, b: number) => a - b), ids);
}

Deno.test("an instance that is stopped while it serves claims, and goes on after they ended, completes nothing", () =>
  withQueue(24, async (queue) => {
    const { services: [stopped, other], of, at, ids } = queue;
    const [late, t] = [of(stopped), of(other)];
    // It stops with some claims made and answered, some made and not answered, some not yet made.
    const first = Promise.withResolvers<void>();
    const claims = ids.map(async (id, n) => {
      await new Promise((resolve) => setTimeout(resolve, n));
      const reply = await late.post(`${at}/${id}/claim`, { agent: "ann", ttl: 1 });
      first.resolve();
      return reply;
    });
    await first.promise;
    stopped.process.kill("SIGSTOP");
    const taken: Json[] = [];
    try {
      while (taken.length < ids.length) {
        const { body } = await t.post(`${at}/claim`, { agent: "bob", timeout: 5_000 });
        assert.equal(body.claimed, true, "what the stopped instance has claimed ends by itself");
        taken.push(body);
      }
    } finally {
      stopped.process.kill("SIGCONT");
    }
    const fenceOf = new Map(taken.map(({ message_id, fence }) => [message_id, fence]));
    const replies = await Promise.all(claims);
    assert.ok(replies.some(({ status }) => status === 200));
    await Promise.all(replies.map(async ({ status, body }, n) => {
      const fence = fenceOf.get(ids[n]!)!;
      if (status === 409) return assert.deepEqual([body.error, body.claimed_by], ["already_claimed", "bob"]);
      assert.ok(body.fence < fence);
      for (const [name, more] of [["renew", { ttl: 60 }], ["complete", { result: "late" }]] as const) {
        const lost = await late.post(`${at}/${ids[n]}/${name}`, { agent: "ann", fence: body.fence, ...more });
        assertStatus(lost, 409);
        assert.deepEqual([lost.body.error, lost.body.claimed_by, lost.body.fence], [
          "lease_lost",
          "bob",
          fence,
        ]);
      }
    }));
    for (const [id, fence] of fenceOf) {
      assertStatus(await t.post(`${at}/${id}/complete`, { agent: "bob", fence, result: id }), 200);
    }
    await assertDoneOnce(t, queue);
  }));

Deno.test("an instance that is killed among takes and completions leaves each task to be done once", () =>
  withQueue(40, async (queue) => {
    const { services: [killed, other], of, at, ids } = queue;
    const WORKERS = 6;
    const killedAt = 1 + Math.floor(Math.random() * (ids.length - 5));
    console.log(`killed after ${killedAt} completions`);
    let done = 0;
    let killing: Promise<void> | undefined;

    /** Sends a request to one instance, and to the other where that is gone. */
    async function insist(from: Service, path: string, body: Json): Promise<Reply> {
      for (const service of [from, other, other]) {
        const reply = await of(service).post(path, body).catch(() => undefined);
        if (reply && reply.status < 500) return reply;
      }
      throw new Error(`${path} was not answered`);
    }

    await Promise.all(Array.from({ length: WORKERS }, async (_, n) => {
      const [agent, service] = [`w${n}`, n % 2 ? killed : other];
      while (done < ids.length) {
        const { body } = await insist(service, `${at}/claim`, { agent, ttl: 1, timeout: 300 });
        if (!body.claimed) continue;
        const { message_id, fence } = body;
        const reply = await insist(service, `${at}/${message_id}/complete`, { agent, fence, result: n });
        if (reply.status === 200) done++;
        else assert.equal(reply.body.error, "lease_lost");
        if (done >= killedAt) killing ??= killed.kill();
      }
    }));
    await killing;
    assert.ok(killing, "it was killed on the way");
    assert.equal(done, ids.length, "each completion was answered to one");
    await assertDoneOnce(of(other), queue);
  }));
