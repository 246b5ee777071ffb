import assert from "node:assert/strict";
import { Connection, encodeRequest } from "../../bench/support/connection.ts";
import { residentKiB } from "../../bench/support/usage.ts";
import { compile } from "../../cel/rooms/expression.ts";
import { createWatch } from "../../cel/waits/watch.ts";
import { connect } from "../../db/driver/open.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { type Batch, isPoll, withApp } from "../support/app.ts";
import { Subject } from "../support/backends.ts";
import { waitsOpen } from "../support/figures.ts";
import { startService } from "../support/service.ts";
import { OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import { long } from "./form.ts";

const CONDITION = "has(state._shared.go)";
const NOBODY = { max: 1, maxPerRoom: 1, length: 1 };
const POLL_MS = 5;
/** As many polls as would come in this time show that none comes any more. */
const SILENCE_MS = 40 * POLL_MS;
const GONE_WITHIN_MS = 10_000;

const isMark = ({ statements }: Batch) => statements.some(({ sql }) => sql.includes("INSERT INTO waits"));

async function rowsOfWaits(file: string): Promise<number> {
  const connection = await connect(file);
  try {
    const [rows] = await connection.send([{ sql: "SELECT COUNT(*) AS count FROM waits", args: {} }], "read");
    return Number(rows![0]!.count);
  } finally {
    connection.close();
  }
}

/** A signal that tells how many listen to it. */
function watchedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const listening = new Set<unknown>();
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    listening.add(listener);
    add(type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    listening.delete(listener);
    remove(type, listener);
  };
  return { signal, listening, leave: () => controller.abort() };
}

const WAVE = 50;
const IN_PROCESS = long ? 100_000 : 5_000;

Deno.test({
  name: `${IN_PROCESS} waits that are dropped leave no waiter, row, listener, timer or poll`,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: () =>
    withApp(async (app) => {
      const { json, services: { database, reader }, batches } = app;
      await json("POST", "/rooms", { id: "r" });
      await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
      const condition = compile(CONDITION);
      // One waiter that stays would be one too many for the next wave.
      const watch = createWatch(database, reader, { poll: POLL_MS, max: WAVE, followers: NOBODY });
      const drop = (leave: () => void, n: number, marked: Promise<unknown>) => {
        if (n % 4 === 0) leave(); // before anything
        else if (n % 4 === 1) setTimeout(leave); // during the first look, or after it
        else marked.then(leave); // when it, or another, is shown as waiting
      };
      let listening = 0;
      for (let begun = 0; begun < IN_PROCESS; begun += WAVE) {
        batches.length = 0;
        const marked = app.nextBatch(isMark);
        const signals = Array.from({ length: WAVE }, watchedSignal);
        const waits = signals.map(({ signal, leave }, n) => {
          const agent = n % 3 === 0 ? undefined : "ann";
          const wait = watch.wait({
            viewer: EVERYBODY,
            room: "r",
            condition,
            agent,
            timeout: LIMITS.waitMs,
            include: {},
            signal,
          });
          drop(leave, n, marked);
          return wait;
        });
        for (const result of await Promise.all(waits)) assert.equal(result, undefined);
        for (const signal of signals) listening += signal.listening.size;
      }
      assert.equal(listening, 0);
      // A mark may be cleared, and a first look be taken, after their wait has ended.
      await untilNothing(() => rowsOfWaits(app.file));
      // Whoever still polls does so in each silence; the last look of a wait comes in one.
      await untilNothing(async () => {
        batches.length = 0;
        await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
        return batches.filter(isPoll).length;
      });
    }),
});

const OVER_HTTP = long ? 100_000 : 1_000;
const CONNECTIONS = 100;
const AGENTS = 10;
/** What the memory may grow by after a fifth of the long form; in the short one a fresh instance still warms up. */
const GROWTH_MIB = 32;

Deno.test(`${OVER_HTTP} waits whose clients hang up leave the instance as it was`, async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const database = `file:${folder}/convene.db`;
  const limits = { RATE_LIMIT: "1000000", ROOM_RATE_LIMIT: "0", WAITS_PER_CALLER: String(CONNECTIONS) };
  const service = await startService({ database, env: { ...limits, OPERATOR_TOKEN: OPERATOR } });
  try {
    const client = new Subject(service.url);
    await client.post("/rooms", { id: "r" });
    for (let n = 0; n < AGENTS; n++) await client.agent("r", `a${n}`);
    const body = (n: number) => ({ condition: CONDITION, agent: `a${n % AGENTS}` });

    let early = 0;
    for (let begun = 0; begun < OVER_HTTP; begun += CONNECTIONS) {
      if (begun === OVER_HTTP / 5) early = await residentKiB(service.process.pid);
      await hangUp(service.url, body, begun);
    }
    await untilNothing(async () => await waitsOpen(client) + await rowsOfWaits(database));
    for (let n = 0; n < AGENTS; n++) {
      await client.agentUntil("r", `a${n}`, ({ status, waiting_on }) => status === "active" && !waiting_on);
    }
    const grown = (await residentKiB(service.process.pid) - early) / 1_024;
    console.log(
      `${OVER_HTTP} dropped waits: from ${(early / 1_024).toFixed(0)} MiB by ${grown.toFixed(1)} MiB`,
    );
    assert.ok(!long || grown <= GROWTH_MIB, `grown by ${grown} MiB`);

    // As many as there may be are admitted again, and one is too many: none of those that left is still counted.
    const again = Array.from({ length: CONNECTIONS + 1 }, () => client.post("/rooms/r/wait", body(0)));
    assert.equal((await Promise.race(again)).status, 429);
    await client.write("r", "go", true);
    const triggered = (await Promise.all(again)).filter((reply) => reply.body.triggered);
    assert.equal(triggered.length, CONNECTIONS);
  } finally {
    await service.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

/** Begins waits on connections of their own and closes these: at once, after a turn, or when one is answered. */
async function hangUp(url: string, body: (n: number) => unknown, from: number): Promise<void> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(url)));
  const answers = connections.map((connection, n) =>
    connection.exchange(encodeRequest("POST", "/rooms/r/wait", body(from + n))).catch(() => "hung up")
  );
  connections.forEach((connection, n) => n % 3 === 0 && connection.close());
  const turn = await Connection.open(url);
  await turn.exchange(encodeRequest("GET", "/rooms/r"));
  connections.forEach((connection, n) => n % 3 === 1 && connection.close());
  await turn.exchange(encodeRequest("GET", "/rooms/r/agents"));
  turn.close();
  connections.forEach((connection) => connection.close());
  await Promise.all(answers);
}

const untilNothing = (count: () => Promise<number>) => until(count, (left) => left === 0, GONE_WITHIN_MS);
