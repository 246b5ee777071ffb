import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import type { Json, Reply } from "../support/client.ts";
import { assertStatus } from "../support/shapes.ts";

let cluster: Promise<Cluster> | undefined;

/** A test of two instances that share one libSQL server. */
function race(name: string, test: (a: Subject, b: Subject) => Promise<void>): void {
  Deno.test({
    name: `two instances: ${name}`,
    // The instances are started by the first test and outlive it.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      cluster ??= startCluster(2);
      const [a, b] = (await cluster).services.map((service) => new Subject(service.url));
      await test(a!, b!);
    },
  });
}

Deno.test.afterAll(async () => {
  await (await cluster?.catch(() => undefined))?.stop();
});

/** As many clients as asked for, half of them at either instance. */
function clients<T>(
  count: number,
  a: Subject,
  b: Subject,
  run: (t: Subject, n: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => run(n % 2 ? b : a, n)));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const ascending = (list: number[]) => list.toSorted((a, b) => a - b);

race("what one was told is read at the other", async (a, b) => {
  const room = await a.room();
  for (let n = 1; n <= 20; n++) {
    const [writer, reader] = n % 2 ? [a, b] : [b, a];
    await writer.write(room, "n", n);
    assert.equal((await reader.entry(room, "n")).value, n);
    await writer.view(room, "v", `state._shared.n * ${n}`);
    assert.equal(await reader.value(room, "state._view.v"), n * n);
    assert.equal(await reader.revision(room), await writer.revision(room));
  }
});

race("one room and one agent are created once", async (a, b) => {
  for (let round = 0; round < 5; round++) {
    const id = crypto.randomUUID();
    const rooms = await clients(8, a, b, (t) => t.post("/rooms", { id }));
    assert.deepEqual(ascending(rooms.map((reply) => reply.status)), [...Array(7).fill(200), 201]);
    const agents = await clients(8, a, b, (t) => t.post(`/rooms/${id}/agents`, { id: "ann", name: "Ann" }));
    assert.deepEqual(ascending(agents.map((reply) => reply.status)), [...Array(7).fill(200), 201]);
  }
});

race("increments count exactly", async (a, b) => {
  const room = await a.room();
  const values = await clients(16, a, b, async (t) => {
    const mine: number[] = [];
    for (let n = 0; n < 20; n++) {
      const reply = await t.put(`/rooms/${room}/state`, { key: "n", increment: true });
      assertStatus(reply, 200);
      mine.push(reply.body.value);
    }
    return mine;
  });
  assert.deepEqual(ascending(values.flat()), numbers(1, 320));
  const entry = await b.entry(room, "n");
  assert.deepEqual([entry.value, entry.version], [320, 320]);
});

race("edits of one value all count, be they computed by the database or not", async (a, b) => {
  const room = await a.room();
  await a.write(room, "k", { list: [], names: {} });
  const edit = async (t: Subject, edits: Json) => {
    const reply = await t.put(`/rooms/${room}/state`, { key: "k", ...edits });
    assertStatus(reply, 200);
    return reply.body.version;
  };
  const versions = await clients(12, a, b, async (t, n) => {
    const mine: number[] = [];
    for (let k = 0; k < 6; k++) {
      mine.push(await edit(t, { set: { "/list/-": 6 * n + k } }));
      // A NUL is not for the database.
      mine.push(await edit(t, { merge: { names: { [k % 2 ? `${n}.${k}` : `\u0000${n}.${k}`]: 1 } } }));
    }
    return mine;
  });
  assert.deepEqual(ascending(versions.flat()), numbers(2, 145));
  const { value } = await b.entry(room, "k");
  assert.deepEqual(ascending(value.list), numbers(0, 71));
  assert.equal(Object.keys(value.names).length, 72);
});

race("a key is created by one", async (a, b) => {
  const room = await a.room();
  for (let round = 0; round < 10; round++) {
    const put = (t: Subject, n: number) =>
      t.put(`/rooms/${room}/state`, { key: `k${round}`, value: n, if_version: 0 });
    const replies = await clients(12, a, b, put);
    const winners = replies.filter((reply) => reply.status === 200);
    assert.equal(winners.length, 1);
    for (const reply of replies) {
      if (reply === winners[0]) continue;
      assert.deepEqual([reply.status, reply.body.current.value], [409, winners[0]!.body.value]);
    }
  }
});

