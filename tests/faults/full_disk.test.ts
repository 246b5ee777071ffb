import assert from "node:assert/strict";
import { Subject } from "../support/backends.ts";
import { assertIntact } from "../support/integrity.ts";
import { startLibsqlServer } from "../support/libsql_server.ts";
import { startService } from "../support/service.ts";
import { assertError, assertStatus } from "../support/shapes.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const RECOVERED_WITHIN_MS = 2_000;

/** Mounts a small file system; undefined where that is not allowed. */
async function mountSmall(mib: number) {
  const directory = await Deno.makeTempDir({ prefix: "convene-full-" });
  const mounted = await run("mount", "-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", directory);
  if (!mounted) {
    await Deno.remove(directory);
    return undefined;
  }
  return {
    directory,
    async unmount() {
      await run("umount", "-l", directory);
      await Deno.remove(directory);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Fills the disk by writes, frees what was kept back, and asserts what holds before, meanwhile and after. */
async function fillAndFree(t: Subject, ballast: string): Promise<void> {
  const room = await t.room();
  const value = "x".repeat(60_000);
  const written: string[] = [];
  for (let n = 0;; n++) {
    assert.ok(n < 1_000, "the disk never fills");
    const writes = [{ key: `a${n}`, value }, { key: `b${n}`, value }];
    const reply = await t.put(`/rooms/${room}/state/batch`, { writes });
    if (reply.status !== 200) {
      assertError(reply, 503, "unavailable");
      assert.match(reply.headers.get("retry-after") ?? "", /^\d+$/);
      break;
    }
    written.push(`a${n}`, `b${n}`);
  }
  assert.ok(written.length > 0);
  assertStatus(await t.get(`/rooms/${room}/state`, { key: written[0]! }), 200);

  await Deno.remove(ballast);
  const write = () => t.put(`/rooms/${room}/state`, { key: "after", value });
  await until(write, ({ status }) => status === 200, RECOVERED_WITHIN_MS);
  const keys = new Set<string>();
  for (const { key } of (await t.get(`/rooms/${room}/state`)).body) keys.add(key);
  for (const key of written) assert.ok(keys.has(key), `${key} is lost`);
  keys.forEach((key) => {
    if (key.startsWith("a") && key !== "after") {
      assert.ok(keys.has(`b${key.slice(1)}`), `half a batch: ${key}`);
    }
  });
}

/** A test on a small disk, a part of which is kept back to be freed. */
function onSmallDisk(name: string, mib: number, test: (directory: string, ballast: string) => Promise<void>) {
  Deno.test(name, async () => {
    const disk = await mountSmall(mib);
    if (!disk) return console.warn(`Left out, where nothing may be mounted: ${name}`);
    try {
      const ballast = `${disk.directory}/ballast`;
      await Deno.writeFile(ballast, new Uint8Array((mib / 3) * MIB));
      await test(disk.directory, ballast);
    } finally {
      await disk.unmount();
    }
  });
}

onSmallDisk(
  "a full disk under a file refuses writes, loses none, and is forgotten",
  9,
  async (directory, ballast) => {
    const database = `file:${directory}/convene.db`;
    const service = await startService({ database });
    try {
      await fillAndFree(new Subject(service.url), ballast);
    } finally {
      await service.stop();
    }
    await assertIntact(database);
  },
);

onSmallDisk(
  "a full disk under the libSQL server refuses writes and loses none",
  24,
  async (directory, ballast) => {
    const server = await startLibsqlServer({ directory });
    try {
      const service = await startService({ database: server.url });
      try {
        await fillAndFree(new Subject(service.url), ballast);
      } finally {
        await service.stop();
      }
      await assertIntact(server.url);
    } finally {
      await server.stop();
    }
  },
);
