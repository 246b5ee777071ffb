import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { isLoad, type TestApp, withApp } from "../support/app.ts";
import { meddler } from "../support/meddler.ts";
import { holdTimers } from "../support/timers.ts";

type Asking = Pick<TestApp, "json">;

/** Posts tasks with these bodies; their ids. */
async function post({ json }: Asking, bodies: unknown[]): Promise<number[]> {
  const ids = [];
  for (const body of bodies) {
    ids.push((await json("POST", "/rooms/r/messages", { kind: "task", body })).body.id);
  }
  return ids;
}

const CLAIM = "/rooms/r/messages/claim";

/** Takes for agents a, b, c and so on, at once and in this order; what each got. */
async function takeAll({ json }: Asking, wheres: string[]): Promise<Array<number | undefined>> {
  const agents = wheres.map((_, n) => String.fromCharCode(97 + n));
  const answers = await Promise.all(
    wheres.map((where, n) => json("POST", CLAIM, { agent: agents[n], where })),
  );
  return answers.map(({ body }) => body.message_id);
}

/** Compiles wheres beforehand, so that requests come to their turn in the order in which they were sent. */
async function compiled({ json }: Asking, wheres: string[]): Promise<void> {
  for (const where of wheres) await json("POST", CLAIM, { agent: "nobody", kind: "no-kind", where });
}

Deno.test("takes with `where` that come at once are one chain: a read, and one write for all", () =>
  withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, Array.from({ length: 12 }, (_, n) => n));
    await compiled({ json }, ["message.body != 3"]);
    const before = batches.length;
    const got = await takeAll({ json }, Array.from({ length: 13 }, () => "message.body != 3"));
    assert.deepEqual(got, [...ids.filter((_, n) => n !== 3), undefined, undefined]);
    const modes = batches.slice(before).map(({ mode }) => mode);
    assert.deepEqual(
      modes,
      ["read", "write", "write"],
      "the last one is the sign of life of those with nothing",
    );
  }));

Deno.test("each take of a chain is judged by its own `where`; one that fails changes nothing of another", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const [zero, one, two, three] = await post({ json }, [0, 1, 2, 3]);
    const wheres = [
      "message.body == 3",
      "message.body.missing == 1",
      "message.body > 0",
      "message.body > 0 && self == 'd'",
      "self == 'x'",
      "message.body == 1",
      "true",
    ];
    await compiled({ json }, wheres);
    assert.deepEqual(await takeAll({ json }, wheres), [
      three,
      undefined,
      one,
      two,
      undefined,
      undefined,
      zero,
    ]);
  }));

Deno.test("a take that reads what takes change is judged on what those before it left", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, [0, 1, 2, 3, 4, 5]);
    await json("PUT", "/rooms/r/state", { scope: "_view", key: "open", expr: "messages.kind.task.open" });
    const [direct, byView, fewer] = [
      "messages.kind.task.open > 2",
      "state._view.open > 2",
      "state._view.open < 4",
    ];
    await compiled({ json }, [direct, byView, fewer, "true"]);
    const got = await takeAll({ json }, ["true", byView, byView, byView, byView, direct, "true", direct]);
    assert.deepEqual(got, [...ids.slice(0, 4), undefined, undefined, ids[4], undefined]);
    const more = await post({ json }, [6, 7, 8]);
    assert.deepEqual(await takeAll({ json }, [fewer, "true", fewer, fewer]), [
      undefined,
      ids[5],
      ...more.slice(0, 2),
    ]);
  }));

Deno.test("takes of a chain go round again in their order where another instance was first", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, [0, 1, 2, 3, 4]);
    await compiled({ json }, ["true"]);
    once(() => json("POST", `/rooms/r/messages/${ids[1]}/claim`, { agent: "other" }));
    assert.deepEqual(await takeAll({ json }, ["true", "true", "true", "true"]), [
      ids[0],
      ids[2],
      ids[3],
      ids[4],
    ]);
  }, { wrap });
});

Deno.test("a take gets something, however often others have taken first what it found", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, batches }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, Array.from({ length: 12 }, (_, n) => n));
    await compiled({ json }, ["true"]);
    // After each of its reads, another instance has the first that is left.
    const left = ids.slice(0, 10);
    const takeFirst = async () => {
      await json("POST", `/rooms/r/messages/${left.shift()}/claim`, { agent: "other" });
      if (left.length > 0) once(takeFirst);
    };
    once(takeFirst);
    const before = batches.length;
    assert.deepEqual(await takeAll({ json }, ["true"]), [ids[2]], "the second time it may have one of two");
    assert.equal(batches.slice(before).filter(({ mode }) => mode === "read").length, 2);
  }, { wrap });
});