race("writes over a version they read lose no update", async (a, b) => {
  const room = await a.room();
  await a.write(room, "list", []);
  await clients(8, a, b, async (t, n) => {
    for (let written = 0; written < 4;) {
      const { value, version } = await t.entry(room, "list");
      const body = { key: "list", value: [...value, `${n}:${written}`], if_version: version };
      const reply = await t.put(`/rooms/${room}/state`, body);
      assert.ok(reply.status === 200 || reply.body.error === "version_conflict", reply.text);
      if (reply.status === 200) written++;
    }
  });
  const { value, version } = await a.entry(room, "list");
  assert.deepEqual([value.length, new Set(value).size, version], [32, 32, 33]);
});

race("a message is claimed by one, and the others learn who it is", async (a, b) => {
  const room = await a.room();
  for (let round = 0; round < 10; round++) {
    const { id } = await a.message(room);
    const claim = (t: Subject, n: number) =>
      t.post(`/rooms/${room}/messages/${id}/claim`, { agent: `agent-${n}` });
    const replies = await clients(12, a, b, claim);
    const winners = replies.filter((reply) => reply.status === 200);
    assert.equal(winners.length, 1);
    for (const reply of replies) assert.equal(reply.body.claimed_by, winners[0]!.body.claimed_by);
  }
});

race("a gated lock has one holder at a time", async (a, b) => {
  const room = await a.room();
  const path = `/rooms/${room}/state`;
  await a.write(room, "guarded", 0);
  await clients(8, a, b, async (t, n) => {
    const agent = `agent-${n}`;
    for (let held = 0; held < 3;) {
      const gate = { key: "lock", value: agent, agent, if: "!has(state._shared.lock)" };
      const taken = await t.put(path, gate);
      if (taken.status !== 200) {
        assert.equal(taken.body.error, "precondition_failed", taken.text);
        await t.post(`/rooms/${room}/wait`, { condition: gate.if, timeout: 5_000 });
        continue;
      }
      // Safe for the holder of a lock only: it reads, then writes what it thinks comes next.
      const { value } = await t.entry(room, "guarded");
      await t.write(room, "guarded", value + 1);
      held++;
      const freed = await t.delete(path, { key: "lock", agent, if: "state._shared.lock == self" });
      assert.deepEqual([freed.status, freed.body], [200, { deleted: true }]);
    }
  });
  assert.equal((await b.entry(room, "guarded")).value, 24);
});

race("a gate n < 100 never lets 101 through", async (a, b) => {
  const room = await a.room();
  await a.write(room, "n", 0);
  const passed = await clients(16, a, b, async (t) => {
    for (let mine = 0;; mine++) {
      const reply = await t.put(`/rooms/${room}/state`, {
        key: "n",
        increment: true,
        if: "state._shared.n < 100",
      });
      if (reply.status === 200) continue;
      assert.deepEqual([reply.status, reply.body.error], [409, "precondition_failed"], reply.text);
      return mine;
    }
  });
  assert.equal(passed.reduce((sum, mine) => sum + mine, 0), 100);
  assert.equal((await b.entry(room, "n")).value, 100);
});

