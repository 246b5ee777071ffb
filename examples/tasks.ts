/**
 * Tasks for many: a coordinator posts numbers as messages; workers claim them and reply with their factors.
 * While the service runs: `deno run -A examples/tasks.ts [url]`
 */
import { serviceUrl, withAgents } from "./agents.ts";
import { type Answer, Room } from "./client.ts";

const numbers = Array.from({ length: 12 }, (_, n) => 9_999_991 + n * 1_234_567);
const workers = ["ada", "bob", "cyd"];

const room = await Room.open(serviceUrl);
console.log(`${numbers.length} tasks for ${workers.length} workers: ${serviceUrl}/?room=${room.id}`);

// A view counts what is done; workers write one `done:<task>` for each task, so none counts twice.
const done = 'state._shared.filter(key, key.startsWith("done:")).size()';
await room.put("/state", { scope: "_view", key: "done", expr: done });

const tasks: Answer[] = await withAgents(
  "tasks/worker.ts",
  workers.map((worker) => [serviceUrl, room.id, worker]),
  async () => {
    await room.waitFor(`size(agents) == ${workers.length}`);
    for (const number of numbers) await room.post("/messages", { from: "boss", kind: "task", body: number });
    await room.waitFor(`state._view.done == ${numbers.length}`);
    await room.put("/state", { key: "closed", value: true });
    return await room.get("/messages?kind=task&limit=1000");
  },
);

let right = tasks.length === numbers.length;
for (const task of tasks) {
  const replies: Answer[] = await room.get(`/messages?thread=${task.id}&kind=result`);
  const [{ from_agent, body: factors }] = replies;
  console.log(`${task.body} = ${factors.join(" * ")} (${from_agent})`);
  const product = factors.reduce((product: number, factor: number) => product * factor, 1);
  right &&= replies.length === 1 && from_agent === task.claimed_by && product === task.body;
}
console.log(right ? `All ${tasks.length} tasks are done, each once.` : "Something is wrong.");
Deno.exit(right ? 0 : 1);
