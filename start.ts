import handler, { drain } from "./main.ts";

/** Serves on PORT (8000) until SIGINT or SIGTERM, then ends when every request has been answered. */
const server = Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000), onListen }, handler);

function onListen({ port }: Deno.NetAddr) {
  console.log(`Convene is at http://localhost:${port}`);
  console.log(`Try:  curl -X POST http://localhost:${port}/rooms -d '{"id":"lobby"}'`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, end);

async function end() {
  await Promise.all([drain(), server.shutdown()]);
  Deno.exit(0);
}