Deno.test("a take goes on while what it reads of the room changes, and gives up after 30 attempts", async () => {
  for (const changes of [12, 40]) {
    const { once, wrap } = meddler();
    await withApp(async ({ json }) => {
      await json("POST", "/rooms", { id: "r" });
      const ids = await post({ json }, [0]);
      const where = "state._shared.n >= 0";
      await json("PUT", "/rooms/r/state", { key: "n", value: 0 });
      await compiled({ json }, [where]);
      let done = 0;
      const change = async () => {
        await json("PUT", "/rooms/r/state", { key: "n", increment: 1 });
        if (++done < changes) once(change);
      };
      once(change);
      const { status, body } = await json("POST", CLAIM, { agent: "a", where });
      if (changes < 30) assert.equal(body.message_id, ids[0]);
      else assert.deepEqual([status, body.message, done], [503, "Others were first, each time.", 30]);
    }, { wrap });
  }
});

Deno.test("takes of a chain whose ground has moved are judged again", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, [0, 1, 0, 1]);
    await json("PUT", "/rooms/r/state", { key: "pick", value: 0 });
    const where = "message.body == state._shared.pick";
    await compiled({ json }, [where, "true"]);
    once(() => json("PUT", "/rooms/r/state", { key: "pick", value: 1 }));
    const got = await takeAll({ json }, [where, where, where, where]);
    assert.deepEqual(got, [ids[1], ids[3], undefined, undefined]);
  }, { wrap });
});

Deno.test("a repetition in a chain takes nothing from those behind it", async () => {
  const { once, wrap } = meddler();
  await withApp(async ({ json, request }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, [0, 1, 2, 3]);
    await compiled({ json }, ["true"]);
    const keyed = async () => {
      const body = { agent: "k", where: "true" };
      return (await (await request("POST", CLAIM, body, { "Idempotency-Key": "one" })).json()).message_id;
    };
    const take = async (agent: string) =>
      (await json("POST", CLAIM, { agent, where: "true" })).body.message_id;
    assert.equal(await keyed(), ids[0]);
    // While the first one reads, the others come in this order.
    const behind = Promise.withResolvers<unknown[]>();
    once(async () => {
      const repetition = keyed();
      await pause(20);
      behind.resolve(Promise.all([repetition, take("b"), take("c"), take("d")]));
      await pause(20);
    });
    assert.equal(await take("a"), ids[1]);
    assert.deepEqual(await behind.promise, [ids[0], ids[2], ids[3], undefined]);
    assert.equal(await keyed(), ids[0], "also where nothing is left");
  }, { wrap });
});

