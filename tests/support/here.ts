import { createDatabase, type DatabaseOptions } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { settingsOf } from "../../routes/process/settings.ts";
import { serveOn } from "../../routes/process/serving.ts";
import { createServices, type ServiceOptions } from "../../routes/services.ts";
import type { Running } from "./backends.ts";
import { DATABASES } from "./databases.ts";

/**
 * Starts an instance in this process, over HTTP too: soon there, for tests that need one each. What a process does for
 * it is `start.ts` and `main.ts`, which `startService` runs.
 */
export function startHere(url: string, env: Record<string, string> = {}): Promise<Running> {
  return serveHere({ connect: () => connect(url) }, settingsOf((name) => env[name]));
}

/** The same over a database file of its own. */
export async function startHereAlone(env?: Record<string, string>): Promise<Running> {
  const database = await DATABASES.file!();
  try {
    const { url, stop } = await startHere(database.url, env);
    return { url, stop: () => stop().finally(database.stop) };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/** The same over a database that a test opens in its own way. `routes` are all that the instance can be asked. */
export async function serveHere(options: DatabaseOptions, settings?: ServiceOptions) {
  const database = createDatabase(options);
  const services = createServices(database, settings);
  const { fetch, routes } = createApp(services);
  const listening = Promise.withResolvers<number>();
  const onListen = ({ port }: Deno.NetAddr) => listening.resolve(port);
  const server = serveOn(
    { hostname: "127.0.0.1", port: 0, onListen },
    (request, info) => fetch(request, info),
  );
  await database.migrate();
  return {
    url: `http://127.0.0.1:${await listening.promise}`,
    routes,
    async stop() {
      await Promise.all([services.watch.drain(), server.shutdown()]);
      await database.close();
    },
  };
}
