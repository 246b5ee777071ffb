import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";
import type { Json } from "./client.ts";
import { DATABASES } from "./databases.ts";

export interface Answered {
  status: number;
  /** The room's, NaN where the answer tells none. */
  revision: number;
  body: Json;
}

/** Asks an instance, by its number. */
export type Ask = (
  instance: number,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answered>;

/** Runs a test with two instances in this process, on a database of a kind that is removed afterwards. */
export async function withInstances(kind: string, test: (ask: Ask) => Promise<void>): Promise<void> {
  const place = await DATABASES[kind]!();
  const databases = [1, 2].map(() => createDatabase({ connect: () => connect(place.url) }));
  const services = databases.map((database) => createServices(database));
  const apps = services.map((each) => createApp(each));
  try {
    await test(async (instance, method, path, body, headers) => {
      const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
      const response = await apps[instance]!.request(path, request);
      const revision = Number(response.headers.get("Convene-Revision") ?? NaN);
      return { status: response.status, revision, body: await response.json() };
    });
  } finally {
    for (const { watch } of services) await watch.drain();
    for (const database of databases) await database.close();
    await place.stop();
  }
}