/** What gates can be about. `move` takes the room to its n-th stage; the gate it gives holds up to that stage. */
const worlds: [string, (t: Subject, room: string, n: number) => Promise<string>][] = [
  ["the state", async (t, room, n) => {
    await t.write(room, "n", n);
    return `state._shared.n <= ${n}`;
  }],
  ["a key that goes away", async (t, room, n) => {
    const writes = Array.from({ length: 20 }, (_, k) => ({ scope: "own", key: `k${n + k}`, value: 1 }));
    if (n % 20 === 0) await t.put(`/rooms/${room}/state/batch`, { writes });
    await t.delete(`/rooms/${room}/state`, { scope: "own", key: `k${n - 1}` });
    return `has(state.own.k${n})`;
  }],
  ["a whole scope", async (t, room, n) => {
    await t.write(room, `k${n}`, n, { scope: "own" });
    return `size(state.own) <= ${n + 1}`;
  }],
  ["all scopes", async (t, room, n) => {
    await t.write(room, "k", n, { scope: `scope-${n}` });
    return `size(state) <= ${n + 3}`;
  }],
  ["a view", async (t, room, n) => {
    if (n === 0) await t.view(room, "v", "state.own.n + 1");
    await t.write(room, "n", n, { scope: "own" });
    return `state._view.v <= ${n + 1}`;
  }],
  ["what a view is", async (t, room, n) => {
    await t.view(room, "v", `${n}`);
    return `state._view.v <= ${n}`;
  }],
  ["the messages", async (t, room, n) => {
    await t.message(room);
    return `messages.count <= ${n + 1}`;
  }],
  ["an agent", async (t, room, n) => {
    await t.post(`/rooms/${room}/agents`, { id: "ann", name: "Ann", meta: { n } });
    return `agents.ann.meta.n <= ${n}`;
  }],
  ["who is there", async (t, room, n) => {
    await t.agent(room, `agent-${n}`);
    return `size(agents) <= ${n + 1}`;
  }],
  ["an agent's last heartbeat", async (t, room, n) => {
    if (n === 0) await t.agent(room, "ann");
    const { body } = await t.post(`/rooms/${room}/agents/ann/heartbeat`, {});
    return `agents.ann.last_heartbeat <= "${body.heartbeat}"`;
  }],
];

for (const [about, move] of worlds) {
  race(`a gate on ${about} holds in the very state that its write applies to`, async (a, b) => {
    const room = await a.room();
    let stage = 0;
    const gates = [await move(a, room, 0)];
    let moving = true;
    const looked: number[] = [];
    const written: { stage: number; version: number }[] = [];
    const world = async () => {
      for (let n = 1; n <= 60; n++) {
        gates.push(await move(a, room, n));
        stage = n;
        looked[n] = (await a.entry(room, "k"))?.version ?? 0;
      }
    };
    const writers = clients(4, a, b, async (t) => {
      while (moving) {
        const at = stage;
        const reply = await t.put(`/rooms/${room}/state`, { key: "k", value: at, if: gates[at] });
        if (reply.status === 200) written.push({ stage: at, version: reply.body.version });
        else assert.equal(reply.body.error, "precondition_failed", reply.text);
      }
    });
    await Promise.all([world().finally(() => moving = false), writers]);
    // A version that was not there yet when a later stage had been reached was written at that stage or after.
    const late = written.filter(({ stage, version }) =>
      looked.some((seen, later) => later > stage && gates[later] !== gates[stage] && seen < version)
    );
    assert.deepEqual(late, [], `${late.length} of ${written.length} writes passed a gate that was shut`);
  });
}

race("messages have ids of their own, and everybody gets their own message back", async (a, b) => {
  const room = await a.room();
  let posting = true;
  const reading = (async () => {
    const seen: number[] = [];
    let revision = 0;
    for (let last = false; !last;) {
      last = !posting;
      const reply = await b.get(`/rooms/${room}/messages`, { after: seen.at(-1) ?? 0, limit: 1000 });
      for (const { id } of reply.body) {
        assert.ok(id > revision, "a message that an earlier answer should have had");
        assert.ok(id <= reply.revision!, "a message that is newer than the answer");
        seen.push(id);
      }
      revision = reply.revision!;
    }
    return seen;
  })();
  const posters = clients(16, a, b, async (t, n) => {
    const mine: number[] = [];
    for (let k = 0; k < 15; k++) {
      const message = await t.message(room, { from: `agent-${n}`, body: { n, k } });
      assert.deepEqual([message.from_agent, message.body], [`agent-${n}`, { n, k }]);
      mine.push(message.id);
    }
    assert.deepEqual(mine, ascending(mine));
    return mine;
  });
  const [posted, seen] = await Promise.all([posters.finally(() => posting = false), reading]);
  const all = ascending(posted.flat());
  assert.equal(new Set(all).size, 240);
  assert.deepEqual(seen, all, "one who reads on from the last id misses none");
  assert.deepEqual(await a.value(room, "messages"), { count: 240, unclaimed: 240 });
});

