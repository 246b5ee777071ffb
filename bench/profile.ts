/** Where a loaded instance's processor goes: a CPU profile for each operation, over a libSQL server. */
import { startService } from "../tests/support/service.ts";
import { type Job, startLoadClient } from "./support/load_client.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { readProfile, type SelfTimes, selfTimes } from "./support/profile.ts";
import { quick, Report } from "./support/report.ts";
import { sum } from "./support/statistics.ts";
import { OPERATIONS, prepareKeys, prepareRooms } from "./support/workload.ts";

const CONNECTIONS = 64;
const WARM_MS = quick ? 200 : 2_000;
const LOAD_MS = quick ? 500 : 6_000;
const MAX_FUNCTIONS = 20;

const report = new Report("profile");
for (const [operation, requests] of Object.entries(OPERATIONS)) await profile(operation, requests);
await report.finish();

function profile(operation: string, requests: Job["requests"]): Promise<void> {
  return withCleanup(async (stack) => {
    const folder = await Deno.makeTempDir({ prefix: "convene-profile-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const load = startLoadClient();
    stack.defer(() => load.stop());
    const database = await openDatabase(stack, "libsql");
    const service = await startService({ database, flags: ["--cpu-prof", `--cpu-prof-dir=${folder}`] });
    stack.defer(() => service.stop());
    await prepareRooms(service.url);
    await prepareKeys(service.url);
    const job = { urls: [service.url], connections: CONNECTIONS, requests };
    await load.run({ ...job, ms: WARM_MS });
    const { perSecond } = await load.run({ ...job, ms: LOAD_MS });
    await service.stop();
    show(operation, perSecond, selfTimes(await readProfile(folder), LOAD_MS / 1_000));
  });
}

function show(operation: string, perSecond: number, { parts, functions }: SelfTimes): void {
  const all = sum(parts.values());
  const answered = perSecond * LOAD_MS / 1_000;
  const rowsOf = (times: Map<string, number>, name: string) =>
    [...times].sort(([, a], [, b]) => b - a).slice(0, MAX_FUNCTIONS).map(([what, seconds]) => ({
      [name]: what,
      "% of the time": 100 * seconds / all,
      "us a request": seconds * 1e6 / answered,
    }));
  report.table(`${operation}, ${Math.round(perSecond)} requests/s: parts`, rowsOf(parts, "part"));
  report.table(`${operation}: functions`, rowsOf(functions, "function"));
}
