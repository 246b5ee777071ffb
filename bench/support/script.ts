import { TextLineStream } from "../../tests/support/lines.ts";

const START_DEADLINE_MS = 30_000;

export interface Script {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Runs a script of this folder as a process of its own; it prints the address at which it serves. */
export async function startScript(file: string, env: Record<string, string> = {}): Promise<Script> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(`../${file}`, import.meta.url).pathname],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const kill = () => {
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  const late = setTimeout(kill, START_DEADLINE_MS);
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const { value: url } = await lines.read();
  clearTimeout(late);
  if (url === undefined) throw new Error(`${file} did not start.`);
  return {
    url,
    pid: process.pid,
    async stop() {
      kill();
      await lines.cancel();
      await process.status;
    },
  };
}

/** Serves on a free port of the loopback interface and prints where, for `startScript`. */
export function serveScript(handler: Deno.ServeHandler): void {
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  }, handler);
}
