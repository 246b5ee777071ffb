import assert from "node:assert/strict";
import { type Answer, Connection } from "../../bench/support/connection.ts";
import { peakKiB } from "../../bench/support/usage.ts";
import { compile, type Expression } from "../../cel/rooms/expression.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { withApp } from "../support/app.ts";
import { Client } from "../support/client.ts";
import { startService } from "../support/service.ts";
import { assertStatus } from "../support/shapes.ts";
import { long } from "./form.ts";
import { EVERYBODY } from "../../db/viewer.ts";

const CONDITION = "has(state._shared.go)";
const GO = { key: "go", value: true };
const MAX_MIB = 512;

/**
 * A condition that counts its evaluations, and tells when as many waits were looked at as are expected: whether one
 * is equal to another shows in its source.
 */
function counted(source: string) {
  const condition = compile(source);
  const expected = { count: Infinity, reach() {} };
  const evaluations = { count: 0, true: 0 };
  let looks = 0;
  const counting: Expression = {
    ...condition,
    get source() {
      if (++looks === expected.count) expected.reach();
      return source;
    },
    judge(context) {
      evaluations.count++;
      const judgement = condition.judge(context);
      if (judgement.truthy) evaluations.true++;
      return judgement;
    },
  };
  const reached = (count: number) =>
    new Promise<void>((resolve) => Object.assign(expected, { count, reach: resolve }));
  return { condition: counting, evaluations, reached };
}

/** Waits that are begun together. */
const TOGETHER = 500;

Deno.test("an instance holds 10,000 waits and no more; one write wakes them all with one evaluation", () =>
  withApp(async ({ json, services }) => {
    await json("POST", "/rooms", { id: "r" });
    const { condition, evaluations, reached } = counted(CONDITION);
    const { signal } = new AbortController();
    const request = { viewer: EVERYBODY, room: "r", condition, timeout: LIMITS.waitMs, include: {}, signal };
    const waits: ReturnType<typeof services.watch.wait>[] = [];
    const begin = async (count: number) => {
      const looked = reached(waits.length + count);
      for (let n = 0; n < count; n++) waits.push(services.watch.wait(request));
      await Promise.race([looked, Promise.all(waits.slice(-count))]); // the waits end first where one fails
    };
    const ask = () => json("POST", "/rooms/r/wait", { condition: CONDITION, timeout: 0 });

    for (let begun = TOGETHER; begun < LIMITS.waits; begun += TOGETHER) await begin(TOGETHER);
    await begin(TOGETHER - 1);
    assert.equal((await ask()).body.timeout, true);
    await begin(1);
    assert.ok(
      evaluations.count < LIMITS.waits / 100,
      `${evaluations.count} evaluations: waits that begin at once share their first look`,
    );
    const refused = await ask();
    assert.deepEqual([refused.status, refused.body.error], [503, "unavailable"]);

    await json("PUT", "/rooms/r/state", GO);
    const results = await Promise.all(waits);
    assert.equal(results.filter((result) => result?.triggered).length, LIMITS.waits);
    assert.equal(evaluations.true, 1); // the first looks are not all made once they have begun
  }));

const COUNT = long ? LIMITS.waits : 1_000;
const REFUSED = long ? [503, "unavailable"] : [429, "rate_limited"];
const AT_MOST_COUNT = { RATE_LIMIT: "1000000", ROOM_RATE_LIMIT: "0", WAITS_PER_CALLER: String(COUNT) };

Deno.test(`${COUNT} waits over HTTP take at most ${MAX_MIB} MiB and are all answered by one write`, async () => {
  const service = await startService({ env: long ? {} : AT_MOST_COUNT });
  const opened: Connection[] = [];
  try {
    const client = new Client(service.url);
    assertStatus(await client.post("/rooms", { id: "r" }), 201);
    const waits: Promise<Answer>[] = [];
    for (let n = 0; n <= COUNT; n++) {
      const connection = await Connection.open(service.url);
      opened.push(connection);
      waits.push(connection.request("POST", "/rooms/r/wait", { condition: CONDITION }));
    }
    // One is too many: when that is refused, all others are held.
    const answering = Promise.allSettled(waits);
    const refused = await Promise.race(waits);
    assert.deepEqual([refused.status, JSON.parse(refused.text).error], REFUSED);

    const written = performance.now();
    assertStatus(await client.put("/rooms/r/state", GO), 200);
    const answers = (await answering).map((answer) =>
      answer.status === "fulfilled" ? answer.value : undefined
    );
    const took = performance.now() - written;
    const triggered = answers.filter((answer) => answer?.status === 200 && JSON.parse(answer.text).triggered);
    assert.equal(triggered.length, COUNT);
    const mebibytes = await peakKiB(service.process.pid) / 1_024;
    console.log(
      `${COUNT} waits: ${mebibytes.toFixed(0)} MiB at the most, all answered after ${took.toFixed(0)} ms`,
    );
    assert.ok(mebibytes <= MAX_MIB, `${mebibytes.toFixed(0)} MiB`);
  } finally {
    opened.forEach((connection) => connection.close());
    await service.stop();
  }
});
