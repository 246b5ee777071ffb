/**
 * Asks for an address again and again, in a process of its own. An address on a line of its input begins that: it
 * prints "ready" once it is answered. The line "end" ends it: it prints the milliseconds that each round trip took, as
 * a JSON array.
 */
import { TextLineStream } from "./lines.ts";

const EACH_MS = 10;
let ended = false;

async function roundTrip(url: string, client: Deno.HttpClient): Promise<number> {
  const from = performance.now();
  const response = await fetch(url, { client });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`The prober was answered ${response.status}: ${text}`);
  return performance.now() - from;
}

async function probe(url: string, client: Deno.HttpClient): Promise<number[]> {
  const took: number[] = [];
  while (!ended) {
    took.push(await roundTrip(url, client));
    await new Promise((resolve) => setTimeout(resolve, EACH_MS));
  }
  client.close();
  return took;
}

let probing: Promise<number[]> | undefined;
for await (
  const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
) {
  if (line === "end") {
    ended = true;
    console.log(JSON.stringify(await probing));
    continue;
  }
  ended = false;
  const client = Deno.createHttpClient({}); // connections of its own for each time
  await roundTrip(line, client);
  console.log("ready");
  probing = probe(line, client);
}
Deno.exit();
