import { TextLineStream } from "../../tests/support/lines.ts";

export interface Job {
  /** The connections are spread over these. */
  urls: string[];
  connections: number;
  ms: number;
  /** Each connection goes round them, from a place of its own. */
  requests: [method: string, path: string, body?: unknown, header?: string][];
}

export interface Outcome {
  /** Successful answers, and how long they took in milliseconds. */
  perSecond: number;
  p50: number;
  p99: number;
  /** How many answers had which status; `failed`: none came. */
  statuses: Record<string, number>;
  /** How many answers the fastest connection had for one of the slowest. */
  fairness: number;
}

export interface LoadClient {
  run(job: Job): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts the load client, a process of its own that keeps warm from job to job. */
export function startLoadClient(): LoadClient {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("load.ts", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = process.stdin.getWriter();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  return {
    async run(job) {
      await input.write(new TextEncoder().encode(JSON.stringify(job) + "\n"));
      const { value } = await output.read();
      if (value === undefined) throw new Error("The load client has ended.");
      return JSON.parse(value);
    },
    async stop() {
      await input.close().catch(() => {});
      const insist = setTimeout(() => process.kill("SIGKILL"), 2_000);
      await process.status;
      clearTimeout(insist);
    },
  };
}
