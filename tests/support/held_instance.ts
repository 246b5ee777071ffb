import { createDatabase, type DatabaseOptions } from "../../db/database.ts";
import { createApp } from "../../routes/app.ts";
import { createServices } from "../../routes/services.ts";

/** Serves an instance in this process. */
export async function heldInstance(options: DatabaseOptions) {
  const database = createDatabase(options);
  const services = createServices(database);
  const { fetch, routes } = createApp(services);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request, info) => fetch(request, info),
  );
  await database.migrate();
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    routes,
    async stop() {
      await services.watch.drain();
      await server.shutdown();
      await database.close();
    },
  };
}
