import assert from "node:assert/strict";
import { connect, type Message, type Room, type TaskLease } from "../../client/mod.ts";
import { acted, answer, away, refusal, type Sent } from "../support/scripted.ts";
import { checked, countListeners, holdTimers } from "../support/timers.ts";

const CLAIM = "/rooms/r/messages/claim";
const never = () => new Promise<never>(() => {});
const taken = (id: number, body: unknown = null) =>
  answer({
    claimed: true,
    claimed_by: "ada",
    message_id: id,
    claimed_at: "2026-11-22T04:20:00.000Z",
    claimed_until: "2026-11-22T04:21:00.000Z",
    fence: 10 * id,
    attempts: 1,
    message: { id, kind: "task", body, fence: 10 * id, status: "claimed" },
  });

/** A service that has these tasks, then none, and does what it is told, but for what `odd` answers. */
function queue(
  ids: number[],
  odd: (request: Sent) => Response | Promise<Response> | undefined = () => undefined,
) {
  const waiting = [...ids];
  const service = acted((request) => {
    const other = odd(request);
    if (other) return other;
    if (request.path !== CLAIM) return answer({});
    const id = waiting.shift();
    return id === undefined ? never() : taken(id);
  });
  const room = connect("http://service", { fetch: service.fetch }).room("r", { agent: "ada" });
  return { ...service, room };
}

/** What was sent for a task, without the takes. */
const settled = (sent: Sent[]) =>
  sent.filter(({ path }) => path !== CLAIM).map((
    { path, body },
  ) => [path.slice("/rooms/r/messages/".length), body]);

/** Runs a worker until `until` resolves, then stops it. Its handler is seen to end before the worker does. */
async function works(
  room: Room,
  handler: (message: Message, lease: TaskLease) => unknown,
  until: Promise<unknown>,
  options = {},
): Promise<void> {
  const stop = new AbortController();
  const working = room.tasks.worker(handler, { signal: stop.signal, ...options });
  await Promise.race([until, working]);
  stop.abort(new Error("enough"));
  await working;
}

/** Resolves when a request comes for which `is` is true. */
function coming(is: (request: Sent) => boolean) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, see: (request: Sent) => void (is(request) && resolve()) };
}

checked("a worker takes, completes with what its handler returned, and takes the next", async () => {
  const idle = coming(({ path }) => path === CLAIM && ++takes === 3);
  let takes = 0;
  const { room, sent } = queue([1, 2], (request) => void idle.see(request));
  const handler = (message: Message, { fence, attempts }: TaskLease) =>
    message.id === 1 ? { fence, attempts } : undefined;
  await works(room, handler, idle.promise, { kind: "task", where: "message.body == null" });
  assert.deepEqual(settled(sent), [
    ["1/complete", { agent: "ada", fence: 10, result: { fence: 10, attempts: 1 } }],
    ["2/complete", { agent: "ada", fence: 20 }],
  ]);
  assert.deepEqual(sent[0]!.body, {
    agent: "ada",
    kind: "task",
    where: "message.body == null",
    ttl: 60,
    timeout: 0,
  });
  assert.equal(new Set(sent.map(({ key }) => key)).size, sent.length);
});

checked("while the handler runs its claim is renewed by each third of its time, and no longer", async () => {
  const renewed = coming(({ path }) => path.endsWith("/renew") && ++renewals === 2);
  let renewals = 0;
  const idle = coming(({ path }) => path === CLAIM && ++takes === 2);
  let takes = 0;
  const { room, sent } = queue([1], (request) => {
    idle.see(request);
    renewed.see(request);
    return undefined;
  });
  const start = performance.now();
  let taken = 0;
  const handler = () => renewed.promise.then(() => void (taken = performance.now() - start));
  await works(room, handler, idle.promise, { ttl: 1 });
  assert.ok(taken >= 666 && taken < 1_000, `${taken} ms for two thirds of a second`);
  assert.deepEqual(settled(sent), [
    ["1/renew", { agent: "ada", fence: 10, ttl: 1 }],
    ["1/renew", { agent: "ada", fence: 10, ttl: 1 }],
    ["1/complete", { agent: "ada", fence: 10 }],
  ]);
});

