import assert from "node:assert/strict";
import { connect, type Lock } from "../../client/mod.ts";
import { checked } from "../support/timers.ts";
import { acted, answer, refusal, type Sent } from "../support/scripted.ts";

const STATE = "/rooms/r/state";
const WAIT = "/rooms/r/wait";
const conflict = () => refusal(409, "version_conflict", { current: null });
const free = () => answer({ triggered: true, value: true });

/** A service with one key; `odd` answers in its place where it gives something. */
function keyed(odd: (request: Sent) => Response | Promise<Response> | undefined = () => undefined) {
  let version = 3;
  let held = false;
  const service = acted((request) => {
    const other = odd(request);
    if (other) return other;
    const { method, path, body } = request;
    if (path === WAIT) return free();
    if (body.if_version !== (held ? version : 0)) return conflict();
    held = method === "PUT";
    version++;
    return answer(held ? { version } : { deleted: true });
  });
  const room = connect("http://service", { fetch: service.fetch }).room("r", { agent: "ada" });
  return { ...service, room };
}

const told = (sent: Sent[]) => sent.map(({ method, path, body }) => [method, path, body]);

checked("a lock is a key that is made, renewed under its version and deleted under it", async () => {
  const renewed = Promise.withResolvers<void>();
  let puts = 0;
  const { room, sent } = keyed(({ method }) => void (method === "PUT" && ++puts === 3 && renewed.resolve()));
  const lock = await room.lock("deploy", { ttl: 1 });
  assert.deepEqual([lock.key, lock.fence, lock.signal.aborted], ["deploy", 4, false]);
  await renewed.promise;
  assert.equal(await lock.release(), true);
  assert.equal(lock.fence, 4);
  assert.equal(await lock.release(), false, "it was given back already");
  const put = (
    if_version: number,
  ) => ["PUT", STATE, { agent: "ada", if_version, ttl: 1, key: "deploy", value: "ada" }];
  const deleted = ["DELETE", STATE, { agent: "ada", if_version: 6, key: "deploy" }];
  assert.deepEqual(told(sent), [put(0), put(4), put(5), deleted, deleted]);
  assert.equal(lock.signal.aborted, false);
});

checked("a lock that another holds is waited for by a condition, as often as others are faster", async () => {
  const script = [conflict(), free(), conflict(), free()];
  const { room, sent } = keyed(() => script.shift());
  await using lock = await room.lock('a "b"');
  assert.equal(lock.fence, 4);
  assert.deepEqual(sent.map(({ path }) => path), [STATE, WAIT, STATE, WAIT, STATE]);
  assert.equal(sent[1]!.body.condition, '!("a \\"b\\"" in state._shared)');
  assert.equal(sent[1]!.body.agent, "ada");
});

checked("a lock that is disposed of is given back", async () => {
  const { room, sent } = keyed();
  {
    await using _ = await room.lock("k");
  }
  assert.deepEqual(sent.map(({ method }) => method), ["PUT", "DELETE"]);
});

checked("a lock that is lost aborts its signal, and cannot be given back", async () => {
  let puts = 0;
  const { room } = keyed(({ method }) => method === "DELETE" || ++puts > 1 ? conflict() : undefined);
  const lock = await room.lock("k", { ttl: 1 });
  await aborted(lock);
  assert.equal(lock.signal.reason.code, "version_conflict");
  assert.equal(await lock.release(), false);
});

checked("a renewal that is in flight is awaited before the lock is given back", async () => {
  const renewing = Promise.withResolvers<void>();
  const answers = Promise.withResolvers<Response>();
  let puts = 0;
  const { room, sent } = keyed(({ method }) => {
    if (method === "DELETE") return answer({ deleted: true });
    if (++puts < 2) return undefined;
    renewing.resolve();
    return answers.promise;
  });
  const lock = await room.lock("k", { ttl: 1 });
  await renewing.promise;
  const releasing = lock.release();
  answers.resolve(answer({ version: 9 }));
  assert.equal(await releasing, true);
  assert.equal(sent.at(-1)!.body.if_version, 9);
});

checked("whoever leaves while it waits for a lock has none", async () => {
  const reason = new Error("enough");
  for (const [path, answered] of [[STATE, answer({ version: 4 })], [WAIT, undefined]] as const) {
    const asked = Promise.withResolvers<void>();
    const answers = Promise.withResolvers<Response>();
    const { room, sent } = keyed((request) => {
      if (path === WAIT && request.path === STATE) return conflict();
      if (request.method === "DELETE") return answer({ deleted: true });
      asked.resolve();
      return answers.promise;
    });
    const leave = new AbortController();
    const locking = room.lock("k", { signal: leave.signal });
    await asked.promise;
    leave.abort(reason);
    if (answered) answers.resolve(answered);
    await assert.rejects(locking, reason);
    assert.deepEqual(sent.map(({ method }) => method), answered ? ["PUT", "DELETE"] : ["PUT", "POST"]);
  }
});

checked("a barrier counts an agent once, and waits for the others", async () => {
  const { room, sent } = keyed(({ path }) => path === WAIT ? free() : answer({}));
  await room.barrier("start", 3);
  assert.deepEqual(told(sent), [
    ["PUT", STATE, { agent: "ada", key: "barrier:start", merge: { ada: true } }],
    ["POST", WAIT, {
      agent: "ada",
      condition: 'state._shared["barrier:start"].size() >= 3',
      timeout: 25_000,
    }],
  ]);
  await assert.rejects(room.barrier("start", NaN), TypeError);
  const nobody = connect("http://service", { fetch: () => Promise.reject(new Error("nothing is sent")) })
    .room("r");
  await assert.rejects(nobody.barrier("start", 1), TypeError);
});

const aborted = (lock: Lock) =>
  new Promise<void>((resolve) => {
    if (lock.signal.aborted) resolve();
    else lock.signal.addEventListener("abort", () => resolve(), { once: true });
  });
