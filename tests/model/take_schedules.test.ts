import assert from "node:assert/strict";
import { ask, type Instance, RUNS, scheduled } from "./scheduled.ts";

/** Milliseconds of a poll, so that looks come among the drawn calls. */
const POLL_MS = 3;
/** Of takes and reservations that wait. Longer than a test lasts. */
const TIMEOUT_MS = 20_000;
/** How long the mark of such a wait stays where its instance dies. */
const LEASE_MS = TIMEOUT_MS + 5_000;
const TTL = 2;
/** So many that an instance has taken something before it dies about as often as not. */
const DYING_STEPS = 8;

/** What takes ask for: filters alone, what is judged of a message, of the state with it, and of what a take changes. */
const TAKES = [
  {},
  { where: "message.body >= 0" },
  { where: "message.body >= state._shared.from" },
  { where: "messages.kind.task.open > 0" },
];

interface Task {
  id: number;
  status: string;
  claimed_by: string | null;
  fence: number | null;
}

interface Reservation {
  fence: number;
  agent: string;
}

const register = (app: Instance["app"], agents: string[]) =>
  Promise.all(agents.map((id) => ask(app, "POST", "/rooms/r/agents", { id, name: id })));

/** The agents that show as waiting. */
async function waiting(app: Instance["app"]): Promise<string[]> {
  const agents: { id: string; status: string }[] = (await ask(app, "GET", "/rooms/r/agents")).body;
  return agents.filter(({ status }) => status === "waiting").map(({ id }) => id);
}

const tasksOf = async (app: Instance["app"]): Promise<Task[]> =>
  (await ask(app, "GET", "/rooms/r/messages?kind=task")).body;

/** Takes until there is nothing left. */
async function takeAll(app: Instance["app"], members: object): Promise<number[]> {
  const { body } = await ask(app, "POST", "/rooms/r/messages/claim", members);
  return body.claimed ? [body.message_id, ...await takeAll(app, members)] : [];
}

/** Fails where an attempt begins before the one before it has ended. */
async function assertOneHolder(app: Instance["app"], { id }: Task): Promise<void> {
  const { body: attempts } = await ask(app, "GET", `/rooms/r/messages/${id}/attempts`);
  for (const [n, attempt] of attempts.slice(1).entries()) {
    assert.ok(attempt.fence > attempts[n].fence && attempt.claimed_at >= attempts[n].ended_at);
  }
}

Deno.test("whatever the order of database calls, a task that waits for takes has one holder, though an instance dies", async () => {
  const found = new Set<string>();
  await scheduled(2, async ({ apps: [one, other], until, dies, revives, pass }) => {
    const names = (prefix: string) => TAKES.map((_, n) => `${prefix}${n}`);
    await register(one!, [...names("live"), ...names("dead")]);
    const post = () => ask(one!, "POST", "/rooms/r/messages", { kind: "task", body: 1 });
    const takes = (app: Instance["app"], prefix: string) =>
      TAKES.map((more, n) => {
        const members = { agent: `${prefix}${n}`, ttl: TTL, timeout: TIMEOUT_MS, ...more };
        return ask(app, "POST", "/rooms/r/messages/claim", members);
      });
    const replies = await until(() => {
      takes(other!, "dead"); // some are never answered
      return Promise.all([
        dies(1, DYING_STEPS),
        ...takes(one!, "live"),
        (async () => {
          for (let n = 0; n < 2 * TAKES.length; n++) await post();
        })(),
        ask(one!, "PUT", "/rooms/r/state", { key: "from", value: 1 }),
      ]);
    });
    const got = replies.flatMap((reply) => reply?.body.claimed ? [reply.body] : []);
    assert.deepEqual(got.map(({ claimed_by }) => claimed_by).sort(), names("live"));
    const held = (await tasksOf(one!)).filter(({ status }) => status === "claimed");
    for (const name of ["fence", "claimed_by"] as const) {
      assert.equal(new Set(held.map((task) => task[name])).size, held.length, `no two have one ${name}`);
    }
    for (const { message_id, fence, claimed_by } of got) {
      const end = { agent: claimed_by, fence };
      assert.equal((await ask(one!, "POST", `/rooms/r/messages/${message_id}/complete`, end)).status, 200);
    }
    found.add(held.length > got.length ? "taken" : "not taken");
    if ((await waiting(one!)).length > 0) found.add("marked");

    // What the dead instance has taken ends by itself; what it says later changes nothing.
    pass(TTL * 1_000);
    const rest = await takeAll(one!, { agent: "eve", ttl: 3_600 });
    assert.deepEqual(
      [...rest, ...got.map(({ message_id }) => message_id)].sort((a, b) => a - b),
      (await tasksOf(one!)).map(({ id }) => id),
      "none is lost, and none had twice",
    );
    pass(LEASE_MS - TTL * 1_000);
    assert.deepEqual(await waiting(one!), [], "a mark of the dead instance goes on");
    const before = await tasksOf(one!);
    await revives(1);
    assert.deepEqual(await tasksOf(one!), before);
    for (const task of before) await assertOneHolder(one!, task);
  }, { runs: Math.ceil(RUNS / 3), poll: POLL_MS });
  assert.deepEqual([...found].sort(), ["marked", "not taken", "taken"]);
});

