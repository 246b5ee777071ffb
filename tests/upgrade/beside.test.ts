import assert from "node:assert/strict";
import type { Json } from "../support/client.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";
import { type Service, startService } from "../support/service.ts";
import { TOUR } from "../support/tour.ts";
import { recordings } from "./recording.ts";
import { until } from "../support/until.ts";

/** Git, in the folder of the sources; undefined where it fails, or there is none. */
async function git(...args: string[]): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const cwd = new URL("../../", import.meta.url);
    const { success, stdout } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
    return success ? stdout : undefined;
  } catch {
    return undefined;
  }
}

let folder: string | undefined;
let sources: Promise<string> | undefined;

Deno.test.afterAll(async () => {
  if (folder) await Deno.remove(folder, { recursive: true });
});

/** Returns a folder with the sources of the release before, one for all tests: the runtime compiles each path anew. */
async function sourcesOf(commit: string): Promise<string> {
  folder = await Deno.makeTempDir({ prefix: "convene-release-" });
  const archive = await git("archive", commit);
  await Deno.writeFile(`${folder}/sources.tar`, archive!);
  const { success } = await new Deno.Command("tar", { args: ["-xf", "sources.tar"], cwd: folder }).output();
  assert.ok(success);
  return folder;
}

const { commit, date } = recordings().at(-1)!;
const missing = await git("cat-file", "-e", `${commit}^{commit}`) === undefined;
// What checks out the whole history for this must not leave it out.
const ignore = missing && !Deno.env.get("GITHUB_ACTIONS");
if (ignore) console.warn(`Left out, without ${commit} in the history: the release before beside this one`);

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes).trim();
const [tag] = text(await git("tag", "--merged", "HEAD~1", "--list", "v*", "--sort=-creatordate")).split("\n");

Deno.test({
  name: `the newest tag before this commit is recorded${tag ? `: ${tag}` : ""}`,
  ignore: !tag,
  async fn() {
    assert.equal(commit, text(await git("rev-parse", `${tag}^{commit}`)));
  },
});

/** The tour in a room of its own, each stop answered as it is to be. */
const inRoom = (room: string) =>
  TOUR.map(({ name, status, request: [method, path, body] }) => ({
    name,
    status,
    method,
    path: path.replace(/(\/rooms\/|\?room=)r\b/, `$1${room}`),
    body: path === "/rooms" && body ? { id: room } : body,
  }));

async function visit({ url }: Service, { name, status, method, path, body }: ReturnType<typeof inRoom>[0]) {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { Accept: "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  assert.equal(response.status, status, `${name}: ${await response.text()}`);
}

async function read({ url }: Service, path: string): Promise<Json> {
  const response = await fetch(new URL(path, url));
  assert.equal(response.status, 200, path);
  return await response.json();
}

for (const [kind, open] of Object.entries(WITHOUT_TABLES)) {
  Deno.test({
    name: `${kind}: the release of ${date} serves beside this one, on its database, and starts there again`,
    ignore,
    fn: async () => beside(open, await (sources ??= sourcesOf(commit))),
  });
}

async function beside(open: (typeof WITHOUT_TABLES)[string], sources: string): Promise<void> {
  const database = await open();
  const services: Service[] = [];
  const start = async (sources?: string) => {
    const service = await startService({ database: database.url, sources });
    services.push(service);
    return service;
  };
  try {
    const before = await start(sources);
    for (const stop of inRoom("r")) await visit(before, stop);
    const present = await start();
    const [ofBefore, ofPresent] = [inRoom("s"), inRoom("t")];
    for (const n of ofBefore.keys()) {
      await visit(before, ofBefore[n]!);
      await visit(present, ofPresent[n]!);
    }
    await bothSee(before, present);
    await wakeEachOther(before, present);
    await replayEachOther(before, present);
    await before.stop();
    await bothSee(await start(sources), present);
    for (const { complaints } of services) assert.deepEqual(complaints, []);
  } finally {
    for (const service of services) await service.stop();
    await database.stop();
  }
}

/** An answer without the members that the release before does not know. */
function seenBefore(answer: Json, known: Json): Json {
  if (Array.isArray(answer)) return answer.map((item, n) => seenBefore(item, known?.[n]));
  if (answer === null || typeof answer !== "object" || known === null || typeof known !== "object") {
    return answer;
  }
  const members = Object.entries(answer).filter(([name]) => name in known);
  return Object.fromEntries(members.map(([name, value]) => [name, seenBefore(value, known[name])]));
}

/** Both show the same of each room, whoever wrote it, as far as the release before knows of it. */
async function bothSee(before: Service, present: Service): Promise<void> {
  for (const room of ["r", "s", "t"]) {
    for (const path of ["", "/agents", "/messages?from=ann", "/state?resolve=true", "/changes?limit=1000"]) {
      const [one, other] = await Promise.all(
        [before, present].map((service) => read(service, `/rooms/${room}${path}`)),
      );
      assert.deepEqual(one, seenBefore(other, one), path);
    }
  }
}

async function wakeEachOther(before: Service, present: Service): Promise<void> {
  for (const [key, waits, writes] of [["a0", before, present], ["a1", present, before]] as const) {
    const condition = `has(state._shared.${key})`;
    const waiting = fetch(`${waits.url}/rooms/r/wait`, {
      method: "POST",
      body: JSON.stringify({ condition, agent: "ann", timeout: 10_000 }),
    });
    await until(() => read(writes, "/rooms/r/agents/ann"), (ann) => ann.waiting_on === condition);
    const write = { method: "PUT", body: JSON.stringify({ key, value: true }) };
    assert.equal((await fetch(`${writes.url}/rooms/r/state`, write)).status, 200);
    assert.equal((await (await waiting).json()).triggered, true);
  }
}

/** What was written under a key by way of one is answered by the other as it was. */
async function replayEachOther(before: Service, present: Service): Promise<void> {
  for (const [room, first, second] of [["u", before, present], ["v", present, before]] as const) {
    for (const { name, method, path, body, status } of inRoom(room)) {
      if (method === "GET" || /eval$|wait$/.test(path)) continue;
      const headers = { "Idempotency-Key": `${name}, of the room ${room}` };
      const send = async ({ url }: Service) => {
        const response = await fetch(new URL(path, url), {
          method,
          headers,
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const told = ["ETag", "Convene-Revision", "Idempotency-Replayed"].map((name) =>
          response.headers.get(name)
        );
        return { status: response.status, told, body: await response.json() };
      };
      const answer = await send(first);
      assert.equal(answer.status, status, name);
      if (status >= 400) continue;
      const replay = await send(second);
      assert.deepEqual([replay.status, replay.told], [status, [...answer.told.slice(0, 2), "true"]], name);
      // This release may answer with members that the one before does not know.
      const [less, more] = first === before ? [answer, replay] : [replay, answer];
      assert.deepEqual(less.body, seenBefore(more.body, less.body), name);
    }
  }
}
