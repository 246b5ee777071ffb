import assert from "node:assert/strict";
import { withFolder } from "../support/folder.ts";
import { type Service, startService } from "../support/service.ts";
import { fileWithTables } from "../support/tables.ts";

async function withHost(host: string, test: (service: Service) => Promise<void>): Promise<void> {
  const service = await startService({ env: { HOST: host } });
  try {
    await test(service);
  } finally {
    await service.stop();
  }
}

async function answersAt(url: string, host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}:${new URL(url).port}/healthz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

Deno.test("the service listens on this machine's own address unless it is told otherwise", () =>
  withHost("", async ({ url, printed }) => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(await answersAt(url, "127.0.0.1") && await answersAt(url, "localhost"));
    assert.ok(!await answersAt(url, "127.0.0.2"));
    assert.doesNotMatch(printed.join("\n"), /Whoever can reach it/);
  }));

Deno.test("HOST=0.0.0.0 listens on every address, and warns of what that means", () =>
  withHost("0.0.0.0", async ({ url, printed }) => {
    assert.ok(await answersAt(url, "127.0.0.1") && await answersAt(url, "127.0.0.2"));
    assert.match(
      printed.join("\n"),
      /every address of this machine\nWhoever can reach it can read and write every open room\./,
    );
  }));

Deno.test("the request to try works where only locked rooms are made", async () => {
  const { url, printed, stop } = await startService({
    env: { REQUIRE_LOCKED: "on", OPERATOR_TOKEN: "a".repeat(32) },
  });
  try {
    const body = /^Try: .* -d '(.*)'$/.exec(printed.find((line) => line.startsWith("Try:"))!)![1];
    const made = await fetch(`${url}/rooms`, { method: "POST", body });
    const { locked, token } = await made.json();
    assert.deepEqual([made.status, locked], [201, true]);
    assert.match(token, /^cvn_a_/);
    // The first page's shell likewise.
    const front = await (await fetch(url, { headers: { Accept: "text/html" } })).text();
    const calls = [...front.matchAll(/<pre class="call"[^>]*>(.*?)<\/pre>/g)].map(([, call]) => call!);
    assert.deepEqual(calls.map((call) => call.includes("Bearer $CONVENE_TOKEN")), [
      false,
      true,
      true,
      true,
      true,
    ]);
    assert.match(calls[0]!, /locked&quot;:true/);
  } finally {
    await stop();
  }
});

const hasIpv6 = Deno.networkInterfaces().some(({ address }) => address === "::1");
for (const [host, others] of [["::1", false], ["::", true]] as const) {
  Deno.test({
    name: `HOST=${host} is printed as an address to call`,
    ignore: !hasIpv6,
    fn: () =>
      withHost(host, async ({ url }) => {
        assert.match(url, /^http:\/\/\[::1\]:\d+$/);
        assert.ok(await answersAt(url, "[::1]"));
        assert.equal(await answersAt(url, "127.0.0.1"), others);
      }),
  });
}

/** What a program of the service's says when it is started so, once it has ended. */
async function refusal(args: string[], env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("../../", import.meta.url),
    env: { TURSO_DATABASE_URL: ":memory:", PORT: "0", NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const START = ["run", "--quiet", "-A", "start.ts"];
const MIGRATE = ["run", "--quiet", "-A", "migrate.ts"];
const REFUSED: Array<[what: string, args: string[], env: Record<string, string>, line: RegExp]> = [
  ["a port that is none", START, { PORT: "abc" }, /^PORT must be a whole number/],
  ["a host that is none", START, { HOST: "a b" }, /^HOST must be an address/],
  [
    "a host of another machine",
    START,
    { HOST: "192.0.2.1" },
    /^The service cannot listen on HOST 192\.0\.2\.1, PORT 0: ./,
  ],
  [
    "a public address with a path",
    START,
    { PUBLIC_URL: "https://a.example/x" },
    /^PUBLIC_URL must .* leave the path out/,
  ],
  ["a database of no kind", START, { TURSO_DATABASE_URL: "ftp://x" }, /^TURSO_DATABASE_URL must be/],
  [
    "a database of no kind to be migrated",
    MIGRATE,
    { TURSO_DATABASE_URL: "ftp://x" },
    /^TURSO_DATABASE_URL must be/,
  ],
  [
    "a database that is away to be migrated",
    MIGRATE,
    { TURSO_DATABASE_URL: "http://127.0.0.1:9" },
    /^The database does not answer: ./,
  ],
  [
    "an address that no client takes",
    START,
    { TURSO_DATABASE_URL: "http://u:secret@a.example" },
    /^The database's address cannot be used: (?!.*secret)/,
  ],
  [
    "a file name that is no URL",
    START,
    { TURSO_DATABASE_URL: "file:%zz" },
    /^The database file's name .*%25/,
  ],
  ["a token of the database that no header holds", START, {
    TURSO_DATABASE_URL: "http://127.0.0.1:9",
    TURSO_AUTH_TOKEN: "secret\nsecret",
  }, /^The database's token cannot be sent: (?!.*secret)/],
  ["an address of the source that is none", START, { SOURCE_URL: "javascript:1" }, /^SOURCE_URL must be/],
  ["a limit that is none, on a platform", ["serve", "--quiet", "-A", "--port", "0", "main.ts"], {
    RATE_LIMIT: "x",
  }, /^RATE_LIMIT must/],
  ["no permission", ["run", "--quiet", "--allow-env", "start.ts"], {}, /Requires net access/],
];
for (const [what, args, env, line] of REFUSED) {
  Deno.test(`a start is refused in one line: ${what}`, async () => {
    const { code, stdout, stderr } = await refusal(args, env);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, line);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  });
}

Deno.test("a start is refused in one line: a port that another program has", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stdout, stderr } = await refusal(START, { PORT: String(port) });
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, new RegExp(`^The service cannot listen on HOST 127\\.0\\.0\\.1, PORT ${port}: .*\n$`));
});