Deno.test("whatever the order of database calls, paths that are waited for have one holder, though an instance dies", async () => {
  const found = new Set<string>();
  await scheduled(2, async ({ apps: [one, other], until, dies, revives, pass }) => {
    await register(one!, ["ann", "bob", "dee", "dov"]);
    const reserve = (app: Instance["app"], agent: string, timeout = TIMEOUT_MS) =>
      ask(app, "POST", "/rooms/r/reservations", { agent, paths: ["src/**"], ttl: TTL, timeout });
    const inForce = async (): Promise<Reservation[]> =>
      (await ask(one!, "GET", "/rooms/r/reservations")).body;
    const { body: first } = await reserve(one!, "eve", 0);
    const live = ["ann", "bob"].map((agent) => ({ agent, answer: Promise.withResolvers<Reservation>() }));
    await until(async () => {
      for (const agent of ["dee", "dov"]) reserve(other!, agent); // some are never answered
      for (const { agent, answer } of live) reserve(one!, agent).then(({ body }) => answer.resolve(body));
      await Promise.all([
        dies(1, DYING_STEPS),
        ask(one!, "DELETE", `/rooms/r/reservations/${first.id}`, { agent: "eve" }),
      ]);
    });
    const fences: number[] = [first.fence];
    const left = new Set(live);
    for (let rounds = 0; left.size > 0; rounds++) {
      assert.ok(rounds < 5, "those who wait get the paths once those of the dead instance end");
      const [holder, ...others] = await inForce();
      assert.deepEqual(others, [], "two hold them");
      if (holder && holder.fence !== fences.at(-1)) {
        assert.ok(holder.fence > fences.at(-1)!);
        fences.push(holder.fence);
      }
      const own = [...left].find(({ agent }) => agent === holder?.agent);
      if (own) {
        assert.equal((await own.answer.promise).fence, holder!.fence);
        left.delete(own);
      } else if (holder) found.add("the dead has them");
      pass(TTL * 1_000);
      await inForce(); // its end is made, which wakes those who wait
      for (let turn = 0; left.size > 0 && (await inForce()).length === 0; turn++) assert.ok(turn < 500);
    }
    if ((await waiting(one!)).length > 0) found.add("marked");
    pass(LEASE_MS);
    assert.deepEqual(await waiting(one!), [], "a mark of the dead instance goes on");
    await revives(1);
    assert.ok((await inForce()).length <= 1);
  }, { runs: Math.ceil(RUNS / 3), poll: POLL_MS });
  assert.deepEqual([...found].sort(), ["marked", "the dead has them"]);
});
