import type { Client } from "./client.ts";

/** The operator's token of a service whose figures are read. */
export const OPERATOR = "the operator's own token of 32 letters";

/** How many waits an instance holds. */
export async function waitsOpen(client: Client): Promise<number> {
  const { text } = await client.request("GET", "/metrics", {
    headers: { Authorization: `Bearer ${OPERATOR}` },
  });
  return Number(/^convene_waits_open (\d+)$/m.exec(text)![1]);
}

/** Comes back once an instance holds so many waits. */
export async function untilWaitsOpen(client: Client, count: number, within: number): Promise<void> {
  for (const deadline = Date.now() + within;;) {
    const open = await waitsOpen(client);
    if (open === count) return;
    if (Date.now() > deadline) throw new Error(`After ${within} ms it holds ${open} waits, not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
