import { databaseFolder } from "./folder.ts";
import { eachLine } from "./lines.ts";
import { fileWithTables } from "./tables.ts";
import { until } from "./until.ts";

const root = new URL("../../", import.meta.url);
const START_DEADLINE = 30_000;
const STOP_DEADLINE = 8_000;

export interface ServiceOptions {
  /** A libSQL address. Without one the service gets a database file of its own, whose tables are made. */
  database?: string;
  env?: Record<string, string>;
  /** Flags of the runtime. */
  flags?: string[];
  /** The folder of its sources: this tree, unless told. */
  sources?: string | URL;
  /** How many files and connections it may have open. */
  openFiles?: number;
}

export interface Service {
  url: string;
  process: Deno.ChildProcess;
  /** The lines that it printed so far. */
  printed: string[];
  /** The lines that it has written to its log of errors. */
  complaints: readonly string[];
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
  /** Ends it the way a crash does. */
  kill(): Promise<void>;
}

export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const directory = options.database ? undefined : await databaseFolder();
  if (directory) await fileWithTables(`${directory}/convene.db`);
  const command = [Deno.execPath(), "run", "-A", ...options.flags ?? [], "start.ts"];
  if (options.openFiles) command.unshift("bash", "-c", `ulimit -n ${options.openFiles}; exec "$@"`, "bash");
  const process = new Deno.Command(command[0]!, {
    args: command.slice(1),
    cwd: options.sources ?? root,
    env: {
      TURSO_AUTH_TOKEN: "",
      HOST: "",
      ...options.env,
      PORT: "0",
      TURSO_DATABASE_URL: options.database ?? `file:${directory}/convene.db`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  const complaints: string[] = [];
  const lines: string[] = [];
  const told = Promise.withResolvers<string | undefined>();
  const drained = Promise.all([
    eachLine(process.stderr, (line) => complaints.push(line)),
    eachLine(process.stdout, (line) => {
      lines.push(line);
      const url = /^Try: .*(http:\/\/[^\s/]*:\d+)/.exec(line)?.[1];
      if (url) told.resolve(url);
    }).then(() => told.resolve(undefined)),
  ]);

  let asked = false;
  process.status.then((status) => {
    if (!asked) {
      console.error(`The service ended unasked, ${status.signal ?? status.code}:\n${complaints.join("\n")}`);
    }
  });

  let ended: Promise<void> | undefined;
  const end = (signal: Deno.Signal) => ended ??= endBy(signal);
  async function endBy(signal: Deno.Signal) {
    asked = true;
    signalTo(process, signal);
    const insist = setTimeout(() => signalTo(process, "SIGKILL"), STOP_DEADLINE);
    await process.status;
    clearTimeout(insist);
    await drained;
    if (directory) await Deno.remove(directory, { recursive: true });
  }

  const late = setTimeout(() => signalTo(process, "SIGKILL"), START_DEADLINE);
  const url = await told.promise;
  clearTimeout(late);
  if (!url) {
    await end("SIGKILL");
    throw new Error(`The service did not start:\n${complaints.join("\n")}`);
  }
  return {
    url,
    process,
    printed: lines,
    complaints,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** Comes back once a service answers and has made its tables, which takes a server longer than the start of a test. */
export async function untilReady({ url }: { url: string }): Promise<void> {
  const ask = async () => {
    const response = await fetch(`${url}/healthz`);
    return { isReady: response.ok, text: await response.text() };
  };
  await until(ask, ({ isReady }) => isReady, START_DEADLINE);
}

function signalTo(process: Deno.ChildProcess, signal: Deno.Signal) {
  try {
    process.kill(signal);
  } catch {
    // It has ended already, which is what the signal was for.
  }
}