/** A server that says no to everything. */
const refuse = (status: number, body: string) =>
  Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(body, { status, headers: { "Content-Type": "application/json" } }),
  );

Deno.test("the log of a start names why the database does not answer", async () => {
  const servers = [refuse(401, '{"error":"no"}'), refuse(200, "<html>\n</html>")];
  const at = ({ addr }: Deno.HttpServer<Deno.NetAddr>) => `http://127.0.0.1:${addr.port}`;
  const free = servers.map(at).concat("http://none.invalid");
  try {
    const logs = await Promise.all(
      free.map((database) => refusal(MIGRATE, { TURSO_DATABASE_URL: database })),
    );
    const reasons = [/status 401/, /is not valid JSON|Unexpected/, /none\.invalid.* dns error/];
    for (const [n, { code, stderr }] of logs.entries()) {
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^The database does not answer: .*(${reasons[n]!.source}).*\n$`));
    }
  } finally {
    await Promise.all(servers.map((server) => server.shutdown()));
  }
});

async function refusedFile(folder: string): Promise<string> {
  const { code, stdout, stderr } = await refusal(START, { TURSO_DATABASE_URL: `file:${folder}/c.db` });
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  return stderr;
}

Deno.test("a file that is no database ends the start with its name", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/c.db`, "no database");
    assert.match(
      await refusedFile(folder),
      /^The database file \/.*\/c\.db .* is not a database of SQLite\.$/m,
    );
  }));

Deno.test({
  name: "a file that the service may only read ends the start, though it has all its tables",
  ignore: Deno.uid() === 0, // who may write everything
  fn: () =>
    withFolder(async (folder) => {
      await fileWithTables(`${folder}/c.db`);
      await Deno.chmod(`${folder}/c.db`, 0o444);
      assert.match(
        await refusedFile(folder),
        /^The database file \/.* must be able to write it and the file\.$/m,
      );
    }),
});

for (const [what, flags] of [["may look at", []], ["may not look at", ["--deny-read"]]] as const) {
  Deno.test(`a start warns of a file that may be replaced unseen, and of no other: one that it ${what}`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/c.db`;
      await fileWithTables(path);
      const denied = flags.map((flag) => `${flag}=${folder}`);
      const service = await startService({ database: `file:${path}`, flags: denied });
      try {
        const warned =
          `Do not replace ${path} while the service runs: it may not look at the file (--allow-read).`;
        assert.deepEqual(service.complaints, denied.map(() => warned));
      } finally {
        await service.stop();
      }
    }));
}

Deno.test("a service whose database is away says so before it says where it is", async () => {
  const service = await startService({ database: "http://127.0.0.1:9" });
  try {
    assert.match(service.complaints[0]!, /^The database does not answer: ./);
    assert.match(service.printed[0]!, /^Convene is at http/);
    const response = await fetch(`${service.url}/healthz`);
    await response.body?.cancel();
    assert.equal(response.status, 503);
  } finally {
    await service.stop();
  }
});

for (const [what, args] of [["served", START], ["migrated", MIGRATE]] as const) {
  Deno.test(`a database file whose folder is not there ends the process with its name: ${what}`, async () => {
    const [flags, script] = [args.slice(0, 2), args.at(-1)!];
    const rights = ["--allow-net", "--allow-env", "--allow-ffi", "--allow-sys", "--allow-read=data"];
    const env = { TURSO_DATABASE_URL: "file:/no/such/folder/c.db" };
    const { code, stdout, stderr } = await refusal([...flags, ...rights, script], env);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(
      stderr,
      /^The database file \/no\/such\/folder\/c\.db .* the folder \/no\/such\/folder must exist/,
    );
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  });
}