checked("a task whose handler throws is released with the error, at most 4 KiB of it", async () => {
  class Told extends Error {
    toJSON = () => ({ exit: 3 });
  }
  const thrown: Array<[unknown, unknown]> = [
    [new RangeError("no such line"), { name: "RangeError", message: "no such line" }],
    [new Told("exit 3"), { exit: 3 }],
    ["text", "text"],
    [undefined, "undefined"],
    [1n, "1"],
    [new Error("\u0000".repeat(5_000)), { name: "Error", message: "\u0000".repeat(600) }],
    ["\ud83d\ude00".repeat(3_000), `"${"\ud83d\ude00".repeat(299)}\ufffd`],
  ];
  for (const [error, told] of thrown) {
    const released = coming(({ path }) => path.endsWith("/release"));
    const { room, sent } = queue([1], (request) => void released.see(request));
    await works(room, () => Promise.reject(error), released.promise);
    assert.deepEqual(settled(sent), [["1/release", { agent: "ada", fence: 10, error: told }]]);
  }
});

checked("a result that is no JSON, or that is refused, releases the task with the reason", async () => {
  for (const [result, told] of [[NaN, /is no JSON/], ["large", /It is too_large/]] as const) {
    const released = coming(({ path }) => path.endsWith("/release"));
    const { room, sent } = queue([1], (request) => {
      released.see(request);
      return request.path.endsWith("/complete") ? refusal(413, "too_large") : undefined;
    });
    await works(room, () => result, released.promise);
    const [path, body] = settled(sent).at(-1)!;
    assert.equal(path, "1/release");
    assert.match(body.error.message, told);
  }
});

checked("after a failure the worker pauses, so that a task that always fails is no storm", async () => {
  const released = coming(({ path }) => path.endsWith("/release") && ++releases === 3);
  let releases = 0;
  const { room } = queue([1, 1, 1], (request) => void released.see(request));
  const start = performance.now();
  await works(room, () => Promise.reject(new Error("always")), released.promise);
  assert.ok(performance.now() - start >= 125 + 250, "half of 250 ms, then half of 500 ms, at the least");
});

checked(
  "a lease that is lost aborts the handler's signal, and the worker goes on with the next task",
  async () => {
    const done = coming(({ path }) => path.endsWith("2/complete"));
    const { room, sent } = queue([1, 2], (request) => {
      done.see(request);
      return request.path.endsWith("1/renew") ? refusal(409, "lease_lost", { claimed_by: "bob" }) : undefined;
    });
    const reasons: unknown[] = [];
    const handler = async ({ id }: Message, { signal }: TaskLease) => {
      if (id !== 1) return;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      reasons.push(signal.reason.code, signal.reason.body.claimed_by);
      throw signal.reason;
    };
    await works(room, handler, done.promise, { ttl: 1 });
    assert.deepEqual(reasons, ["lease_lost", "bob"]);
    assert.deepEqual(settled(sent).map(([path]) => path), ["1/renew", "2/complete"]);
  },
);

checked("a lease that cannot be renewed in its time is lost, as far as the handler knows", async () => {
  const released = coming(({ path }) => path.endsWith("/release"));
  const { room } = queue([1], (request) => {
    released.see(request);
    return request.path.endsWith("/renew") ? away(503) : undefined;
  });
  const start = performance.now();
  let lost = 0;
  const handler = async (_: Message, { signal }: TaskLease) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    lost = performance.now() - start;
    throw signal.reason;
  };
  await works(room, handler, released.promise, { ttl: 1 });
  assert.ok(lost >= 333 && lost <= 1_100, `${lost} ms`);
});

