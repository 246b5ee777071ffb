/** What a request for paths takes where 64 KiB of globs are in force, however hostile they are: docs/guarantees.md says 20 ms. */
import { createOverlaps } from "../db/reservations/globs.ts";
import { HOSTILE_GLOBS } from "../tests/support/hostile_globs.ts";
import { quick, Report } from "./support/report.ts";
import { median } from "./support/statistics.ts";

const ROUNDS = quick ? 3 : 31;

const report = new Report("globs");
const rows = [];
for (const [globs, [asked, inForce]] of Object.entries(HOSTILE_GLOBS)) {
  // As many at once as a request compares before it lets others go on, which would count here.
  const atOnce = Math.ceil(2_048 / (inForce.join("").length / inForce.length));
  const parts = Array.from(
    { length: Math.ceil(inForce.length / atOnce) },
    (_, n) => inForce.slice(n * atOnce, (n + 1) * atOnce).map((glob) => [glob]),
  );
  const times: number[] = [];
  while (times.length < ROUNDS) {
    const from = performance.now();
    const overlaps = createOverlaps(asked);
    for (const lists of parts) overlaps(lists);
    times.push(performance.now() - from);
  }
  rows.push({ globs, "least ms": Math.min(...times), "median ms": median(times) });
}
report.table(`64 KiB of globs in force: ${ROUNDS} comparisons of each kind`, rows);
for (const row of rows) report.target(`${row.globs}: median ms`, row["median ms"], { most: 20 });
await report.finish();
