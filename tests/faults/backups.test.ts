import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { WITHOUT_TABLES } from "../support/databases.ts";
import { withFolder } from "../support/folder.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { type Service, startService } from "../support/service.ts";

/*
 * The commands are those of docs/operate.md, run as they stand there in a folder that has the file as
 * `data/convene.db`. Only `sqlite3` and `jq` are not asked for: what they do is done otherwise.
 */

const OPERATE = await Deno.readTextFile(new URL("../../docs/operate.md", import.meta.url));

/** Returns the first block of shell commands below a heading that has a text. */
function commands(heading: string, having: string): string {
  const [, section] = new RegExp(`^## ${heading}\n(.*?)^## `, "ms").exec(OPERATE)!;
  const blocks = [...section!.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);
  return blocks.find((block) => block.includes(having)) ?? assert.fail(`${heading} has no ${having}`);
}

async function shell(script: string, cwd: string, env: Record<string, string> = {}): Promise<void> {
  const { success, stderr } = await new Deno.Command("bash", { args: ["-ec", script], cwd, env }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A folder with one for the file. */
const withData = (test: (folder: string) => Promise<void>) =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await test(folder);
  });

async function withService(database: string, test: (t: Subject, service: Service) => Promise<void>) {
  const service = await startService({ database });
  try {
    await test(new Subject(service.url), service);
  } finally {
    await service.stop();
  }
}

/** Writes 1, 2, 3, ... to key `n` of room `r` while something is done. Returns what was answered before and after it. */
async function writingWhile(t: Subject, act: () => Promise<void>): Promise<[number, number]> {
  let answered = 0, ended = false;
  const started = Promise.withResolvers<void>();
  const write = async () => {
    while (!ended) {
      answered = (await t.write("r", "n", answered + 1)).version;
      started.resolve();
    }
  };
  const writing = write();
  await started.promise;
  const before = answered;
  await act().finally(() => ended = true);
  await writing;
  return [before, answered];
}

async function assertRestored(database: string, [before, after]: [number, number]): Promise<void> {
  await withService(database, async (t, { complaints }) => {
    const n = await t.value("r", "state._shared.n");
    assert.ok(n >= before && n <= after, `${n} is not of ${before} to ${after}`);
    assert.equal((await t.write("r", "n", 0)).version, n + 1);
    assert.deepEqual(complaints, []);
  });
}

Deno.test("file: a backup that is made as documented while writes go on is whole, and is restored as documented", () =>
  withData(async (folder) => {
    const [backup] = commands("Making a backup", "deno eval").match(/^deno eval .*$/m)!;
    const database = `file:${folder}/data/convene.db`;
    let written: [number, number] | undefined;
    await withService(database, async (t, service) => {
      await t.post("/rooms", { id: "r" });
      written = await writingWhile(t, () => shell(backup, folder, { NO_COLOR: "1" }));
      await t.write("r", "n", 0); // not in the backup
      await service.kill();
    });
    assert.ok((await Deno.stat(`${folder}/data/convene.db-wal`)).size > 0, "the old log is not there");
    await shell(commands("Restoring a backup", "rm -f"), folder);
    await assertRestored(database, written!);
  }));

Deno.test("file: a copy of a file whose instance was killed is restored with its log, which has its last writes", () =>
  withData(async (folder) => {
    const database = `file:${folder}/data/convene.db`;
    await withService(database, async (t, service) => {
      await t.post("/rooms", { id: "r" });
      for (let n = 1; n <= 3; n++) await t.write("r", "n", n);
      await service.kill();
    });
    for (const end of ["", "-wal"]) {
      await Deno.copyFile(`${folder}/data/convene.db${end}`, `${folder}/copy.db${end}`);
    }
    await shell(commands("Restoring a backup", "rm -f"), folder);
    await assertRestored(database, [3, 3]);
  }));

Deno.test("libsql: a backup that is made as documented while writes go on is whole, and an empty server takes it", () =>
  withData(async (folder) => {
    const backup = commands("Making a backup", "/dump");
    const old = await WITHOUT_TABLES.libsql!();
    let written: [number, number] | undefined;
    try {
      const env = { TURSO_DATABASE_URL: old.url, TURSO_AUTH_TOKEN: "" };
      await withService(old.url, async (t) => {
        await t.post("/rooms", { id: "r" });
        written = await writingWhile(t, () => shell(backup, folder, env));
      });
    } finally {
      await old.stop();
    }
    const empty = await startLibsqlServer();
    try {
      assert.match(commands("Restoring a backup", "jq"), /type: "sequence", sql: \.[^]*\/v2\/pipeline/);
      const requests = [{ type: "sequence", sql: await Deno.readTextFile(`${folder}/copy.sql`) }];
      const response = await fetch(`${empty.url}/v2/pipeline`, {
        method: "POST",
        body: JSON.stringify({ requests }),
      });
      assert.deepEqual((await response.json()).results.map(({ type }: { type: string }) => type), ["ok"]);
      await assertRestored(empty.url, written!);
    } finally {
      await empty.stop();
    }
  }));