checked("told to stop, a worker aborts its handlers, gives their tasks back and then resolves", async () => {
  const { room, sent } = queue([1, 2]);
  const running = Promise.withResolvers<void>();
  let started = 0;
  const handler = ({ id }: Message, { signal }: TaskLease) => {
    if (++started === 2) running.resolve();
    // The second one finishes what it does.
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => id === 1 ? reject(signal.reason) : resolve("done"), {
        once: true,
      });
    });
  };
  await works(room, handler, running.promise, { concurrency: 2 });
  assert.deepEqual(settled(sent).toSorted(), [
    ["1/release", { agent: "ada", fence: 10, error: { name: "Error", message: "enough" } }],
    ["2/complete", { agent: "ada", fence: 20, result: "done" }],
  ]);
});

checked("a worker runs as many handlers as it may, and one take at a time", async () => {
  const open = new Set<Sent>();
  let most = 0;
  let running = 0;
  let mostRunning = 0;
  const ids = [1, 2, 3, 4, 5, 6];
  const idle = Promise.withResolvers<void>();
  const { room } = queue([], async (request) => {
    if (request.path !== CLAIM) return answer({});
    open.add(request);
    most = Math.max(most, open.size);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const id = ids.shift();
    if (id === undefined) {
      idle.resolve();
      return await never();
    }
    open.delete(request);
    return taken(id);
  });
  const handler = async () => {
    mostRunning = Math.max(mostRunning, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
  };
  await works(room, handler, idle.promise, { concurrency: 3 });
  assert.deepEqual([most, mostRunning, running], [1, 3, 0]);
  await assert.rejects(room.tasks.worker(handler, { concurrency: 0 }), TypeError);
});

checked("a worker fails where nothing passes, and after the first answer outlasts every outage", async () => {
  const gone = queue([], () => refusal(404, "room_not_found"));
  await assert.rejects(gone.room.tasks.worker(() => {}), { code: "room_not_found" });

  const script = [taken(1), away(530), away(521), taken(2)];
  const idle = Promise.withResolvers<void>();
  const { fetch, sent } = acted(({ path }) => {
    if (path !== CLAIM) return answer({});
    const next = script.shift();
    if (next) return next;
    idle.resolve();
    return never();
  });
  const room = connect("http://service", { fetch, patience: 0 }).room("r", { agent: "ada" });
  await works(room, () => {}, idle.promise);
  assert.deepEqual(settled(sent).map(([path]) => path), ["1/complete", "2/complete"]);
  const [, ...second] = sent.filter(({ path }) => path === CLAIM).slice(0, 4);
  assert.equal(new Set(second.map(({ key }) => key)).size, 1, "the repetitions of a take are one");
  assert.deepEqual(second[0], second[2]);
});

checked("what was taken by a lost answer is renewed, and left alone if it has ended meanwhile", async () => {
  const replayed = (id: number) => {
    const response = taken(id);
    response.headers.set("Idempotency-Replayed", "true");
    return response;
  };
  const script = [away(503), replayed(1), away(503), replayed(2)];
  const until = "2026-11-22T05:00:00.000Z";
  const { room, sent } = queue([], ({ path }) => {
    if (path === CLAIM) return script.shift();
    if (path.includes("/1/")) return refusal(409, "lease_lost");
    return answer({ claimed: true, claimed_until: until, fence: 20 });
  });
  const next = await room.tasks.next();
  assert.deepEqual([next.message.id, next.claimed_until, next.message.claimed_until], [2, until, until]);
  assert.deepEqual(
    settled(sent),
    [1, 2].map((id) => {
      return [`${id}/renew`, { agent: "ada", fence: 10 * id, ttl: 300 }];
    }),
  );
});

checked("a task that is taken while its taker leaves is given back", async () => {
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<Response>();
  const { room, sent } = queue([], ({ path }) => {
    if (path !== CLAIM) return answer({ released: true });
    asked.resolve();
    return told.promise;
  });
  const leave = new AbortController();
  const reason = new Error("enough");
  const taking = room.tasks.next({ signal: leave.signal });
  await asked.promise;
  leave.abort(reason);
  told.resolve(taken(7));
  await assert.rejects(taking, reason);
  assert.deepEqual(settled(sent), [["7/release", { agent: "ada", fence: 70 }]]);
});

checked("whoever has left already sends nothing", async () => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const { room, sent } = queue([1]);
  await assert.rejects(room.tasks.next({ signal }), reason);
  await assert.rejects(room.lock("k", { signal }), reason);
  await assert.rejects(room.reservations.reserve(["a"], { signal }), reason);
  await room.tasks.worker(() => {}, { signal });
  assert.deepEqual(sent, []);
});

