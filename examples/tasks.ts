/**
 * Tasks for many: a coordinator posts numbers as tasks; workers take them and complete them with their factors.
 * One worker is killed in the middle of a task: another gets it when the claim of the dead one has ended.
 * While the service runs: `deno run -A examples/tasks.ts [url]`
 */
import { newRoom, serviceUrl, startAgent, withAgents } from "./agents.ts";
import type { Answer } from "./client.ts";

const numbers = Array.from({ length: 12 }, (_, n) => 9_999_991 + n * 1_234_567);
const workers = ["ada", "bob", "cyd"];

const room = await newRoom();
console.log(`${numbers.length} tasks for ${workers.length} workers: ${serviceUrl}/?room=${room.id}`);
for (const number of numbers) await room.post("/messages", { from: "boss", kind: "task", body: number });

// Eve takes a task, for which she needs a minute, and is killed.
const eve = startAgent("tasks/worker.ts", [serviceUrl, room.id, "60000", "eve"]);
await room.waitFor('agents.?eve.?status.orValue("") == "busy"');
eve.kill("SIGKILL");
await eve.status;
console.log("eve is dead");

const tasks: Answer[] = await withAgents(
  "tasks/worker.ts",
  workers.map((worker) => [serviceUrl, room.id, "0", worker]),
  async () => {
    await room.waitFor(`messages.kind.task.done == ${numbers.length}`);
    for (const worker of workers) {
      await room.post("/messages", { from: "boss", to: worker, kind: "stop", body: null });
    }
    return await room.get("/messages?kind=task&limit=1000");
  },
);

let right = tasks.length === numbers.length;
for (const task of tasks) {
  const { from_agent, body: factors } = await room.get(`/messages/${task.result_id}`);
  console.log(`${task.body} = ${factors.join(" * ")} (${from_agent})`);
  const product = factors.reduce((product: number, factor: number) => product * factor, 1);
  right &&= workers.includes(from_agent) && from_agent === task.claimed_by && product === task.body;
}
right &&= (await room.get("/messages?kind=result&limit=1000")).length === numbers.length;
console.log(right ? `All ${tasks.length} tasks are done, each once.` : "Something is wrong.");
Deno.exit(right ? 0 : 1);
