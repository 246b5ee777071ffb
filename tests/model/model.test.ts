import assert from "node:assert/strict";
import fc from "fast-check";
import { contract, Subject } from "../support/backends.ts";
import { heldContract } from "../support/held.ts";
import { holdTimers } from "../support/timers.ts";
import type { Run } from "./run.ts";
import { WAIT_MS } from "./reference/agents.ts";
import type { Clock } from "./reference/clock.ts";
import { createWorld } from "./reference/world.ts";
import { first, last, leaveAll, steps } from "./steps.ts";

const runs = Number(Deno.env.get("MODEL_RUNS") ?? 40);
/** Where the time is not held, nothing ends by itself: fewer plans suffice there. */
const timeless = Math.ceil(runs / 4);
const seed = Number(Deno.env.get("MODEL_SEED") ?? Date.now() % 2 ** 31);

/** The last one kept is the shortest that fast-check found. */
async function keep(seed: number, timeline: string): Promise<void> {
  const folder = new URL("histories/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL(`model-${seed}.txt`, folder), timeline);
}

/** Runs plans against a service, whose rooms are also seen by another; gives the routes that were asked. */
async function check(
  runs: number,
  clock: Clock,
  { subject, other = subject, timers }: { subject: Subject; other?: Subject; timers?: Run["timers"] },
): Promise<Set<string>> {
  console.log(`model: ${runs} runs, seed ${seed}`);
  let sent = 0;
  const asked = new Set<string>();
  const plans = fc.commands(steps, { maxCommands: 250, size: "max" });
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const name = crypto.randomUUID().slice(0, 8);
      const world = createWorld([`${name}-a`, `${name}-b`, `${name}-c`], clock);
      const run: Run = { subject, other, timeline: [], asked, waits: [], timers };
      clock.now += 1_000;
      try {
        await fc.asyncModelRun(() => ({ model: world, real: run }), [...first, ...plan, ...last]);
      } catch (error) {
        await keep(seed, (error as Error).message);
        throw error;
      } finally {
        await leaveAll(run);
        sent += run.timeline.length;
      }
    }),
    { seed, numRuns: runs },
  );
  console.log(`model: ${sent} requests answered as expected`);
  return asked;
}

contract("whatever rooms are asked, they answer as the model does", async (subject) => {
  await check(timeless, { now: 0, held: false }, { subject });
});

/** What the page, the documents and MCP are made of: they have tests of their own. */
const PAGES = /^\/(assets|docs|mcp)\b|^\/[^/]*$/;
/** Tokens and codes decide who is answered, not what: tests/strangers/ and the contract draw who holds them. */
const OF_HOLDERS = /^\w+ (\/rooms\/:room\/(tokens|invites)|\/join)\b|^DELETE \/rooms\/:room$/;

heldContract("and so they do where the model holds the time; every route is asked", async (held) => {
  const { one: subject, other, time, routes } = held;
  using timers = holdTimers(WAIT_MS);
  const asked = await check(runs, Object.assign(time, { held: true }), { subject, other, timers });
  for (const { method, path } of routes) {
    if (method === "ALL" || method === "OPTIONS" || path !== "/rooms" && PAGES.test(path)) continue;
    if (OF_HOLDERS.test(`${method} ${path}`)) continue;
    const route = new RegExp(`^${method} ${path.replaceAll(/:\w+/g, "[^/]+")}$`);
    assert.ok([...asked].some((request) => route.test(request)), `No command asks ${method} ${path}`);
  }
});
