import { Room } from "../client.ts";

const [url, id, pause, me] = Deno.args as [string, string, string, string];
const room = new Room(url, id);
await room.post("/agents", { id: me, name: me, role: "worker" });

for (;;) {
  // The oldest task that nobody has, mine for two seconds: if I die, another worker gets it then.
  // Work that takes longer renews it meanwhile: POST /messages/<id>/renew { agent, fence, ttl }.
  const { claimed, message, fence } = await room.post("/messages/claim", {
    agent: me,
    ttl: 2,
    timeout: 25_000,
  });
  if (!claimed) continue;

  const stop = message.kind === "stop";
  if (!stop) console.log(`${me} works on ${message.body}`);
  await room.post(`/agents/${me}/heartbeat`, { status: stop ? "idle" : "busy" });
  await new Promise((resolve) => setTimeout(resolve, Number(pause)));

  // Done, and its result posted as a reply, in one write. `fence`: only as long as it is still mine.
  const result = stop ? undefined : factorsOf(message.body);
  await room.post(`/messages/${message.id}/complete`, { agent: me, fence, result });
  if (stop) break;
}

function factorsOf(number: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; factor * factor <= number; factor++) {
    for (; number % factor === 0; number /= factor) factors.push(factor);
  }
  return number > 1 ? [...factors, number] : factors;
}
