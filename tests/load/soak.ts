/**
 * Mixed load on one instance for a while, by hand: `MINUTES=30 deno run -A tests/load/soak.ts`. Prints the resident
 * memory of each minute. It ends with 1 where an answer was unexpected, or the last fifth of the time needs over a tenth
 * more than the first: of 30 minutes these are 24 apart, and 1 MiB a minute would be some 15% of what an instance takes.
 */
import { median } from "../../bench/support/statistics.ts";
import { residentKiB } from "../../bench/support/usage.ts";
import { Client, type Reply } from "../support/client.ts";
import { type Service, startService } from "../support/service.ts";

const MINUTES = Number(Deno.env.get("MINUTES") || 30);
const CLIENTS = 20;
/** The pause of a client between two steps, in milliseconds. */
const PAUSE_MS = 100;
const ROOMS = 10;
/**
 * The instance takes its usual size within 20 s of this load: 113 MiB after 10 s, 148 after 20, then about as much for
 * eight minutes. Hence the first minute is not counted. The collector's rounds let a single minute differ by 20 MiB from
 * the next; hence the medians of several.
 */
const WARM_UP_MS = 60_000;
const MINUTE_MS = 60_000;
const SAMPLE_MS = 5_000;
const COMPARED_MINUTES = Math.ceil(MINUTES / 5);
const GROWTH = 1.1;

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

/** The resident memory over a minute, in MiB. */
async function minuteOf(pid: number): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < MINUTE_MS / SAMPLE_MS; n++) {
    await pause(SAMPLE_MS);
    samples.push(await residentKiB(pid) / 1_024);
  }
  return samples;
}

/** How many times what it needed at first the instance needs at last. */
async function soak({ url, process: { pid } }: Service): Promise<number> {
  const client = new Client(url);
  await prepare(client);
  last = performance.now() + WARM_UP_MS + MINUTES * MINUTE_MS;
  const running = Promise.all(Array.from({ length: CLIENTS }, (_, n) => run(client, n * STEPS.length + n)));
  await pause(WARM_UP_MS);
  const minutes: number[][] = [];
  while (minutes.length < MINUTES) {
    minutes.push(await minuteOf(pid));
    console.log(`minute ${minutes.length}: ${median(minutes.at(-1)!).toFixed(1)} MiB`);
  }
  await running;
  const [first, end] = [minutes.slice(0, COMPARED_MINUTES), minutes.slice(-COMPARED_MINUTES)]
    .map((compared) => median(compared.flat()));
  console.log(`at first ${first!.toFixed(1)} MiB, at last ${end!.toFixed(1)} MiB`);
  return end! / first!;
}

const service = await startService();
const grown = await soak(service).finally(service.stop);
const steps = [...counts.values()].reduce((sum, count) => sum + count, 0);
console.log(`${((grown - 1) * 100).toFixed(1)}% more`);
console.log(`${steps} steps: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}`);
console.log(`unexpected: ${JSON.stringify(Object.fromEntries(unexpected))}`);
if (unexpected.size > 0 || grown > GROWTH) Deno.exit(1);
