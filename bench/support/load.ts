/** The load client, a process of its own: reads jobs from its input, a line of JSON each, and answers each with a line. */
import { TextLineStream } from "../../tests/support/lines.ts";
import { Connection, encodeRequest } from "./connection.ts";
import type { Job, Outcome } from "./load_client.ts";
import { quantile } from "./statistics.ts";

/** What was not answered this long after the end of a job is given up. */
const GRACE_MS = 5_000;

async function run({ urls, connections, ms, requests }: Job): Promise<Outcome> {
  const encoded = requests.map((request) => encodeRequest(...request));
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const opened = await Promise.all(
    Array.from({ length: connections }, (_, n) => Connection.open(urls[n % urls.length]!)),
  );
  const began = performance.now();
  const ends = began + ms;

  const answered = opened.map(() => 0);
  async function client(connection: Connection, first: number, own: number) {
    for (let next = first; performance.now() < ends; next++) {
      const sent = performance.now();
      const status = await connection.exchange(encoded[next % encoded.length]!).catch(() => "failed");
      const now = performance.now();
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (Number(status) < 300 && now <= ends) {
        latencies.push(now - sent);
        answered[own]!++;
      }
      if (status === "failed") return;
    }
  }

  const stride = Math.ceil(encoded.length / connections);
  const giveUp = setTimeout(() => opened.forEach((connection) => connection.close()), ms + GRACE_MS);
  await Promise.all(opened.map((connection, n) => client(connection, n * stride, n)));
  clearTimeout(giveUp);
  opened.forEach((connection) => connection.close());
  return {
    perSecond: latencies.length / ms * 1_000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    statuses,
    fairness: Math.max(...answered) / Math.min(...answered),
  };
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
for await (const line of lines) console.log(JSON.stringify(await run(JSON.parse(line))));
