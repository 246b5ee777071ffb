/**
 * Asks for one address again and again, in a process of its own, until its input ends: `prober.ts URL`. Prints
 * "ready" once it is answered, and at the end the milliseconds that each round trip took, as a JSON array.
 */
const EACH_MS = 10;
const url = Deno.args[0]!;
const took: number[] = [];
let ended = false;

async function roundTrip(): Promise<number> {
  const from = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`The prober was answered ${response.status}: ${text}`);
  return performance.now() - from;
}

async function untilInputEnds() {
  for await (const _ of Deno.stdin.readable);
  ended = true;
}

await roundTrip();
console.log("ready");
untilInputEnds();
while (!ended) {
  took.push(await roundTrip());
  await new Promise((resolve) => setTimeout(resolve, EACH_MS));
}
console.log(JSON.stringify(took));
