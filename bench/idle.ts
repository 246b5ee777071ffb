/** What waits cost while nothing happens: database requests, processor time, memory. */
import { startService } from "../tests/support/service.ts";
import { Connection, encodeRequest } from "./support/connection.ts";
import { type CountingProxy, startCountingProxy } from "./support/counting_proxy.ts";
import { pause } from "./support/pause.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { cpuSeconds, residentKiB } from "./support/usage.ts";

const SETTINGS: [waits: number, rooms: number][] = quick ? [[0, 1], [1, 1], [200, 20]] : [
  [0, 1],
  [1, 1],
  [200, 1],
  [200, 20],
  [200, 200],
  [10_000, 1],
  [10_000, 20],
  [10_000, 1_000],
];
/** The requests of 200 idle waits before there were quick looks and hints, and what a window may add by its ends. */
const FORMER_PER_SECOND = 4.67 + 0.34;
const WINDOW_MS = quick ? 1_500 : 6_000;
/** Waits that are begun at once, and the pause before the next: 4,000 a second. */
const AT_ONCE = 100;
const BETWEEN_MS = 25;
/** What is left of the time until the first wait ends by itself, after the start and the window. */
const SETTLE_MS = 8_000;

const report = new Report("idle");
const rows = [];
for (const [waits, rooms] of SETTINGS) rows.push(await measure(waits, rooms));
report.table(`idle waits on one instance over ${WINDOW_MS / 1_000} s, on a libSQL server`, rows);
await report.finish();

async function measure(waits: number, rooms: number) {
  let row = {};
  await withCleanup(async (stack) => {
    const proxy = startCountingProxy(stack, await openDatabase(stack, "libsql"));
    const service = await startService({ database: proxy.url });
    stack.defer(() => service.stop());
    const { url, process: { pid } } = service;
    await prepare(await connected(stack, url), rooms);
    const emptyKiB = await residentKiB(pid);
    const ended = await begin(stack, url, waits, rooms);
    await settled(proxy);

    const [before, cpu, began] = [proxy.counts(), await cpuSeconds(pid), performance.now()];
    await pause(WINDOW_MS);
    const seconds = (performance.now() - began) / 1_000;
    const after = proxy.counts();
    const eachKiB = waits === 0 ? 0 : (await residentKiB(pid) - emptyKiB) / waits;
    const figures = {
      "requests/s": (after.requests - before.requests) / seconds,
      "statements/s": (after.statements - before.statements) / seconds,
      "cpu %": (await cpuSeconds(pid) - cpu) / seconds * 100,
    };
    row = { waits, rooms, ...figures, "KiB each": eachKiB, "empty MiB": emptyKiB / 1_024, ended: ended() };
    const what = `${waits} waits in ${rooms} rooms`;
    if (waits === 200) {
      report.target(`${what}: database requests`, figures["requests/s"], { most: FORMER_PER_SECOND }, "/s");
    }
    if (waits < 10_000 || rooms < 1_000) return;
    report.target(`${what}: database requests`, figures["requests/s"], { most: 5 }, "/s");
    report.target(`${what}: processor`, figures["cpu %"], { most: 10 }, "% of a core");
    report.target(`${what}: memory each`, eachKiB, { most: 48 }, " KiB");
  });
  return row;
}

/** Makes the rooms and the instance's usual size: what the first thousand requests need is not the waits'. */
async function prepare(connection: Connection, rooms: number): Promise<void> {
  for (let n = 0; n < 1_000; n++) {
    if (n < rooms) await ask(connection, "POST", "/rooms", { id: `r${n}` });
    const body = { condition: "has(state._shared.never)", timeout: 0 };
    await ask(connection, "POST", `/rooms/r${n % rooms}/wait`, body);
  }
}

/** Begins the waits, on a connection each; gives how many have ended since, which should be none. */
async function begin(stack: AsyncDisposableStack, url: string, waits: number, rooms: number) {
  let ended = 0;
  let closing = false;
  const opened: Connection[] = [];
  stack.defer(() => {
    closing = true;
    opened.forEach((connection) => connection.close());
  });
  for (let n = 0; n < waits; n++) {
    const connection = await Connection.open(url);
    opened.push(connection);
    const body = { condition: "has(state._shared.never)" };
    const answer = connection.exchange(encodeRequest("POST", `/rooms/r${n % rooms}/wait`, body));
    answer.catch(() => {}).finally(() => closing || ended++);
    if (n % AT_ONCE === AT_ONCE - 1) await pause(BETWEEN_MS);
  }
  return () => ended;
}

/** Resolves when the first looks of the waits are over: a second passes with next to no database requests. */
async function settled(proxy: CountingProxy): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  for (let seen = -Infinity; proxy.counts().requests - seen > 8 && performance.now() < deadline;) {
    seen = proxy.counts().requests;
    await pause(1_000);
  }
}
