import handler, { database, drain } from "./main.ts";
import { onEnd } from "./routes/ending.ts";
import { serveOn } from "./routes/serving.ts";
import { portOf } from "./routes/settings.ts";

const server = serveOn({ port: portOf((name) => Deno.env.get(name)), onListen }, handler);

function onListen({ port }: Deno.NetAddr) {
  console.log(`Convene is at http://localhost:${port}`);
  console.log(`Try:  curl -X POST http://localhost:${port}/rooms -d '{"id":"lobby"}'`);
}

onEnd(async () => {
  await Promise.all([drain(), server.shutdown()]);
  await database.close();
});
