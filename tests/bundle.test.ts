import assert from "node:assert/strict";
import { startLibsqlServer } from "./support/libsql_server.ts";
import { TextLineStream } from "./support/lines.ts";

const root = new URL("../", import.meta.url);

/** The address that a server prints when it listens. */
async function addressOf(server: Deno.ChildProcess): Promise<string | undefined> {
  const lines = server.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const port = /Listening on http:\S+:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
  }
}

Deno.test("the service bundled into one small file serves over a server, and evaluates expressions", async () => {
  const database = await startLibsqlServer();
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  const bundle = `${folder}/convene.js`;
  const deno = (args: string[], stderr: "piped" | "null") =>
    new Deno.Command(Deno.execPath(), {
      args,
      cwd: root,
      env: { TURSO_DATABASE_URL: database.url, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr,
    }).spawn();
  try {
    assert.ok((await deno(["bundle", "--minify", "-o", bundle, "main.ts"], "null").status).success);
    const server = deno(["serve", "-A", "--host", "127.0.0.1", "--port", "0", bundle], "piped");
    const url = await addressOf(server);
    assert.ok(url, "it does not start");
    const post = async (path: string, body: unknown) =>
      await (await fetch(url + path, { method: "POST", body: JSON.stringify(body) })).json();
    await post("/rooms", { id: "r" });
    const { value } = await post("/rooms/r/eval", { expr: "math.greatest(size(agents), 2)" });
    assert.equal(value, 2);
    server.kill("SIGTERM");
    await server.status;
  } finally {
    await database.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
