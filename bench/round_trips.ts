/**
 * What each request to the service costs the database: requests and statements, counted in process, and the rows
 * that a libSQL server says it read and wrote, indexes among them.
 */
import { type Batch, type TestApp, withApp } from "../tests/support/app.ts";
import { startService } from "../tests/support/service.ts";
import { SINCE, TOUR } from "../tests/support/tour.ts";
import { startCountingProxy } from "./support/counting_proxy.ts";
import { openDatabase, withCleanup } from "./support/places.ts";
import { type Cell, Report } from "./support/report.ts";
import { sum } from "./support/statistics.ts";

const report = new Report("round_trips");
await withApp(async (app) => {
  const rows: Record<string, Cell>[] = [];
  for (const { name, request, status } of [...TOUR, ...SINCE]) {
    const since = app.batches.length;
    const response = await app.request(...request);
    if (response.status !== status) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
    rows.push({
      "what happens": name,
      "how": request.slice(0, 2).join(" "),
      ...cost(app.batches.slice(since)),
    });
  }
  rows.push({
    "what happens": "an agent waits and is woken",
    how: "POST /rooms/r/wait",
    ...await waitCost(app),
  });
  const requestsOf = (what: string) => rows.find((row) => row["what happens"] === what)!.requests as number;
  report.target("an agent waits and is woken: requests", requestsOf("an agent waits and is woken"), {
    most: 4,
  });
  report.target("a view is defined anew: requests", requestsOf("a view is defined anew"), { most: 2 });
  report.table("by request: what travels to the database, and in how many requests", rows);
});
await withCleanup(async (stack) => {
  const proxy = startCountingProxy(stack, await openDatabase(stack, "libsql"));
  const service = await startService({ database: proxy.url });
  stack.defer(() => service.stop());
  await (await fetch(`${service.url}/healthz`)).body?.cancel(); // the tables are made with the first request
  const rows: Record<string, Cell>[] = [];
  for (const { name, request: [method, path, body] } of TOUR) {
    const before = proxy.counts();
    const response = await fetch(service.url + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    await response.body?.cancel();
    const after = proxy.counts();
    rows.push({
      "what happens": name,
      "rows read": after.rowsRead - before.rowsRead,
      "rows written": after.rowsWritten - before.rowsWritten,
    });
  }
  report.table("by request: rows, as the server counts them", rows);
});
await report.finish();

function cost(sent: Batch[]) {
  const count = (mode: string) => sent.filter((batch) => batch.mode === mode).length;
  const statements = sum(sent.map((batch) => batch.statements.length));
  return {
    requests: sent.length,
    "of them reads": count("read"),
    "of them writes": count("write"),
    statements,
  };
}

/** A wait of an agent from its request to its answer, without the write that wakes it and without the poll. */
async function waitCost(app: TestApp) {
  const isMark = (sql: string) => /INSERT INTO waits/.test(sql);
  await (await app.request("POST", "/rooms/r/agents", { id: "bob", name: "Bob" })).body?.cancel();
  const since = app.batches.length;
  const marked = app.nextBatch(({ statements }) => statements.some(({ sql }) => isMark(sql)));
  const body = { agent: "bob", condition: "state._shared.woken == true" };
  const waiting = app.request("POST", "/rooms/r/wait", body);
  await marked;
  await app.request("PUT", "/rooms/r/state", { key: "woken", value: true });
  const response = await waiting;
  if (response.status !== 200) throw new Error(`wait: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
  const others = app.batches.slice(since).filter(({ statements }) =>
    !statements.some(({ sql, args }) => "rooms" in args || /INTO state/.test(sql))
  );
  return cost(others);
}
