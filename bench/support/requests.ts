import type { Json } from "../../tests/support/client.ts";
import { Connection } from "./connection.ts";
import { median } from "./statistics.ts";

/** Makes a request that must succeed; gives the body. */
export async function ask(
  connection: Connection,
  method: string,
  path: string,
  body?: unknown,
): Promise<Json> {
  const { status, text } = await connection.request(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text);
}

/** A connection that is closed by the stack. */
export async function connected(stack: AsyncDisposableStack, url: string): Promise<Connection> {
  const connection = await Connection.open(url);
  stack.defer(() => connection.close());
  return connection;
}

/** Milliseconds that an instance takes for one round trip to its database, with the way to the instance. */
export async function roundTrip(connection: Connection): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 50; n++) {
    const began = performance.now();
    await ask(connection, "GET", "/healthz");
    times.push(performance.now() - began);
  }
  return median(times);
}
