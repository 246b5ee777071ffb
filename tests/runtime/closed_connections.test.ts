import assert from "node:assert/strict";
import { TextLineStream } from "../support/lines.ts";

/*
 * What the runtime tells a handler of a client that has left (docs/upstream/closed-connections.md). A version that
 * does otherwise than those before it fails here, and the message says what to do.
 */

/** The first version that misses a client whose body came after its head. 2.8.2 notices each. */
const MISSED_SINCE = "2.8.3";
const CLIENTS = 5;
/** Milliseconds after which a server has not noticed; where it does, it takes a few. */
const NOTICED_WITHIN_MS = 1_500;

const version = Deno.version.deno;
const misses = version.localeCompare(MISSED_SINCE, undefined, { numeric: true }) >= 0;

interface Server {
  port: number;
  /** Resolves when the server has printed the line. */
  told(line: string): Promise<void>;
}

async function withServer(flags: string[], test: (server: Server) => Promise<void>): Promise<void> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-config",
      "--allow-net",
      ...flags,
      new URL("bare_server.ts", import.meta.url).pathname,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = new Map<string, PromiseWithResolvers<void>>();
  const lineOf = (line: string) => {
    const known = lines.get(line) ?? Promise.withResolvers<void>();
    lines.set(line, known);
    return known;
  };
  const listening = Promise.withResolvers<number>();
  const printed = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .pipeTo(
      new WritableStream({
        write(line) {
          if (line.startsWith("/ ")) listening.resolve(Number(line.slice(2)));
          else lineOf(line).resolve();
        },
      }),
    );
  try {
    await test({ port: await listening.promise, told: (line) => lineOf(line).promise });
  } finally {
    process.kill("SIGKILL");
    await process.status;
    await printed;
  }
}

interface How {
  /** The head is sent, and the body once the server has it. */
  inTwo: boolean;
  /** An answer has begun when the client leaves. */
  streamed: boolean;
}

/** Posts, leaves once the server has the whole request, and tells whether the server notices. */
async function leave({ port, told }: Server, path: string, { inTwo, streamed }: How): Promise<boolean> {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const send = async (text: string) => void await client.write(new TextEncoder().encode(text));
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n`;
  if (inTwo) {
    await send(head);
    await told(`${path} head`);
    await send("hello");
  } else await send(`${head}hello`);
  await told(`${path} body`);
  if (streamed) await client.read(new Uint8Array(1_024));
  client.close();
  return await within(told(`${path} gone`), NOTICED_WITHIN_MS);
}

async function within(task: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  const inTime = await Promise.race([task.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/** How many of some clients that leave at once the server notices. */
async function noticed(server: Server, name: string, how: How): Promise<number> {
  const paths = Array.from(
    { length: CLIENTS },
    (_, n) => `/${how.streamed ? "streamed" : "plain"}/${name}/${n}`,
  );
  return (await Promise.all(paths.map((path) => leave(server, path, how)))).filter(Boolean).length;
}

const MENDED =
  `Deno ${version} notices that a client has left whose body came after its head; versions since ` +
  `${MISSED_SINCE} did not. Bound MISSED_SINCE in this test, say so in docs/upstream/closed-connections.md and in ` +
  "docs/operate.md, and name this version as the least in the README.";
const BROKEN =
  `Deno ${version} does not notice every client that leaves, where all versions before it did. Waits ` +
  "of such clients go on until their time is over. Stay with the version before, and report it upstream " +
  "(docs/upstream/closed-connections.md has a program to begin with).";

for (const flags of [[], ["--unstable-no-legacy-abort"]]) {
  const runtime = `Deno ${version}${flags.map((flag) => ` ${flag}`).join("")}`;

  Deno.test(`${runtime}: a client whose head and body came as one is noticed when it leaves`, () =>
    withServer(flags, async (server) => {
      assert.equal(await noticed(server, "one", { inTwo: false, streamed: false }), CLIENTS, BROKEN);
    }));

  Deno.test(`${runtime}: a client whose body came after its head is ${misses ? "missed" : "noticed"} when it leaves`, () =>
    withServer(flags, async (server) => {
      const count = await noticed(server, "two", { inTwo: true, streamed: false });
      assert.equal(count, misses ? 0 : CLIENTS, misses ? MENDED : BROKEN);
    }));

  Deno.test(`${runtime}: a client whose answer has begun is noticed when it leaves, however its body came`, () =>
    withServer(flags, async (server) => {
      for (const inTwo of [false, true]) {
        assert.equal(await noticed(server, `${inTwo}`, { inTwo, streamed: true }), CLIENTS, BROKEN);
      }
    }));
}
