import assert from "node:assert/strict";
import { ask, type Instance, RUNS, scheduled, seen, waitsFor } from "./scheduled.ts";

/** Far below a wait's 25 s, whose last read finds everything that was missed before. */
const SOON_MS = 10_000;

/** How long the mark of a wait of 25 s stays where its instance dies: within the promised 30 s. */
const LEASE_MS = 30_000;

Deno.test("whatever the order of database calls, a gate holds in the very state that its write changes", () =>
  scheduled(2, async ({ apps, until }) => {
    const gated = { key: "n", increment: true, if: "!has(state._shared.n)" };
    const replies = await until(() =>
      Promise.all([0, 1, 0, 1].map((n) => ask(apps[n]!, "PUT", "/rooms/r/state", gated)))
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409, 409]);
    const { body } = await ask(apps[0]!, "GET", "/rooms/r/state?key=n");
    assert.equal(body.value, 1);
  }));

Deno.test("whatever the order of database calls, chains of gates hand a turn on once, though an instance dies", async () => {
  const found = new Set<boolean>();
  await scheduled(2, async ({ apps: [one, other], until, dies }) => {
    await ask(one!, "PUT", "/rooms/r/state", { key: "turn", value: 0 });
    const turn = (app: Instance["app"], n: number) => {
      const writes = [{ key: "turn", value: n + 1 }, { key: "log", increment: 1 }];
      return ask(app, "PUT", "/rooms/r/state/batch", { writes, if: `state._shared.turn == ${n}` });
    };
    const turns = [0, 1, 1];
    const [, ...replies] = await until(() => {
      for (const n of turns) turn(other!, n); // some are never answered
      return Promise.all([dies(1), ...turns.map((n) => turn(one!, n))]);
    });
    const [last, log] = await Promise.all(
      ["turn", "log"].map(async (key) => (await ask(one!, "GET", `/rooms/r/state?key=${key}`)).body),
    );
    assert.deepEqual([last.version, log.value], [last.value + 1, last.value], "each turn is handed on once");
    const own = replies.filter(({ status }) => status === 200).length;
    assert.ok(own <= last.value);
    assert.deepEqual(new Set(replies.map(({ status }) => status)).difference(new Set([200, 409])), new Set());
    found.add(own < last.value);
  });
  assert.deepEqual([...found].sort(), [false, true], "a write of the one that died was made, and was not");
});

Deno.test("whatever the order of database calls, a wait learns of a write of its instance", () =>
  scheduled(1, async ({ apps: [app], until }) => {
    const began = performance.now();
    const [waited] = await until(() =>
      Promise.all([
        ask(app!, "POST", "/rooms/r/wait", { condition: "has(state._shared.go)" }),
        ask(app!, "PUT", "/rooms/r/state", { key: "go", value: 1 }),
      ])
    );
    assert.equal(waited.body.triggered, true);
    assert.ok(performance.now() - began < SOON_MS, "only the last read has found it");
  }));

const has = (key: string) => `has(state._shared.${key})`;

/** A wait of ann's that a write of its key ends. */
const wait = (app: Instance["app"], key: string) =>
  ask(app, "POST", "/rooms/r/wait", { condition: has(key), agent: "ann" });
const end = (app: Instance["app"], key: string) => ask(app, "PUT", "/rooms/r/state", { key, value: 1 });

async function revision(app: Instance["app"]): Promise<number> {
  return Number((await app.request("/rooms/r")).headers.get("Convene-Revision"));
}

const shows = (app: Instance["app"], key: string) => waitsFor(app, has(key));

Deno.test("whatever the order of database calls, an agent shows waiting while a wait of its goes on, and no longer", () =>
  scheduled(2, async ({ apps: [one, other], until }) => {
    await ask(one!, "POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const long = wait(other!, "long");
    await until(() =>
      Promise.all([wait(one!, "a"), end(one!, "a"), wait(other!, "b"), end(other!, "b"), shows(one!, "long")])
    );
    assert.deepEqual(await seen(other!), ["waiting", has("long")]);
    await until(() => Promise.all([long, end(other!, "long"), wait(one!, "c"), end(one!, "c")]));
    assert.deepEqual(await seen(one!), ["active", null]);
  }));

Deno.test("whatever the order of database calls, a mark ends with its lease where its instance died", async () => {
  const found = new Set<string>();
  await scheduled(3, async ({ apps: [one, other, third], until, dies, pass }) => {
    await ask(one!, "POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    await until(() => {
      wait(other!, "lost");
      return Promise.all([dies(1), wait(one!, "a"), end(one!, "a")]);
    });
    // Whether its mark was set before it died is drawn; if so, it stays until its lease ends.
    const [status, waitingOn] = await seen(one!);
    found.add(status);
    assert.ok(status === "active" || waitingOn === has("lost"));
    pass(LEASE_MS - 1);
    assert.deepEqual(await seen(one!), [status, waitingOn]);
    const before = await revision(one!);
    pass(1);
    const looks = await until(() => Promise.all([one!, third!, one!, third!].map(seen)));
    for (const look of looks) assert.deepEqual(look, ["active", null]);
    assert.equal(await revision(one!), before + Number(status === "waiting"), "it ends once, as one change");
    await until(() => Promise.all([wait(one!, "b"), end(one!, "b")]));
    assert.deepEqual(await seen(one!), ["active", null]);
  });
  assert.deepEqual([...found].sort(), ["active", "waiting"]);
});

