/** How long after the answer to a write a waiter has its own: in the same instance, in another, and in conversation. */
import { startService } from "../tests/support/service.ts";
import { Connection } from "./support/connection.ts";
import { pingPong, speech, type Wakes } from "./support/conversation.ts";
import { pause } from "./support/pause.ts";
import { openDatabase, type Place, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected, roundTrip } from "./support/requests.ts";
import { quantile } from "./support/statistics.ts";

const POLL_MS = 250;
/** The writes are spread over this time, several intervals, since these are not quite as long as `POLL_MS`. */
const SPREAD_MS = 4 * POLL_MS;
const ROUNDS: Record<number, number> = quick ? { 1: 4, 100: 1, 1000: 1 } : { 1: 100, 100: 20, 1000: 8 };

/** How long at the most the waiters of the same instance wait: half of them, and nearly all. */
const SAME_INSTANCE: Record<number, { p50?: number; p99?: number }> = {
  1: { p50: 5 },
  100: { p99: 100 },
  1000: { p99: 500 },
};

/** How long at the most a wake takes at another instance, in a room in conversation. */
const CONVERSATION = { p50: 25, p99: 120 };

interface Setting {
  name: string;
  place: Place;
  instances: 1 | 2;
}

const SETTINGS: Setting[] = [
  { name: "same instance, file", place: "file", instances: 1 },
  { name: "same instance, libsql", place: "libsql", instances: 1 },
  { name: "across instances, libsql", place: "libsql", instances: 2 },
];

const report = new Report("wake");
for (const setting of SETTINGS) await measure(setting);
await measureConversations();
await report.finish();

function measure({ name, place, instances }: Setting): Promise<void> {
  return withCleanup(async (stack) => {
    const database = await openDatabase(stack, place);
    const urls: string[] = [];
    for (let n = 0; n < instances; n++) {
      const service = await startService({ database, env: { WAIT_POLL_MS: String(POLL_MS) } });
      stack.defer(() => service.stop());
      urls.push(service.url);
    }
    const writer = await connected(stack, urls.at(-1)!);
    const trip = await roundTrip(writer);
    const rows = [];
    for (const [count, rounds] of Object.entries(ROUNDS)) {
      const row = await wakeUps(writer, urls[0]!, Number(count), rounds);
      const { "p50 ms": p50, "p99 ms": p99, missed } = row;
      judge(name, Number(count), { p50, p99, missed, across: instances > 1, trip });
      rows.push(row);
    }
    report.table(
      `${name}: a round trip takes ${trip.toFixed(1)} ms, the poll comes every ${POLL_MS} ms`,
      rows,
    );
  });
}

/** Two instances, with an agent at each. Only the waits' looks at the database tell one of the other's writes. */
function measureConversations(): Promise<void> {
  return withCleanup(async (stack) => {
    const database = await openDatabase(stack, "libsql");
    const urls: string[] = [];
    for (let n = 0; n < 2; n++) {
      const service = await startService({ database, env: { WAIT_POLL_MS: String(POLL_MS) } });
      stack.defer(() => service.stop());
      urls.push(service.url);
    }
    const [turns, warmUp] = quick ? [10, 2] : [200, 4];
    const kinds: Record<string, () => Promise<Wakes>> = {
      "ping-pong": () => pingPong(urls, { room: "ping-pong", turns, warmUp, thinks: () => 0 }),
      "ping-pong, each thinks 50 to 150 ms": () =>
        pingPong(urls, { room: "thoughtful", turns, warmUp, thinks: () => 50 + 100 * Math.random() }),
      "a write every 200 to 400 ms": () =>
        speech(urls, { room: "speech", turns, warmUp, every: () => 200 + 200 * Math.random() }),
    };
    const rows = [];
    for (const [name, run] of Object.entries(kinds)) {
      const { delays, missed } = await run();
      const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
      rows.push({
        conversation: name,
        turns,
        "p50 ms": p50,
        "p99 ms": p99,
        "most ms": quantile(delays, 1),
        missed,
      });
      const what = `in conversation, ${name}`;
      report.target(`${what}: missed`, missed, { most: 0 });
      report.target(`${what}: p50`, p50, { most: CONVERSATION.p50 }, " ms");
      report.target(`${what}: p99`, p99, { most: CONVERSATION.p99 }, " ms");
    }
    report.table(
      "across instances in conversation, libsql: from the answer to a write to that of the other agent's wait",
      rows,
    );
  });
}

interface Figures {
  p50: number;
  p99: number;
  missed: number;
  across: boolean;
  trip: number;
}

function judge(name: string, count: number, { p50, p99, missed, across, trip }: Figures): void {
  const what = `${name}, ${count} waiting`;
  report.target(`${what}: missed`, missed, { most: 0 });
  if (across && count === 1) report.target(`${what}: p50`, p50, { most: POLL_MS / 2 + 2 * trip }, " ms");
  if (across) return;
  const limits = SAME_INSTANCE[count]!;
  if (limits.p50) report.target(`${what}: p50`, p50, { most: limits.p50 }, " ms");
  if (limits.p99) report.target(`${what}: p99`, p99, { most: limits.p99 }, " ms");
}

/** Many wait for the same change, round after round. */
async function wakeUps(writer: Connection, url: string, count: number, rounds: number) {
  const room = `waiting-${count}`;
  await ask(writer, "POST", "/rooms", { id: room });
  const opened: Connection[] = [];
  const delays: number[] = [];
  let missed = 0;
  try {
    for (let n = 0; n < count; n++) opened.push(await Connection.open(url));
    for (let round = 0; round <= rounds; round++) {
      const body = { condition: `state._shared.round >= ${round}`, timeout: 5_000 };
      const waiting = opened.map((connection) => answeredAt(connection, `/rooms/${room}/wait`, body));
      // The poll starts with the first wait: later by the same step each round, the writes meet all of its phases evenly.
      await pause(POLL_MS + count / 2 + (round + Math.random()) / (rounds + 1) * SPREAD_MS);
      await ask(writer, "PUT", `/rooms/${room}/state`, { key: "round", value: round });
      const written = performance.now();
      const answered = await Promise.all(waiting);
      if (round === 0) continue; // warms up
      for (const at of answered) at === undefined ? missed++ : delays.push(Math.max(0, at - written));
    }
  } finally {
    opened.forEach((connection) => connection.close());
  }
  const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)];
  return { waiting: count, rounds, "p50 ms": p50, "p99 ms": p99, "most ms": quantile(delays, 1), missed };
}

/** When a wait was answered with a true condition; undefined where it was not. */
async function answeredAt(connection: Connection, path: string, body: unknown): Promise<number | undefined> {
  const { status, text } = await connection.request("POST", path, body);
  const at = performance.now();
  return status === 200 && JSON.parse(text).triggered ? at : undefined;
}
