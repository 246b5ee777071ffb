import { Refused, Room } from "../client.ts";

const [url, id, me] = Deno.args as [string, string, string];
const room = new Room(url, id);
await room.post("/agents", { id: me, name: me, role: "worker" });

let seen = 0;
for (;;) {
  const { messages, state } = await room.waitFor(`has(state._shared.closed) || messages.count > ${seen}`, {
    agent: me,
    include: ["messages", "state._shared"],
  });
  if (state._shared.closed) break;
  seen = messages.count; // before the list is read: what comes after it wakes the next wait

  for (const task of await room.get("/messages?kind=task&unclaimed=true&limit=1000")) {
    if (!await claim(task.id)) continue;
    console.log(`${me} works on ${task.body}`);
    await room.post("/messages", { from: me, kind: "result", body: factorsOf(task.body), reply_to: task.id });
    await room.put("/state", { key: `done:${task.id}`, value: me, if_version: 0 });
  }
}

/** Whether the task is mine now. One agent gets true, the others 409. */
async function claim(task: number): Promise<boolean> {
  try {
    await room.post(`/messages/${task}/claim`, { agent: me });
    return true;
  } catch (error) {
    if (error instanceof Refused && error.code === "already_claimed") return false;
    throw error;
  }
}

function factorsOf(number: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; factor * factor <= number; factor++) {
    for (; number % factor === 0; number /= factor) factors.push(factor);
  }
  return number > 1 ? [...factors, number] : factors;
}