Deno.test("whatever the order of database calls, nothing is given to an agent that has left, though it came back", async () => {
  const found = new Set<string>();
  await scheduled(2, async ({ apps: [one, other], until }) => {
    await ask(one!, "POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const asked = { agent: "ann", paths: ["src"] };
    const held = await ask(one!, "POST", "/rooms/r/reservations", { ...asked, agent: "bob" });
    const task = await ask(one!, "POST", "/rooms/r/messages", { kind: "b", body: 1 });
    const take = (more: object) =>
      ask(one!, "POST", "/rooms/r/messages/claim", { agent: "ann", timeout: 20_000, ...more });
    const waiting: Array<Promise<{ status: number; body: { fence: number } }>> = [];
    for (
      const [name, wait] of [
        ["claim a", () => take({ kind: "a" })],
        ["claim b", () => take({ kind: "b", where: "state._shared.go == 1" })],
        ["reserve src", () => ask(one!, "POST", "/rooms/r/reservations", { ...asked, timeout: 20_000 })],
      ] as const
    ) {
      waiting.push(wait());
      await waitsFor(one!, name);
    }
    const [left] = await until(async () => {
      const leaving = (async () => {
        // Late enough that others are about as often before it as behind it.
        for (let n = 0; n < 4; n++) await ask(other!, "GET", "/rooms/r/agents/ann");
        const reply = await other!.request("/rooms/r/agents/ann", { method: "DELETE" });
        await ask(other!, "POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
        return Number(reply.headers.get("Convene-Revision"));
      })();
      return await Promise.all([
        leaving,
        ask(one!, "POST", "/rooms/r/messages", { kind: "a", body: 1 }),
        ask(one!, "PUT", "/rooms/r/state", { key: "go", value: 1 }),
        ask(one!, "DELETE", `/rooms/r/reservations/${held.body.id}`, { agent: "bob" }),
        ...waiting,
      ]);
    });
    for (const reply of await Promise.all(waiting)) {
      found.add(String(reply.status));
      assert.ok(
        reply.status === 404 || reply.status < 300 && reply.body.fence < left,
        `${left}: ${reply.status}`,
      );
    }
    const { body: messages } = await ask(one!, "GET", "/rooms/r/messages?status=open");
    assert.equal(messages.length, 2, `nobody holds ${task.body.id} or the other one`);
    assert.deepEqual((await ask(one!, "GET", "/rooms/r/reservations")).body, []);
  }, { runs: Math.ceil(RUNS / 5) });
  assert.ok(found.has("404") && found.size > 1, [...found].join());
});

Deno.test("whatever the order of database calls, a task has one holder at a time, and one completion", async () => {
  const found = new Set<string>();
  const of = (app: Instance["app"], name: string, body: object) =>
    ask(app, "POST", `/rooms/r/messages/1/${name}`, body);
  const ttl = 2;
  await scheduled(2, async ({ apps, until, passes }) => {
    const [one, other] = apps as [Instance["app"], Instance["app"]];
    await ask(one, "POST", "/rooms/r/messages", { kind: "task", body: 1 });
    const { fence } = (await of(one, "claim", { agent: "ann", ttl })).body;
    const [done, again, renewed, ...claims] = await until(() =>
      Promise.all([
        of(one, "complete", { agent: "ann", fence, result: 1 }),
        of(other, "complete", { agent: "ann", fence, result: 2 }),
        of(other, "renew", { agent: "ann", fence, ttl }),
        of(other, "claim", { agent: "bob", ttl }),
        ask(one, "POST", "/rooms/r/messages/claim", { agent: "cid", ttl }),
        passes(ttl * 1_000),
      ])
    );
    const { body: attempts } = await ask(other, "GET", "/rooms/r/messages/1/attempts");
    const { body: results } = await ask(one, "GET", "/rooms/r/messages?kind=result");
    const { body: task } = await ask(one, "GET", "/rooms/r/messages/1");
    const won = claims.flatMap((reply) => reply?.status === 200 && reply.body.claimed ? [reply.body] : []);
    const completed = [done, again].filter(({ status }) => status === 200);
    assert.equal(attempts.length, 1 + won.length);
    for (const [n, attempt] of attempts.slice(1).entries()) {
      assert.ok(attempt.fence > attempts[n].fence && attempt.claimed_at >= attempts[n].ended_at);
    }
    if (completed.length > 0) {
      assert.deepEqual([won, results.length, task.status], [[], 1, "done"]);
      for (const { body } of completed) assert.deepEqual(body, completed[0]!.body);
    } else {
      assert.deepEqual([done.body.error, again.body.error, results], ["lease_lost", "lease_lost", []]);
      assert.equal(attempts[0].ended, "expired");
    }
    if (renewed.status === 200) assert.equal(renewed.body.fence, fence);
    found.add(completed.length > 0 ? "completed" : won.length > 0 ? "taken over" : "open");
  });
  assert.ok(found.has("completed") && found.has("taken over"), [...found].join());
});
