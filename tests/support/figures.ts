import type { Client } from "./client.ts";
import { bearer, OPERATOR } from "./tokens.ts";

/** How many waits an instance holds whose operator has the token of tests. */
export async function waitsOpen(client: Client): Promise<number> {
  const { text } = await client.request("GET", "/metrics", { headers: bearer(OPERATOR) });
  return Number(/^convene_waits_open (\d+)$/m.exec(text)![1]);
}
