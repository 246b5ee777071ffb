/**
 * Requests a second over 64 connections, against a handler that calls the database once a request.
 * `--at=file`, `--at=libsql`, `--at="libsql + 10 ms"`: there alone.
 */
import { startService } from "../tests/support/service.ts";
import { type Job, type LoadClient, type Outcome, startLoadClient } from "./support/load_client.ts";
import { openDatabase, type Place, PLACES, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { startScript } from "./support/script.ts";
import { alternate, median } from "./support/statistics.ts";
import { cpuSeconds } from "./support/usage.ts";
import { OPERATIONS, prepareKeys, prepareRooms } from "./support/workload.ts";

const CONNECTIONS = 64;
const ROUNDS = quick ? 1 : 5;
const ROUND_MS = quick ? 300 : 2_000;
/** Writes that the peer has under way: the most with which it is fast and its server does not hang. */
const WRITES_AT_ONCE: Record<Place, number> = { "file": 20, "libsql": 2, "libsql + 10 ms": 8 };

/** Bytes of answers without their heads, which have some 130. */
const BODIES = ["100", "300", "400", "600"] as const;

const SUBJECTS = ["naive", "ours"] as const;
type Subject = typeof SUBJECTS[number];
type Sample = Outcome & { cpu: number };

const at = Deno.args.find((arg) => arg.startsWith("--at="))?.slice("--at=".length);

const report = new Report("throughput");
await withCleanup(async (stack) => {
  const load = startLoadClient();
  stack.defer(() => load.stop());
  await showCeiling(load);
  for (const place of at ? PLACES.filter((place) => place === at) : PLACES) await compare(load, place);
});
await report.finish();

/** What the load client reaches with a server that does nothing. Deno sends what is over 512 bytes in two parts. */
function showCeiling(load: LoadClient): Promise<void> {
  return withCleanup(async (stack) => {
    const server = await startScript("support/trivial_server.ts");
    stack.defer(() => server.stop());
    const ceiling = await alternate(BODIES, ROUNDS, (bytes) => {
      const requests: Job["requests"] = [["GET", `/${bytes}`]];
      return load.run({ urls: [server.url], connections: CONNECTIONS, ms: ROUND_MS / 2, requests });
    });
    const rows = BODIES.map((bytes) => ({
      "bytes of the body": bytes,
      "requests/s": Math.round(median(ceiling[bytes].map(({ perSecond }) => perSecond))),
    }));
    report.table("the load client's ceiling, with a server that does nothing", rows);
  });
}

async function compare(load: LoadClient, place: Place): Promise<void> {
  const rows = [];
  for (const [operation, requests] of Object.entries(OPERATIONS)) {
    const samples = await sample(load, place, requests);
    rows.push(rowOf(place, operation, samples));
  }
  report.table(`${place}: ${CONNECTIONS} connections, medians of ${ROUNDS} rounds`, rows);
}

/** Measures both with one operation, each on a fresh database: should a server hang, the others are spared. */
async function sample(load: LoadClient, place: Place, requests: Job["requests"]) {
  let samples: Record<Subject, Sample[]> = { naive: [], ours: [] };
  await withCleanup(async (stack) => {
    const naive = await startScript("naive.ts", {
      DATABASE_URL: await openDatabase(stack, place),
      WRITES_AT_ONCE: String(WRITES_AT_ONCE[place]),
    });
    stack.defer(() => naive.stop());
    const ours = await startService({ database: await openDatabase(stack, place) });
    stack.defer(() => ours.stop());
    const running = { naive, ours: { url: ours.url, pid: ours.process.pid } };
    await prepareRooms(ours.url);
    await prepareKeys(naive.url);
    await prepareKeys(ours.url);

    samples = await alternate(SUBJECTS, ROUNDS, async (subject): Promise<Sample> => {
      const { url, pid } = running[subject];
      const before = await cpuSeconds(pid);
      const outcome = await load.run({ urls: [url], connections: CONNECTIONS, ms: ROUND_MS, requests });
      return { ...outcome, cpu: await cpuSeconds(pid) - before };
    });
  });
  return samples;
}

function rowOf(place: Place, operation: string, { naive, ours }: Record<Subject, Sample[]>) {
  const of = (samples: Sample[], value: (sample: Sample) => number) => median(samples.map(value));
  // A round in which the peer's server hung is no baseline.
  const sound = naive.flatMap(({ statuses }, round) => "failed" in statuses ? [] : [round]);
  const ratio = median(sound.map((round) => ours[round]!.perSecond / naive[round]!.perSecond));
  const least = place === "file" ? 0.9 : 8;
  if (place !== "libsql + 10 ms") {
    report.target(`${operation}, ${place}, against naive`, ratio, { least }, "x");
  }
  const cpu = (sample: Sample) => sample.cpu * 1e6 / answers(sample);
  return {
    operation,
    "naive/s": Math.round(of(naive, (sample) => sample.perSecond)),
    "ours/s": Math.round(of(ours, (sample) => sample.perSecond)),
    ratio,
    "naive p50 ms": of(naive, (sample) => sample.p50),
    "ours p50 ms": of(ours, (sample) => sample.p50),
    "naive p99 ms": of(naive, (sample) => sample.p99),
    "ours p99 ms": of(ours, (sample) => sample.p99),
    "naive cpu us": of(naive, cpu),
    "ours cpu us": of(ours, cpu),
    "naive failed": failures(naive),
    "ours failed": failures(ours),
  };
}

function answers({ statuses }: Sample): number {
  return Object.values(statuses).reduce((all, count) => all + count, 0);
}

/** How many requests had no success, by status; `none` where all had. */
function failures(samples: Sample[]): string {
  const counts = new Map<string, number>();
  for (const [status, count] of samples.flatMap(({ statuses }) => Object.entries(statuses))) {
    if (!/^2/.test(status)) counts.set(status, (counts.get(status) ?? 0) + count);
  }
  return [...counts].map(([status, count]) => `${count} x ${status}`).join(", ") || "none";
}