Deno.test("a take by `where` that finds nothing is a sign of life, whether or not it waits", () =>
  withApp(async ({ json, batches, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    const beat = async () => (await json("GET", "/rooms/r/agents/ann")).body.last_heartbeat as string;
    const take = (timeout: number) => json("POST", CLAIM, { agent: "ann", where: "true", timeout });
    let last = await beat();
    await pause(2);
    const before = batches.length;
    assert.equal((await take(0)).body.claimed, false);
    assert.deepEqual(batches.slice(before).map(({ mode }) => mode), ["read", "write"]);
    assert.ok(await beat() > last, "without waiting");
    last = await beat();
    await pause(2);
    const marked = nextBatch(({ statements }) => statements.some(({ sql }) => /INSERT INTO waits/.test(sql)));
    const waiting = take(20_000);
    await marked;
    const [task] = await post({ json }, [0]);
    assert.ok(await beat() > last, "with its mark");
    assert.equal((await waiting).body.message_id, task);
  }));

Deno.test("a take is judged by the attempts of a message that it finds, though others had it meanwhile", async () => {
  for (const where of ["message.attempts == 0", "message.attempts < 2"]) {
    const { once, wrap } = meddler();
    await withApp(async ({ json }) => {
      await json("POST", "/rooms", { id: "r" });
      const [id] = await post({ json }, [1]);
      once(async () => {
        await json("POST", `/rooms/r/messages/${id}/claim`, { agent: "bob" });
        await json("POST", `/rooms/r/messages/${id}/release`, { agent: "bob" });
      });
      const { body } = await json("POST", CLAIM, { agent: "ann", where });
      assert.deepEqual(body.claimed ? body.attempts : "none", where.includes("<") ? 2 : "none", where);
    }, { wrap });
  }
});

/** Over such a list, all steps of an evaluation. */
const LONG = { list: Array.from({ length: 200 }, () => 1) };
const costly = (n: number) => `message.body.list.all(x, message.body.list.all(y, x + y > ${n - 100}))`;

Deno.test("a take looks at no more messages than ten evaluations pay for, and says where to go on", () =>
  withApp(async ({ json }) => {
    await json("POST", "/rooms", { id: "r" });
    const ids = await post({ json }, Array.from({ length: 12 }, () => LONG));
    const takes = Array.from(
      { length: 2 },
      (_, n) => json("POST", CLAIM, { agent: "ann", where: costly(n) }),
    );
    const alone = json("POST", CLAIM, { agent: "ann", where: `${costly(3)} && messages.count > 0` });
    for (const { body } of await Promise.all([...takes, alone])) {
      const { more, next, last_error } = body;
      assert.deepEqual([more, next, last_error.code], [true, ids[9], "budget_exceeded"]);
    }
    const { body: rest } = await json("POST", CLAIM, { agent: "ann", where: costly(0), after: ids[9] });
    assert.deepEqual([rest.claimed, rest.more], [false, undefined]);
  }));

Deno.test("nothing is judged for takes whose clients have left", () =>
  withApp(async ({ json, app, batches, nextBatch }) => {
    await json("POST", "/rooms", { id: "r" });
    await post({ json }, Array.from({ length: 12 }, () => LONG));
    const clients = new AbortController();
    const load = nextBatch(isLoad);
    const left = Array.from({ length: 20 }, (_, n) => {
      const body = JSON.stringify({ agent: `a${n}`, where: costly(n) });
      return app.request(CLAIM, { method: "POST", body, signal: clients.signal });
    });
    await load;
    clients.abort();
    const before = batches.length;
    await json("POST", CLAIM, { agent: "bob", where: "message.id < 0" });
    const loads = batches.slice(before).filter(isLoad).length;
    assert.ok(loads <= 3, `${loads} reads before the take of one who is there`);
    await Promise.all(left);
  }));

/** The milliseconds until a take that does not wait may be given up. */
const LOOK_MS = 7_000;

/** True of the last message alone, once those before it have been judged at length. */
const FITS_LATE = `has(message.body.fit) || ${costly(0)}`;
const COSTLY_TASKS = 8;

/** Returns the id of the last task. */
async function postCostly({ json }: Asking): Promise<number> {
  await json("POST", "/rooms", { id: "r" });
  const bodies = [...Array.from({ length: COSTLY_TASKS }, () => LONG), { fit: true, list: [] }];
  return (await post({ json }, bodies)).at(-1)!;
}

const openTasks = async ({ json }: Asking) =>
  (await json("GET", "/rooms/r/messages?status=open")).body.length as number;

Deno.test("a take that does not wait is given up where others are judged for too long, and then takes nothing", async () => {
  using timers = holdTimers(LOOK_MS);
  const { once, wrap } = meddler();
  await withApp(async (at) => {
    const task = await postCostly(at);
    // Judging counts for a while after it has ended.
    const none = `!has(message.body.fit) && ${costly(0)}`;
    assert.equal((await at.json("POST", CLAIM, { agent: "z", where: none })).body.claimed, false);
    once(() => timers.fire());
    const takes = ["a", "b"].map((agent) => at.json("POST", CLAIM, { agent, where: FITS_LATE }));
    for (const { status, body } of await Promise.all(takes)) {
      assert.deepEqual([status, body.error], [503, "unavailable"]);
      assert.match(body.message, /^Those who ask before this one/);
    }
    assert.equal(
      (await at.json("POST", CLAIM, { agent: "c", where: "has(message.body.fit)" })).body.message_id,
      task,
    );
    assert.equal(await openTasks(at), COSTLY_TASKS);
  }, { wrap });
});

Deno.test("a take that does not wait is not given up for the database's sake, nor once its write is sent", async () => {
  using timers = holdTimers(LOOK_MS);
  const { once, wrap } = meddler();
  await withApp(async (at) => {
    await postCostly(at);
    // Before it is judged.
    once(() => timers.fire());
    const first = await at.json("POST", CLAIM, { agent: "a", where: "has(message.body.fit)" });
    assert.equal(first.body.claimed, true);
    await post(at, [{ fit: true, list: [] }]);
    const sent = at.nextBatch(({ mode }) => mode === "write").then(() => timers.fire());
    const second = await at.json("POST", CLAIM, { agent: "b", where: FITS_LATE });
    await sent;
    assert.deepEqual([second.status, second.body.claimed], [200, true]);
    assert.equal(await openTasks(at), COSTLY_TASKS);
  }, { wrap });
});
