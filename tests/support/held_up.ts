import assert from "node:assert/strict";
import { setPriority } from "node:os";
import { OTHERS_MS, SLOWNESS } from "./bounds.ts";
import { TextLineStream } from "./lines.ts";

/** What an input costs it costs every time; what the machine adds it does not. */
const MAX_TIMES = 3;

export interface HeldUp {
  /** The slowest and the median round trip, in milliseconds. */
  slowest: number;
  median: number;
}

interface Prober {
  /** Says a line to it and gives the line that it answers. */
  ask(line: string): Promise<string | undefined>;
  end(): Promise<void>;
}

function startProber(): Prober {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", new URL("prober.ts", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  preferred(process.pid);
  const input = process.stdin.getWriter();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  return {
    async ask(line) {
      await input.write(new TextEncoder().encode(`${line}\n`));
      return (await lines.read()).value;
    },
    async end() {
      await input.close().catch(() => {}); // it has ended already where a round trip of its failed
      await lines.cancel();
      await process.status;
    },
  };
}

/** One for all attacks of a file. */
let prober: Prober;

Deno.test.beforeAll(() => {
  prober = startProber();
});

Deno.test.afterAll(() => prober.end());

/**
 * How long others wait while `meanwhile` runs: the round trips of a small GET of `path`, which names another room,
 * taken by a process of its own.
 */
export async function heldUp(url: string, path: string, meanwhile: () => Promise<unknown>): Promise<HeldUp> {
  try {
    assert.equal(await prober.ask(new URL(path, url).href), "ready");
    await meanwhile();
    const took = (JSON.parse((await prober.ask("end"))!) as number[]).sort((a, b) => a - b);
    return { slowest: took.at(-1)!, median: took[took.length >> 1]! };
  } catch (error) {
    await prober.end();
    prober = startProber();
    throw error;
  }
}

/** Lets a process wait for no processor that the attack takes: attackers are on other machines. Needs the right to. */
function preferred(pid: number): void {
  try {
    setPriority(pid, -20);
  } catch {
    // Its round trips tell of its own waiting as well.
  }
}

/**
 * Asserts that others are answered in time while `attack` runs; the least of up to three attacks counts, and is
 * returned for the record. An attack is given its place among them, and may tell how long others waited for it by
 * another way, in milliseconds. What it needs is made by `prepare`, meanwhile nothing is measured.
 */
export async function assertOthersServed(
  name: string,
  { url, path }: { url: string; path: string },
  attack: (n: number) => Promise<unknown>,
  prepare: (n: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<HeldUp> {
  const all: HeldUp[] = [];
  do {
    const n = all.length;
    await prepare(n);
    let told: unknown;
    const { slowest, median } = await heldUp(url, path, async () => told = await attack(n));
    all.push({ slowest: Math.max(slowest, typeof told === "number" ? told : 0), median });
  } while (all.at(-1)!.slowest >= OTHERS_MS && all.length < MAX_TIMES);
  const least = all.reduce((a, b) => a.slowest <= b.slowest ? a : b);
  const slowness = SLOWNESS.toFixed(1);
  const told = all.map(({ slowest }) => Math.round(slowest)).join(", ");
  assert.ok(
    least.slowest < OTHERS_MS,
    `${name}: others waited ${told} ms, ${OTHERS_MS} at most on a machine ${slowness} times as slow`,
  );
  return least;
}
