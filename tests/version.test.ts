import assert from "node:assert/strict";
import { VERSION as OF_CLIENT } from "../client/mod.ts";
import { Shell } from "./cli/command.ts";
import { withApp } from "./support/app.ts";
import { withClient } from "./support/mcp.ts";
import { VERSION } from "../version.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../${path}`, import.meta.url));

Deno.test("the service, OpenAPI, the client and its manifests name one version", () =>
  withApp(async ({ json }) => {
    assert.match(VERSION, /^\d+\.\d+\.\d+$/);
    assert.deepEqual((await json("GET", "/healthz")).body, { ok: true, version: VERSION });
    assert.equal((await json("GET", "/openapi.json")).body.info.version, VERSION);
    assert.equal(OF_CLIENT, VERSION);
    for (const manifest of ["client/package.json", "client/deno.json"]) {
      assert.equal(JSON.parse(await read(manifest)).version, VERSION, manifest);
    }
  }));

Deno.test("an MCP client is told the version", () =>
  withClient(async (connect) => {
    const { client } = await connect();
    assert.deepEqual(client.getServerVersion(), { name: "convene", version: VERSION });
  }));

Deno.test("the command says its version", async () => {
  for (const word of ["version", "--version"]) {
    const { code, stdout } = await new Shell("http://localhost:1", "r").run(word);
    assert.deepEqual([code, stdout], [0, `${VERSION}\n`]);
  }
});

Deno.test("the CHANGELOG begins with what is unreleased, and its newest release is not after this version", async () => {
  const headings = [...(await read("CHANGELOG.md")).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
  const [first, newest] = headings;
  assert.equal(first, "[Unreleased]");
  for (const heading of headings.slice(1)) {
    assert.match(heading, /^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
  }
  const released = newest && /^\[(.*)\]/.exec(newest)![1]!;
  const order = new Intl.Collator("en", { numeric: true });
  assert.ok(
    released === undefined || order.compare(released, VERSION) <= 0,
    `${released} is after ${VERSION}`,
  );
});
