/**
 * The figures of this checkout over those of another one, measured in alternating rounds of one run:
 * `compare.ts PATH [--rounds=20]`. A ratio above 1 says that this checkout is faster, or costs less.
 */
import { pathToFileURL } from "node:url";
import { startService } from "../tests/support/service.ts";
import { Connection } from "./support/connection.ts";
import { startCountingProxy } from "./support/counting_proxy.ts";
import { type LoadClient, startLoadClient } from "./support/load_client.ts";
import { pause } from "./support/pause.ts";
import { openDatabase, type Place, withCleanup } from "./support/places.ts";
import { aligned } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { alternate, median } from "./support/statistics.ts";
import { cpuSeconds } from "./support/usage.ts";
import { OPERATIONS, prepareKeys, prepareRooms } from "./support/workload.ts";

const SUBJECTS = ["other", "this"] as const;
type Subject = typeof SUBJECTS[number];

const path = Deno.args.find((arg) => !arg.startsWith("--"));
if (path === undefined) throw new Error("Name the other checkout: compare.ts PATH [--rounds=20]");
const ROUNDS = Number(Deno.args.find((arg) => arg.startsWith("--rounds="))?.slice("--rounds=".length) ?? 20);
const ROUND_MS = 1_000;
const CONNECTIONS = 64;
const WAKES = 5;
const IDLE_WAITS = 200;
const IDLE_MS = 2_000;

const other: { startService: typeof startService } = await import(
  pathToFileURL(await Deno.realPath(`${path}/tests/support/service.ts`)).href
);
const START: Record<Subject, typeof startService> = { this: startService, other: other.startService };

const rows: Array<Record<string, string | number>> = [];

/** Notes the ratio of each round; `better` tells which way is faster. */
function note(what: string, samples: Record<Subject, number[]>, better: "higher" | "lower") {
  const ratios = samples.this.map((value, round) =>
    better === "higher" ? value / samples.other[round]! : samples.other[round]! / value
  );
  rows.push({ what, other: median(samples.other), this: median(samples.this), ratio: median(ratios) });
  console.log(aligned(rows.slice(-1)));
}

/** A service of each checkout over a database of its own. */
async function startBoth(stack: AsyncDisposableStack, place: Place) {
  const started = {} as Record<Subject, Awaited<ReturnType<typeof startService>>>;
  for (const subject of SUBJECTS) {
    const service = await START[subject]({ database: await openDatabase(stack, place) });
    stack.defer(() => service.stop());
    started[subject] = service;
  }
  return started;
}

async function throughput(load: LoadClient, place: Place) {
  for (const [operation, requests] of Object.entries(OPERATIONS)) {
    await withCleanup(async (stack) => {
      const services = await startBoth(stack, place);
      for (const { url } of Object.values(services)) {
        await prepareRooms(url);
        await prepareKeys(url);
      }
      const samples = await alternate(SUBJECTS, ROUNDS, async (subject) => {
        const job = { urls: [services[subject].url], connections: CONNECTIONS, ms: ROUND_MS, requests };
        return (await load.run(job)).perSecond;
      });
      note(`${operation}, ${place}, answers/s`, samples, "higher");
    });
  }
}

/** Milliseconds from the answer to a write to that of a wait, in the same instance. */
function wake(place: Place): Promise<void> {
  return withCleanup(async (stack) => {
    const services = await startBoth(stack, place);
    const clients = {} as Record<Subject, { writer: Connection; waiter: Connection }>;
    for (const subject of SUBJECTS) {
      const { url } = services[subject];
      clients[subject] = { writer: await connected(stack, url), waiter: await connected(stack, url) };
      await ask(clients[subject].writer, "POST", "/rooms", { id: "r" });
    }
    let turn = 0;
    const samples = await alternate(SUBJECTS, ROUNDS, async (subject) => {
      const { writer, waiter } = clients[subject];
      const delays: number[] = [];
      for (let n = 0; n < WAKES; n++) {
        const condition = `state._shared.turn == ${++turn}`;
        const answered = ask(waiter, "POST", "/rooms/r/wait", { condition }).then(() => performance.now());
        await pause(40);
        const written = performance.now();
        await ask(writer, "PUT", "/rooms/r/state", { key: "turn", value: turn });
        delays.push(await answered - written);
      }
      return median(delays);
    });
    note(`wake, ${place}, ms from the write's sending`, samples, "lower");
  });
}

function idle(): Promise<void> {
  return withCleanup(async (stack) => {
    const subjects = {} as Record<Subject, { pid: number; counts: () => { requests: number } }>;
    for (const subject of SUBJECTS) {
      const proxy = startCountingProxy(stack, await openDatabase(stack, "libsql"));
      const service = await START[subject]({ database: proxy.url });
      stack.defer(() => service.stop());
      subjects[subject] = { pid: service.process.pid, counts: proxy.counts };
      await ask(await connected(stack, service.url), "POST", "/rooms", { id: "r" });
      await holdWaits(stack, service.url);
    }
    const samples = await alternate(SUBJECTS, ROUNDS, async (subject) => {
      const { pid, counts } = subjects[subject];
      const [requests, cpu] = [counts().requests, await cpuSeconds(pid)];
      await pause(IDLE_MS);
      return { requests: counts().requests - requests, cpu: await cpuSeconds(pid) - cpu };
    });
    const of = (member: "requests" | "cpu") => ({
      this: samples.this.map((sample) => sample[member]),
      other: samples.other.map((sample) => sample[member]),
    });
    note(`idle, ${IDLE_WAITS} waits, database requests in ${IDLE_MS} ms`, of("requests"), "lower");
    note(`idle, ${IDLE_WAITS} waits, processor seconds in ${IDLE_MS} ms`, of("cpu"), "lower");
  });
}

/** Holds waits for as long as the stack lasts: one that ends is begun again. */
async function holdWaits(stack: AsyncDisposableStack, url: string) {
  let ended = false;
  stack.defer(() => void (ended = true));
  for (let n = 0; n < IDLE_WAITS; n++) {
    const connection = await connected(stack, url);
    (async () => {
      while (!ended) {
        await ask(connection, "POST", "/rooms/r/wait", { condition: "has(state._shared.never)" });
      }
    })().catch(() => {}); // closed with the stack
  }
}

const load = startLoadClient();
try {
  for (const place of ["file", "libsql"] as const) await throughput(load, place);
  for (const place of ["file", "libsql"] as const) await wake(place);
  await idle();
} finally {
  await load.stop();
}
console.log(`\nthis checkout over the other one, medians of ${ROUNDS} alternating rounds\n${aligned(rows)}`);
