/**
 * Requests a second of 16 agents that show tokens, against the same of 16 that send a header of this length which
 * nothing reads, and of 16 that send none, in alternating rounds at one instance:
 * `tokens.ts [--at=file] [--rounds=20]`.
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

const SUBJECTS = ["without", "unread", "with"] as const;
type Subject = typeof SUBJECTS[number];

/** Alike in length, since the length of an id is part of what its room's rows cost. */
const ROOMS: Record<Subject, string> = { without: "room-1", unread: "room-2", with: "room-3" };

/** A header that is as long as that of a token. */
const UNREAD = `X-Unread-Text: Bearer ${"x".repeat(55)}`;

async function ask(url: string, path: string, body: unknown) {
  const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
  if (response.status !== 201) throw new Error(`POST ${path}: ${response.status}`);
  return await response.json();
}

/** Makes a room of 16 agents, and returns the header that each shows. */
async function prepare(url: string, subject: Subject): Promise<Array<string | undefined>> {
  await ask(url, "/rooms", { id: ROOMS[subject] });
  const headers = [];
  for (let n = 0; n < AGENTS; n++) {
    const agent = { id: `agent-${n}`, name: "Agent", secure: subject === "with" };
    const { token } = await ask(url, `/rooms/${ROOMS[subject]}/agents`, agent);
    headers.push({ without: undefined, unread: UNREAD, with: `Authorization: Bearer ${token}` }[subject]);
  }
  return headers;
}

/**
 * Makes a room whose messages come after those of all others: SQLite appends to the end of an index faster than it
 * inserts within it, so no room that is measured may have the last ones.
 */
async function fillLastRoom(url: string): Promise<void> {
  await ask(url, "/rooms", { id: "zz" });
  await ask(url, "/rooms/zz/messages", { body: "last" });
}

/** What the agents ask, by the name of the operation. */
function operationsOf(room: string, headers: Array<string | undefined>): Record<string, Job["requests"]> {
  const places = headers.flatMap((header, n) =>
    Array.from({ length: KEYS }, (_, key) => ({ agent: `agent-${n}`, key: `key-${n}-${key}`, header }))
  );
  const path = `/rooms/${room}`;
  return {
    "PUT state": places.map((
      { agent, key, header },
    ) => ["PUT", `${path}/state`, { key, value: { of: key }, agent }, header]),
    "POST message": places.map((
      { agent, key, header },
    ) => ["POST", `${path}/messages`, { from: agent, body: key }, header]),
    "GET one key": places.map(({ key, header }) => ["GET", `${path}/state?key=${key}`, undefined, header]),
  };
}

const report = new Report("tokens");

async function compare(load: LoadClient, place: Place): Promise<void> {
  await withCleanup(async (stack) => {
    const { url, process, stop } = await startService({ database: await openDatabase(stack, place) });
    stack.defer(stop);
    const operations = {} as Record<Subject, Record<string, Job["requests"]>>;
    for (const subject of SUBJECTS) {
      operations[subject] = operationsOf(ROOMS[subject], await prepare(url, subject));
    }
    await fillLastRoom(url);
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
      const against = (subject: Subject) => {
        const others = of(subject, "perSecond");
        return median(of("with", "perSecond").map((value, round) => value / others[round]!));
      };
      const ratio = against("without");
      report.target(`${operation}, ${place}, with tokens`, ratio, { least: 0.95 }, "x");
      rows.push({
        operation,
        "without/s": Math.round(median(of("without", "perSecond"))),
        "unread/s": Math.round(median(of("unread", "perSecond"))),
        "with/s": Math.round(median(of("with", "perSecond"))),
        "with / without": ratio,
        "with / unread": against("unread"),
        "without cpu us": median(of("without", "cpu")),
        "unread cpu us": median(of("unread", "cpu")),
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
