import { DatabaseUnusable } from "./db/driver/faults.ts";
import { unwatched } from "./db/driver/file.ts";
import handler, { database, drain } from "./main.ts";
import { onEnd } from "./routes/process/ending.ts";
import { isLoopback } from "./routes/http/callers/networks.ts";
import { preloadSoon } from "./routes/process/preload.ts";
import { serveOn } from "./routes/process/serving.ts";
import { databaseOf, hostOf, portOf, settingsOf } from "./routes/process/settings.ts";
import { starting, StartRefusal } from "./routes/process/starting.ts";
import { quoted, wordOf } from "./views/shared/addresses.ts";

const env = (name: string) => Deno.env.get(name);
const listening = Promise.withResolvers<Deno.NetAddr>();
const server = starting(() => serve(hostOf(env), portOf(env)));
onEnd(() => Promise.all([drain(), server.shutdown()]), database.close);
preloadSoon(databaseOf(env));

function serve(hostname: string, port: number) {
  try {
    return serveOn({ hostname, port, onListen: listening.resolve }, handler);
  } catch (error) {
    const { message } = error as Error;
    throw new StartRefusal(`The service cannot listen on HOST ${hostname}, PORT ${port}: ${message}`);
  }
}

/** Tells the operator where the service is and how to call it. */
function tell({ hostname, port }: Deno.NetAddr) {
  const any = ({ "0.0.0.0": "127.0.0.1", "::": "::1" } as Record<string, string>)[hostname];
  const host = any ?? hostname;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  console.log(`Convene is at ${url}${any ? `, and on port ${port} of every address of this machine` : ""}`);
  if (!isLoopback(hostname)) {
    console.log("Whoever can reach it can read and write every open room. HOST=127.0.0.1 keeps others out.");
  }
  const locked = settingsOf(env).rules?.openRooms === false;
  const room = JSON.stringify({ id: "lobby", ...locked && { locked } });
  console.log(`Try:  curl -X POST ${wordOf(`${url}/rooms`)} -d ${quoted(room)}`);
}

// The first request retries a database that does not answer yet. One that no instance can use as it is set up ends the
// process before it says where it is; the reason is in the log already.
await database.migrate().catch(({ cause }) => {
  if (cause instanceof DatabaseUnusable) Deno.exit(1);
});
const unseen = unwatched(databaseOf(env));
if (unseen !== undefined) {
  console.error(
    `Do not replace ${unseen} while the service runs: it may not look at the file (--allow-read).`,
  );
}
tell(await listening.promise);