checked("whoever leaves a take that has no answer is not held up", async () => {
  using timers = holdTimers(500);
  const asked = Promise.withResolvers<void>();
  const { room } = queue([], () => {
    asked.resolve();
    return never();
  });
  const leave = new AbortController();
  const reason = new Error("enough");
  const taking = room.tasks.next({ signal: leave.signal });
  await asked.promise;
  leave.abort(reason);
  assert.equal(timers.count, 1);
  timers.fire();
  await assert.rejects(taking, reason);
});

checked("next looks at all the tasks, page by page, waits at the last one, and begins anew", async () => {
  const none = { claimed: false, timeout: true, elapsed_ms: 1 };
  const script = [
    answer({ ...none, more: true, next: 1_000 }),
    answer({ ...none, last_error: { code: "no_such_key", message: "No x." } }),
    answer({ ...none, more: true, next: 1_000 }),
    ...Array.from({ length: 4 }, () => answer(none)),
    answer({ ...none, more: true, next: 1_000 }),
    taken(1_001),
  ];
  const { room, sent } = queue([], () => script.shift());
  const first = await room.tasks.next({ where: "message.body.x", after: 5, timeout: 0 });
  assert.deepEqual([first.claimed, "last_error" in first && first.last_error?.code], [false, "no_such_key"]);
  assert.ok(!("more" in first || "next" in first));
  assert.equal((await room.tasks.next({ where: "message.body.x" })).message.id, 1_001);
  const asked = sent.map(({ body }) => [body.after, body.timeout]);
  assert.deepEqual(asked.splice(0, 2), [[5, 0], [1_000, 0]]);
  // A task behind 1,000 that do not fit is taken at once.
  assert.deepEqual(asked, [
    ...[[undefined, 0], [1_000, 0], [1_000, 25_000]],
    ...[[undefined, 0], [undefined, 25_000], [undefined, 25_000], [1_000, 0]],
  ]);
});

checked("next waits at once where no filter has the service look at tasks", async () => {
  const { room, sent } = queue([1]);
  await room.tasks.next({ kind: "build", to: "ada" });
  assert.deepEqual(sent.map(({ body }) => body.timeout), [25_000]);
});

checked("a signal that lives long keeps no listener of what has ended", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const idle = coming(({ path }) => path === CLAIM && ++takes === 6);
  let takes = 0;
  const { room } = queue([1, 2, 3, 4, 5, 6], (request) => {
    idle.see(request);
    return request.path === CLAIM ? undefined : answer({ version: 1, deleted: true, triggered: true });
  });
  await room.tasks.next({ signal });
  await (await room.lock("k", { signal })).release();
  await room.reservations.reserve(["a"], { signal });
  await room.barrier("b", 1, { signal });
  assert.equal(listeners.count, 0);
  const stop = new AbortController();
  const stops = countListeners(stop.signal);
  let most = 0;
  const working = room.tasks.worker(() => void (most = Math.max(most, stops.count)), { signal: stop.signal });
  await idle.promise;
  assert.ok(most <= 2, `${most} listeners`);
  stop.abort();
  await working;
  assert.equal(stops.count, 0);
});
