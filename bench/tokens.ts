/**
 * Requests a second of 16 agents that show tokens, against the same of 16 that show none, in alternating rounds at one
 * instance: `tokens.ts [--at=file] [--rounds=20]`.
 */
import { startService } from "../tests/support/service.ts";
import { type Job, type LoadClient, startLoadClient } from "./support/load_client.ts";
import { openDatabase, type Place, PLACES, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { alternate, median } from "./support/statistics.ts";
import { cpuSeconds } from "./support/usage.ts";

const AGENTS = 16;
const KEYS = 4;
const ROUND_MS = quick ? 300 : 1_000;
const given = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(`--${name}=`.length);
const ROUNDS = Number(given("rounds") ?? (quick ? 1 : 20));

const SUBJECTS = ["without", "with"] as const;
type Subject = typeof SUBJECTS[number];

/** Makes a room of 16 agents; each has a token where they are secure. */
async function prepare(url: string, room: string, secure: boolean): Promise<Array<string | undefined>> {
  const ask = async (path: string, body: unknown) => {
    const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
    if (response.status !== 201) throw new Error(`POST ${path}: ${response.status}`);
    return await response.json();
  };
  await ask("/rooms", { id: room });
  const tokens = [];
  for (let n = 0; n < AGENTS; n++) {
    const agent = { id: `agent-${n}`, name: "Agent", secure };
    tokens.push((await ask(`/rooms/${room}/agents`, agent)).token);
  }
  return tokens;
}

/** What the agents ask, by the name of the operation. */
function operationsOf(room: string, tokens: Array<string | undefined>): Record<string, Job["requests"]> {
  const places = tokens.flatMap((token, n) =>
    Array.from({ length: KEYS }, (_, key) => ({ agent: `agent-${n}`, key: `key-${n}-${key}`, token }))
  );
  const path = `/rooms/${room}`;
  return {
    "PUT state": places.map((
      { agent, key, token },
    ) => ["PUT", `${path}/state`, { key, value: { of: key }, agent }, token]),
    "POST message": places.map((
      { agent, key, token },
    ) => ["POST", `${path}/messages`, { from: agent, body: key }, token]),
    "GET one key": places.map(({ key, token }) => ["GET", `${path}/state?key=${key}`, undefined, token]),
  };
}

const report = new Report("tokens");

async function compare(load: LoadClient, place: Place): Promise<void> {
  await withCleanup(async (stack) => {
    const { url, process, stop } = await startService({ database: await openDatabase(stack, place) });
    stack.defer(stop);
    const operations: Record<Subject, Record<string, Job["requests"]>> = {
      without: operationsOf("open", await prepare(url, "open", false)),
      with: operationsOf("guarded", await prepare(url, "guarded", true)),
    };
    const rows = [];
    for (const operation of Object.keys(operations.with)) {
      const samples = await alternate(SUBJECTS, ROUNDS, async (subject) => {
        const requests = operations[subject][operation]!;
        const before = await cpuSeconds(process.pid);
        const outcome = await load.run({ urls: [url], connections: AGENTS, ms: ROUND_MS, requests });
        const failed = Object.keys(outcome.statuses).filter((status) => !/^2/.test(status));
        if (failed.length > 0) throw new Error(`${operation} ${subject}: ${failed.join(", ")}`);
        const cpu = (await cpuSeconds(process.pid) - before) * 1e6 /
          outcome.statuses[operation.startsWith("POST") ? 201 : 200]!;
        return { perSecond: outcome.perSecond, cpu };
      });
      const of = (subject: Subject, name: "perSecond" | "cpu") =>
        samples[subject].map((sample) => sample[name]);
      const without = of("without", "perSecond");
      const ratio = median(of("with", "perSecond").map((value, round) => value / without[round]!));
      report.target(`${operation}, ${place}, with tokens`, ratio, { least: 0.95 }, "x");
      rows.push({
        operation,
        "without/s": Math.round(median(without)),
        "with/s": Math.round(median(of("with", "perSecond"))),
        ratio,
        "without cpu us": median(of("without", "cpu")),
        "with cpu us": median(of("with", "cpu")),
      });
    }
    report.table(`${place}: ${AGENTS} agents, medians of ${ROUNDS} rounds`, rows);
  });
}

const at = given("at");
await withCleanup(async (stack) => {
  const load = startLoadClient();
  stack.defer(() => load.stop());
  for (const place of at ? PLACES.filter((place) => place === at) : PLACES) await compare(load, place);
});
await report.finish();
