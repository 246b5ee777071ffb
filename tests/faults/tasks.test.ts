import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import type { Connection } from "../../db/driver/connection.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import type { Json } from "../support/client.ts";
import { DATABASES } from "../support/databases.ts";
import { heldTime } from "../support/held_time.ts";

/*
 * Agents work off a queue of tasks at two instances, while now one, now the other is killed at a drawn call to the
 * database: before the call, or after it and before its answer, which is all that the database knows of a kill. Of
 * other calls only the answer is lost. Who is not answered asks again, at any instance.
 */

const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000);
/** Tasks of a queue. The later ones need one or two of the earlier ones each. */
const TASKS = Number(Deno.env.get("FAULTS_TASKS") ?? 100);
const NEEDY = TASKS / 5;
const WORKERS = 6;
/** One call to the database in so many ends its instance, and as many lose their answer. */
const ONE_IN = 30;
/** Time passes so much faster, so that what is lost with an instance ends soon. */
const FASTER = 20;
const TTL = 3;
const TIMEOUT_MS = 50;
const KINDS = ["build", "review"];

/** What takes ask for: filters, what is judged of a message, and of the room with it. */
const TAKES = [
  {},
  { kind: "build" },
  { where: "message.body % 3.0 != 1.0 || message.attempts > 0" },
  { kind: "review", where: "message.body >= state._shared.from" },
  { where: "messages.kind.build.open + messages.kind.review.open > 0" },
];

type Draw = ReturnType<typeof createDraw>;

function createDraw(seed: number) {
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  return { random, pick: <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]! };
}

interface Answer {
  status: number;
  body: Json;
}