race("transfers keep the sum, for all who look meanwhile too", async (a, b) => {
  const room = await a.room();
  const accounts = ["w", "x", "y", "z"];
  const path = `/rooms/${room}/state/batch`;
  await a.put(path, { writes: accounts.map((key) => ({ key, value: 25 })) });
  let moving = true;
  const looking = clients(2, a, b, async (t) => {
    while (moving) {
      const entries = (await t.get(`/rooms/${room}/state`)).body;
      assert.equal(entries.reduce((sum: number, entry: Json) => sum + entry.value, 0), 100);
      const s = "state._shared";
      assert.equal(await t.value(room, `${s}.w + ${s}.x + ${s}.y + ${s}.z`), 100);
    }
  });
  const moves = clients(8, a, b, async (t, n) => {
    const replies: Reply[] = [];
    for (let k = 0; k < 10; k++) {
      const [from, to] = [accounts[(n + k) % 4]!, accounts[(n + 3 * k + 1) % 4]!];
      const amount = 1 + (n * k) % 9;
      const writes = [{ key: from, increment: -amount }, { key: to, increment: amount }];
      replies.push(await t.put(path, { writes, if: `state._shared.${from} >= ${amount}` }));
    }
    return replies;
  });
  const [replies] = await Promise.all([moves.finally(() => moving = false), looking]);
  for (const reply of replies.flat()) {
    assert.ok(reply.status === 200 || reply.body.error === "precondition_failed", reply.text);
  }
  const amounts = (await b.get(`/rooms/${room}/state`)).body.map((entry: Json) => entry.value);
  assert.equal(amounts.reduce((sum: number, amount: number) => sum + amount, 0), 100);
  assert.ok(amounts.every((amount: number) => amount >= 0), `${amounts}`);
});

race("what a wait answers is of one revision while others write", async (a, b) => {
  const room = await a.room();
  const path = `/rooms/${room}/state/batch`;
  const write = (n: number) => a.put(path, { writes: [{ key: "n", value: n }, { key: "twin", value: n }] });
  await write(0);
  const writing = async () => {
    for (let n = 1; n <= 60; n++) assertStatus(await write(n), 200);
  };
  const waiting = async () => {
    for (let n = 1; n <= 60; n += 6) {
      const condition = `state._shared.n >= ${n} ? [state._shared.n, state._shared.twin] : false`;
      const include = ["state", "messages"];
      const reply = await b.post(`/rooms/${room}/wait`, { condition, include, timeout: 10_000 });
      assert.equal(reply.body.triggered, true);
      const { n: first, twin } = reply.body.state._shared;
      assert.deepEqual([reply.body.value, twin], [[first, first], first]);
    }
  };
  await Promise.all([writing(), waiting()]);
});

race("one who reads the changes since the last answer misses none and sees none twice", async (a, b) => {
  const room = await a.room();
  let writing = true;
  const reading = async (t: Subject) => {
    const seen = new Map<string, number[]>();
    let since = 0;
    for (let last = false; !last;) {
      last = !writing;
      const reply = await t.get(`/rooms/${room}/state`, { since });
      for (const { key, version } of reply.body) seen.set(key, [...seen.get(key) ?? [], version]);
      since = reply.revision!;
    }
    return seen;
  };
  const writers = clients(8, a, b, async (t, n) => {
    for (let k = 0; k < 15; k++) {
      if (k % 5 === 4) await t.delete(`/rooms/${room}/state`, { key: `k${n % 4}` });
      else await t.write(room, `k${n % 4}`, k);
    }
  });
  const [, ...readers] = await Promise.all([writers.finally(() => writing = false), reading(a), reading(b)]);
  const entries = (await a.get(`/rooms/${room}/state?since=0`)).body;
  for (const seen of readers) {
    for (const versions of seen.values()) assert.deepEqual(versions, ascending([...new Set(versions)]));
    for (const { key, version } of entries) assert.equal(seen.get(key)?.at(-1), version);
  }
});
