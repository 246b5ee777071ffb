/** What a room's page costs while the room is lively: bytes on the wire, and processor time of the service. */
import { openPacked, type Packed } from "../tests/support/packed.ts";
import { startService } from "../tests/support/service.ts";
import { Connection } from "./support/connection.ts";
import { pause } from "./support/pause.ts";
import { withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected } from "./support/requests.ts";
import { cpuSeconds } from "./support/usage.ts";

const [AGENTS, MESSAGES, KEYS] = [50, 200, 100];
const CHANGES = quick ? 10 : 100;
const BETWEEN_MS = 100;
/** Until a page has its first event. */
const FIRST_MS = 4_500;
const ENCODINGS = ["identity", "gzip"] as const;

const report = new Report("page");
await withCleanup(async (stack) => {
  const service = await startService();
  stack.defer(() => service.stop());
  const { url, process: { pid } } = service;
  const connection = await connected(stack, url);
  await fill(connection);

  const answers = [];
  for (const path of ["/?room=r", "/rooms/r/messages?limit=200", "/rooms/r/changes?after=0&limit=1000"]) {
    const bytes = { identity: 0, gzip: 0 };
    for (const encoding of ENCODINGS) {
      bytes[encoding] = (await (await openPacked(url, path, encoding)).rest()).length;
    }
    answers.push({ path, ...bytes, ratio: bytes.gzip / bytes.identity });
  }
  report.table("bytes of an answer", answers);
  report.target("a page as gzip", answers[0]!.ratio, { most: 0.15 }, "x");

  const rows = [];
  for (const pages of [0, 1, 10]) for (const encoding of ENCODINGS) rows.push(await watch(pages, encoding));
  report.table(`pages open while one key is written ${1_000 / BETWEEN_MS} times a second`, rows);

  async function watch(pages: number, encoding: typeof ENCODINGS[number]) {
    const streams: Packed[] = [];
    for (let n = 0; n < pages; n++) {
      streams.push(await openPacked(url, "/rooms/r/live", encoding));
    }
    for (const stream of streams) stream.text().until("never").catch(() => {});
    await pause(FIRST_MS);
    const [first, cpu] = [streams[0]?.size ?? 0, await cpuSeconds(pid)];
    for (let n = 0, began = performance.now(); n < CHANGES; n++) {
      await ask(connection, "PUT", "/rooms/r/state", { key: "key-50", value: n, agent: "agent-9" });
      await pause(Math.max(0, began + (n + 1) * BETWEEN_MS - performance.now()));
    }
    await pause(2 * BETWEEN_MS);
    const each = ((streams[0]?.size ?? 0) - first) / CHANGES;
    const ms = (await cpuSeconds(pid) - cpu) * 1_000 / CHANGES;
    for (const stream of streams) stream.leave();
    if (pages === 1) {
      report.target(`a change, ${encoding}`, each, { most: encoding === "gzip" ? 1_500 : 4_000 }, " bytes");
    }
    return { pages, encoding, "first bytes": first, "bytes a change": each, "cpu ms a change": ms };
  }
});
await report.finish();

async function fill(connection: Connection): Promise<void> {
  const agent = (n: number) => `agent-${n % AGENTS}`;
  const post = (path: string, body: object) => ask(connection, "POST", path, body);
  await post("/rooms", { id: "r" });
  for (let n = 0; n < AGENTS; n++) {
    await post("/rooms/r/agents", { id: agent(n), name: agent(n), role: "worker" });
  }
  for (let n = 0; n < MESSAGES; n++) {
    const body = `Message ${n}: please look at the logs of machine ${n * 7 % 31}, and say what you find.`;
    await post("/rooms/r/messages", {
      from: agent(n),
      to: agent(n + 7),
      kind: n % 3 ? "message" : "task",
      body,
    });
  }
  for (let n = 0; n < KEYS; n++) {
    const value = n % 2 ? n : { done: n, of: KEYS, note: "as planned" };
    await ask(connection, "PUT", "/rooms/r/state", { key: `key-${n}`, value, agent: agent(n) });
  }
}
