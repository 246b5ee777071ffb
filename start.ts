import handler, { database, drain } from "./main.ts";
import { onEnd } from "./routes/ending.ts";

const server = Deno.serve({ port: Number(Deno.env.get("PORT") || 8000), onListen }, handler);

function onListen({ port }: Deno.NetAddr) {
  console.log(`Convene is at http://localhost:${port}`);
  console.log(`Try:  curl -X POST http://localhost:${port}/rooms -d '{"id":"lobby"}'`);
}

onEnd(async () => {
  await Promise.all([drain(), server.shutdown()]);
  await database.close();
});
