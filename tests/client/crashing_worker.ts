// A worker that never ends its first task, to be killed: crashing_worker.ts <url> <room> <agent> <ttl>
import { connect } from "../../client/mod.ts";

const [url, id, agent, ttl] = Deno.args as [string, string, string, string];
await connect(url).room(id, { agent }).tasks.worker((message) => {
  console.log(`begins ${message.id}`);
  return new Promise(() => setInterval(() => {}, 60_000));
}, { ttl: Number(ttl) });
