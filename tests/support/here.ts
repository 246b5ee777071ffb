import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { settingsOf } from "../../routes/process/settings.ts";
import { serveOn } from "../../routes/process/serving.ts";
import { createServices } from "../../routes/services.ts";
import type { Running } from "./backends.ts";

/**
 * Starts an instance in this process, over HTTP too: soon there, for tests that need one each. What a process does for
 * it is `start.ts` and `main.ts`, which `startService` runs.
 */
export async function startHere(url: string, env: Record<string, string> = {}): Promise<Running> {
  const database = createDatabase({ connect: () => connect(url) });
  const services = createServices(database, settingsOf((name) => env[name]));
  const app = createApp(services);
  const listening = Promise.withResolvers<number>();
  const onListen = ({ port }: Deno.NetAddr) => listening.resolve(port);
  const server = serveOn(
    { hostname: "127.0.0.1", port: 0, onListen },
    (request, info) => app.fetch(request, info),
  );
  await database.migrate();
  return {
    url: `http://127.0.0.1:${await listening.promise}`,
    async stop() {
      await Promise.all([services.watch.drain(), server.shutdown()]);
      await database.close();
    },
  };
}
