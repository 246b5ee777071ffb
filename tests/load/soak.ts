/**
 * Mixed load on one instance for a while, by hand: `MINUTES=30 deno run -A tests/load/soak.ts`. Prints the memory at
 * the start, each minute and at the end. It ends with 1 where an answer was unexpected.
 */
import { residentKiB } from "../../bench/support/usage.ts";
import { Client, type Reply } from "../support/client.ts";
import { startService } from "../support/service.ts";

const MINUTES = Number(Deno.env.get("MINUTES") || 30);
const CLIENTS = 20;
/** The pause of a client between two steps, in milliseconds. */
const PAUSE_MS = 100;
const ROOMS = 10;
/** The first requests make the instance its usual size; the start is after them. */
const WARM_UP_MS = Math.min(60_000, MINUTES * 60_000 / 10);

const counts = new Map<string, number>();
const unexpected = new Map<string, number>();
let last = 0;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const increase = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);

/** What a client does, one after the other; each must be answered with one of the statuses. */
type Step = [
  name: string,
  statuses: number[],
  act: (client: Client, room: string, n: number) => Promise<Reply>,
];

const STEPS: Step[] = [
  [
    "write",
    [200],
    (c, room, n) => c.put(`${room}/state`, { key: `k${n % 50}`, value: { n, text: "x".repeat(n % 500) } }),
  ],
  ["increment", [200], (c, room) => c.put(`${room}/state`, { key: "n", increment: true, agent: "a1" })],
  ["message", [201], (c, room, n) => c.post(`${room}/messages`, { from: `a${n % 5}`, body: { n } })],
  ["read", [200], (c, room) => c.get(`${room}/state`, { key: "n" })],
  [
    "gate",
    [200, 409],
    (c, room, n) => c.put(`${room}/state`, { key: "gate", value: n, if: "state._shared.n % 2 == 0" }),
  ],
  ["messages", [200], (c, room) => c.get(`${room}/messages`, { last: 20 })],
  [
    "wait",
    [200],
    (c, room, n) =>
      c.post(`${room}/wait`, { condition: `state._shared.n < 0`, agent: `a${n % 5}`, timeout: 200 }),
  ],
  [
    "woken",
    [200],
    (c, room) =>
      c.post(`${room}/wait`, { condition: "state._shared.n > 0", include: ["agents", "messages"] }),
  ],
  ["eval", [200], (c, room, n) => c.post(`${room}/eval`, { expr: `size(agents) + ${n}` })],
  ["refused", [400], (c, room) => c.post(`${room}/eval`, { expr: "state._shared." })],
  ["dropped wait", [200], droppedWait],
  ["stream", [200], shortStream],
];

/** Leaves a wait before it is answered; what is counted is a request after it. */
async function droppedWait(client: Client, room: string, n: number): Promise<Reply> {
  const leaving = new AbortController();
  const options = { body: { condition: "state._shared.n < 0", agent: `a${n % 5}` }, signal: leaving.signal };
  const wait = client.request("POST", `${room}/wait`, options).catch(() => undefined);
  await pause(PAUSE_MS);
  leaving.abort();
  await wait;
  return await client.get(room);
}

/** Reads the first event of a stream and leaves it. */
async function shortStream(client: Client, room: string): Promise<Reply> {
  const response = await fetch(`${client.url}${room}/events`);
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  return await client.get(room);
}

async function run(client: Client, first: number): Promise<void> {
  for (let n = first; performance.now() < last; n++) {
    const [name, statuses, act] = STEPS[n % STEPS.length]!;
    const outcome = await act(client, `/rooms/r${n % ROOMS}`, n).then(({ status }) => status, String);
    increase(counts, name);
    if (!statuses.includes(Number(outcome))) increase(unexpected, `${name}: ${outcome}`);
    await pause(PAUSE_MS);
  }
}

async function prepare(client: Client): Promise<void> {
  for (let r = 0; r < ROOMS; r++) {
    await client.post("/rooms", { id: `r${r}` });
    for (let a = 0; a < 5; a++) await client.post(`/rooms/r${r}/agents`, { id: `a${a}`, name: "A" });
    await client.put(`/rooms/r${r}/state`, { key: "n", value: 1 });
  }
}

const service = await startService();
const mebibytes = async () => (await residentKiB(service.process.pid)) / 1_024;
try {
  const client = new Client(service.url);
  await prepare(client);
  last = performance.now() + WARM_UP_MS + MINUTES * 60_000;
  const running = Promise.all(Array.from({ length: CLIENTS }, (_, n) => run(client, n * STEPS.length + n)));
  await pause(WARM_UP_MS);
  const [start, began] = [await mebibytes(), performance.now()];
  console.log(`start, after ${WARM_UP_MS / 1_000} s of the same load: ${start.toFixed(1)} MiB`);
  while (performance.now() + 60_000 < last) {
    await pause(60_000);
    console.log(
      `${((performance.now() - began) / 60_000).toFixed(0)} min: ${(await mebibytes()).toFixed(1)} MiB`,
    );
  }
  await running;
  const end = await mebibytes();
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  const steps = [...counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `end, after ${minutes} min: ${end.toFixed(1)} MiB, ${((end / start - 1) * 100).toFixed(1)}% more`,
  );
  console.log(`${steps} steps: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}`);
  console.log(`unexpected: ${JSON.stringify(Object.fromEntries(unexpected))}`);
} finally {
  await service.stop();
}
if (unexpected.size > 0) Deno.exit(1);