/** An instance that dies at a drawn call to its database. `ask` gives nothing where the answer never comes. */
interface Mortal {
  ask(
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<Answer | undefined>;
  isDead(): boolean;
  stop(): Promise<void>;
}

type Fate = "lives" | "dies before" | "dies after" | "loses the answer";

function startMortal(url: string, time: { now: number }, fateOf: () => Fate): Mortal {
  const death = Promise.withResolvers<undefined>();
  let dead = false;
  const die = () => {
    dead = true;
    death.resolve(undefined);
  };
  const lost = () => new TypeError("The connection was lost.");
  async function open(): Promise<Connection> {
    const connection = await connect(url);
    return {
      async send(statements, mode) {
        const fate = dead ? "dies before" : fateOf();
        if (fate === "dies before") die();
        if (dead) throw lost();
        const rows = await connection.send(statements, mode);
        if (fate === "dies after") die();
        if (dead || fate === "loses the answer") throw lost();
        return rows;
      },
      close: () => connection.close(),
    };
  }
  const database = createDatabase(heldTime(time, open));
  const services = createServices(database, { poll: 10 });
  const app = createApp(services);
  return {
    ask(method, path, body, headers) {
      const answer = async () => {
        const response = await app.request(path, { method, headers, body: body && JSON.stringify(body) });
        return { status: response.status, body: await response.json() };
      };
      return Promise.race([death.promise, answer().then((reply) => dead ? undefined : reply)]);
    },
    isDead: () => dead,
    async stop() {
      await services.watch.drain();
      await database.close();
    },
  };
}

/** What agents were answered, by which the room is judged afterwards. Claims are named by their fences. */
interface Answered {
  taken: Map<number, { id: number; agent: string }>;
  completed: Map<number, { id: number; result: Json }>;
  failed: Map<number, number>;
  released: Set<number>;
  /** Completions that were refused, also where one that was not answered may have been made before. */
  refused: Set<number>;
}

async function withQueue(kind: string, test: (url: string, seed: number) => Promise<void>): Promise<void> {
  const database = await DATABASES[kind]!();
  try {
    console.log(`seed ${SEED}`);
    await test(database.url, SEED);
  } finally {
    await database.stop();
  }
}

interface FastTime {
  readonly now: number;
  /** From now on it stands still. */
  hold(): void;
}

function fastTime(): FastTime {
  const from = Date.now();
  let held: number | undefined;
  const read = () => held ?? from + (Date.now() - from) * FASTER;
  return {
    get now() {
      return read();
    },
    hold: () => void (held = read()),
  };
}

/** Works until all tasks are over. Returns what was answered, and how often an instance died. */
async function workOff(url: string, time: FastTime, { random, pick }: Draw) {
  const record: Answered = {
    taken: new Map(),
    completed: new Map(),
    failed: new Map(),
    released: new Set(),
    refused: new Set(),
  };
  const [found, fates] = [new Set<string>(), new Map<Fate, number>()];
  const at = "/rooms/r/messages";
  let mortal = false;
  function fateOf(): Fate {
    if (!mortal || random() >= 2 / ONE_IN) return "lives";
    const fate = pick<Fate>(["dies before", "dies after", "loses the answer", "loses the answer"]);
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
    return fate;
  }
  const all: Mortal[] = [];
  const start = () => {
    const instance = startMortal(url, time, fateOf);
    all.push(instance);
    return instance;
  };
  const living = [start(), start()];
  function anyone(): Mortal {
    const n = pick([0, 1]);
    if (living[n]!.isDead()) living[n] = start();
    return living[n]!;
  }

  /** Claims that were left to end by themselves, by their tasks. */
  const left = new Map<number, { agent: string; fence: number }>();

  /** Asks until there is an answer. `again`: whether one that did not come may have been given. */
  async function insist(method: string, path: string, body?: object, isOnce = false) {
    const headers = isOnce ? { "Idempotency-Key": crypto.randomUUID() } : undefined;
    for (let again = false;; again = true) {
      const reply = await anyone().ask(method, path, body, headers);
      if (reply && reply.status < 500) return { ...reply, again };
    }
  }

  async function finish(agent: string, id: number, fence: number): Promise<void> {
    const held = { agent, fence };
    const lost = ({ status, body, again }: Answer & { again: boolean }, step: string) => {
      found.add(`${step} ${status === 200 ? "made" : "lost"}${again ? " again" : ""}`);
      if (status !== 200) assert.equal(body.error, "lease_lost", JSON.stringify(body));
      return status !== 200;
    };
    if (random() < 0.3 && lost(await insist("POST", `${at}/${id}/renew`, { ...held, ttl: TTL }), "renew")) {
      return;
    }
    const isOnce = random() < 0.5;
    const step = pick(["complete", "complete", "complete", "complete", "fail", "release", "later"]);
    if (step === "later") return void left.set(id, { agent, fence });
    const more = step !== "complete" ? { error: fence } : random() < 0.7 ? { result: fence } : {};
    const reply = await insist("POST", `${at}/${id}/${step}`, { ...held, ...more }, isOnce);
    if (lost(reply, step)) return void (step === "complete" && record.refused.add(fence));
    if (step === "release") record.released.add(fence);
    else if (step === "fail") record.failed.set(fence, id);
    else record.completed.set(fence, { id, result: "result" in more ? fence : undefined });
  }

  async function isOver(): Promise<boolean> {
    const left = KINDS.map((kind) => `messages.kind.${kind}`)
      .map((kind) => `${kind}.open + ${kind}.claimed + ${kind}.blocked`).join(" + ");
    return (await insist("POST", "/rooms/r/eval", { expr: left })).body.value === 0;
  }

  async function work(agent: string): Promise<void> {
    for (;;) {
      const asked = { agent, ttl: TTL, timeout: pick([0, TIMEOUT_MS]), ...pick(TAKES) };
      const { status, body } = await insist("POST", `${at}/claim`, asked, random() < 0.5);
      assert.equal(status, 200, JSON.stringify(body));
      if (body.claimed) {
        const { message_id: id, fence } = body;
        record.taken.set(fence, { id, agent });
        const before = left.get(id);
        if (before && before.fence < fence) {
          const late = await insist("POST", `${at}/${id}/complete`, { ...before, result: "late" });
          assert.equal(late.body.error, "lease_lost", JSON.stringify(late.body));
          found.add("complete too late");
        }
        await finish(agent, id, fence);
      } else if (await isOver()) return;
    }
  }

  try {
    await insist("POST", "/rooms", { id: "r" });
    await insist("PUT", "/rooms/r/state", { key: "from", value: 0 });
    const ids: number[] = [];
    const post = async (n: number) => {
      const more = random() < 0.3 ? { max_attempts: pick([1, 2, 3]) } : {};
      const needs = n < TASKS - NEEDY ? [] : [pick(ids), pick(ids)];
      const message = { kind: pick(KINDS), body: n, needs, ...more };
      ids.push((await insist("POST", at, message)).body.id);
    };
    await Promise.all(Array.from({ length: TASKS - NEEDY }, (_, n) => post(n)));
    for (let n = TASKS - NEEDY; n < TASKS; n++) await post(n);
    mortal = true;
    await Promise.all(Array.from({ length: WORKERS }, (_, n) => work(`w${n % 2}`)));
    mortal = false;
    time.hold();
    return { record, found, fates, messages: await roomOf(start(), at) };
  } finally {
    mortal = false;
    for (const instance of all) await instance.stop();
  }
}

interface Shown {
  messages: Json[];
  attempts: Map<number, Json[]>;
  kinds: Map<string, Json>;
}

/** What an instance shows that nothing happens to. */
async function roomOf({ ask }: Mortal, at: string): Promise<Shown> {
  const get = async (path: string) => (await ask("GET", path))!.body;
  const messages: Json[] = await get(`${at}?limit=1000`);
  const tasks = messages.filter(({ kind }) => KINDS.includes(kind));
  const attempts = new Map<number, Json[]>();
  await Promise.all(tasks.map(async ({ id }) => attempts.set(id, await get(`${at}/${id}/attempts`))));
  const kinds = new Map<string, Json>();
  for (const kind of [...KINDS, "result"]) {
    const value = (await ask("POST", "/rooms/r/eval", { expr: `messages.kind.${kind}` }))!.body.value;
    kinds.set(kind, value);
  }
  return { messages, attempts, kinds };
}

/** Each task has ended once, under the fence of its last claim; no two claims of it overlap. */
function assertEndedOnce(
  { messages, attempts }: Shown,
  { taken, completed, failed, released, refused }: Answered,
): void {
  const tasks = messages.filter(({ id }) => attempts.has(id));
  assert.equal(tasks.length, TASKS, "none is lost");
  const ended = new Map<number, { id: number; agent: string; ended: string }>();
  for (const task of tasks) {
    const own = attempts.get(task.id)!;
    const told = JSON.stringify({ task, own });
    assert.ok(["done", "failed"].includes(task.status), told);
    assert.equal(own.length, task.attempts, told);
    for (const [n, attempt] of own.entries()) {
      ended.set(attempt.fence, { id: task.id, agent: attempt.agent, ended: attempt.ended });
      const before = own[n - 1];
      if (before) assert.ok(attempt.fence > before.fence && attempt.claimed_at >= before.ended_at, told);
      assert.ok(attempt.ended !== null && (attempt.ended !== "completed" || n === own.length - 1), told);
    }
    const last = own.at(-1);
    assert.equal(task.status === "done", last?.ended === "completed", told);
    if (last) assert.deepEqual([task.fence, task.claimed_by], [last.fence, last.agent], told);
  }
  assert.equal(ended.size, [...attempts.values()].flat().length, "no two claims have one fence");
  const endOf = (fence: number) => ended.get(fence);
  for (const [fence, { id, agent }] of taken) {
    assert.deepEqual([endOf(fence)?.id, endOf(fence)?.agent], [id, agent], `${fence} was answered`);
  }
  for (const [fence, { id }] of completed) {
    assert.deepEqual([endOf(fence)?.id, endOf(fence)?.ended], [id, "completed"]);
  }
  for (const [fence, id] of failed) assert.deepEqual([endOf(fence)?.id, endOf(fence)?.ended], [id, "failed"]);
  for (const fence of released) assert.equal(endOf(fence)?.ended, "released");
  for (const fence of refused) assert.notEqual(endOf(fence)?.ended, "completed");
}

/** A result is there for each completion that gave one, and for nothing else. */
function assertResults({ messages, attempts }: Shown, { completed }: Answered): void {
  const results = messages.filter(({ kind }) => kind === "result");
  const byId = new Map(messages.map((message) => [message.id, message]));
  for (const { id, reply_to, body, from_agent } of results) {
    const { status, result_id, fence, claimed_by } = byId.get(reply_to);
    assert.deepEqual([status, result_id, fence, claimed_by], ["done", id, body, from_agent]);
  }
  const named = messages.flatMap(({ result_id }) => result_id ?? []);
  assert.deepEqual(named.sort((a, b) => a - b), results.map(({ id }) => id));
  for (const [fence, { id, result }] of completed) {
    const { result_id } = byId.get(id);
    assert.equal(result_id && byId.get(result_id).body, result ?? null, `the result of ${fence}`);
  }
  assert.equal(messages.length, attempts.size + results.length);
}

async function assertCounted({ messages, kinds }: Shown, url: string): Promise<void> {
  for (const [kind, { last, ...counts }] of kinds) {
    const own = messages.filter((message) => message.kind === kind);
    const expected = Object.fromEntries(
      Object.keys(counts).map((name) => [
        name,
        name === "count" ? own.length : own.filter(({ status }) => status === name).length,
      ]),
    );
    assert.deepEqual({ last, ...counts }, { last: own.at(-1)?.id ?? 0, ...expected }, kind);
  }
  const connection = await connect(url);
  try {
    const sql = `SELECT message_count, unclaimed_count, (SELECT COUNT(*) FROM needs) AS needs,
      (SELECT COUNT(*) FROM attempts WHERE ended IS NULL) AS attempts FROM rooms`;
    const [[row]] = await connection.send([{ sql, args: {} }], "read") as [[Json]];
    const { message_count, unclaimed_count, needs, attempts } = row;
    assert.deepEqual([message_count, unclaimed_count, needs, attempts].map(Number), [
      messages.length,
      0,
      0,
      0,
    ]);
  } finally {
    connection.close();
  }
}

for (const kind of Object.keys(DATABASES)) {
  Deno.test(`${kind}: instances that die at any step of takes and their ends leave each task to be done once`, () =>
    withQueue(kind, async (url, seed) => {
      const { record, found, fates, messages } = await workOff(url, fastTime(), createDraw(seed));
      assertEndedOnce(messages, record);
      assertResults(messages, record);
      await assertCounted(messages, url);
      console.log(
        `${[...fates].map(([fate, count]) => `${fate} ${count}`).join(", ")}; ${
          [...found].sort().join(", ")
        }`,
      );
      for (const fate of ["dies before", "dies after", "loses the answer"] as const) {
        assert.ok(fates.get(fate), fate);
      }
    }));
}
