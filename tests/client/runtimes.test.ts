import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { startHereAlone } from "../support/here.ts";

const root = new URL("../../", import.meta.url);
const tour = new URL("tour.mjs", import.meta.url).pathname;

Deno.test("a program on Deno does all that the client offers, from its source", async () => {
  await tours(Deno.execPath(), [
    "run",
    "--allow-net",
    "--allow-read",
    tour,
    new URL("client/mod.ts", root).href,
  ]);
});

Deno.test("a program on Node does the same with the package that is built", async () => {
  const dist = await Deno.makeTempDir({ prefix: "convene-client-" });
  try {
    const built = `${dist}/mod.js`;
    const bundle = [
      "bundle",
      "--quiet",
      "--declaration",
      "--platform",
      "browser",
      "-o",
      built,
      "client/mod.ts",
    ];
    await run(Deno.execPath(), bundle);
    await tours("node", [tour, built]);
    const types = await Deno.readTextFile(`${dist}/mod.d.ts`);
    assert.match(types, /until\(condition: string/);
    assert.doesNotMatch(types, /from "\./, "the types stand alone");
    await Deno.writeTextFile(`${dist}/caller.ts`, CALLER);
    await run(Deno.execPath(), ["check", "--quiet", `${dist}/caller.ts`]);
  } finally {
    await Deno.remove(dist, { recursive: true });
  }
});

/** Takes away what later releases of Node 20 have. */
const FIRST_OF_20 = "data:text/javascript,delete URL.parse";

Deno.test("the command that is built joins by an address on Node, and goes on with the token", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-command-" });
  const service = await startHereAlone();
  try {
    const command = `${folder}/convene.js`;
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "deno", "-o", command, "cli/main.ts"]);
    const { url } = await (await connect(service.url).open("r")).invites.create();
    const env = { CONVENE_URL: service.url, CONVENE_ROOM: "r", XDG_CONFIG_HOME: folder };
    const node = (...args: string[]) => run("node", ["--import", FIRST_OF_20, command, ...args], env);
    assert.equal(await node("join", url, "--agent", "bob"), "bob\n");
    assert.equal(await node("say", "hello"), "2\n");
    assert.equal(await node("read"), "2 message bob✓: hello\n");
  } finally {
    await service.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

/** What must and must not compile with the types of the package. */
const CALLER = `
// @ts-types="./mod.d.ts"
import { connect, ConveneError, type ErrorCode } from "./mod.js";
interface Task { file: string; next: Task | null }
const task: Task = { file: "a.ts", next: null };
const room = connect("http://service").room("r");
await room.state.put("k", task);
// @ts-expect-error: a function
await room.state.put("k", { run: () => 1 });
export const codeOf = (error: unknown): ErrorCode | undefined =>
  error instanceof ConveneError ? error.code : undefined;
// @ts-expect-error: no code
new ConveneError("no_code", "");
`;

async function tours(command: string, args: string[]): Promise<void> {
  const service = await startHereAlone();
  try {
    assert.equal(await run(command, [...args, service.url]), "done\n");
  } finally {
    await service.stop();
  }
}

/** What a program prints, after it ended well. A tour that does not end leaves something behind, and is ended. */
async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
