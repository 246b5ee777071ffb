import assert from "node:assert/strict";
import { invitation } from "../views/room/invitation.tsx";
import { Subject } from "./support/backends.ts";
import { startHereAlone } from "./support/here.ts";
import { inShell } from "./support/shell.ts";

Deno.test("an agent that has only the invitation joins, looks, talks, does a task, shares and waits", async () => {
  const service = await startHereAlone();
  try {
    const t = new Subject(service.url);
    const room = `it's "${crypto.randomUUID()}"`;
    assert.equal((await t.post("/rooms", { id: room })).status, 201);
    const task = await t.message(encodeURIComponent(room), { from: "ann", kind: "task", body: "count" });
    const calls = invitation(service.url, room).split("\n").filter((line) => /^ +curl /.test(line));
    const filled = calls.map((call) =>
      call.replaceAll("<message id>", String(task.id)).replaceAll("<last id you read>", String(task.id))
        .replaceAll("<your key>", "total").replaceAll("<your id>", "bob").replaceAll(
          "<your name>",
          "Bob",
        ).replaceAll("<your role>", "worker")
    );
    // What is sent as it stands is refused, if it names nobody yet.
    for (const call of calls) {
      const { error } = await answerTo(call.replaceAll("<message id>", String(task.id)));
      assert.equal(error, call.includes("<your ") ? "invalid_request" : undefined, call);
    }
    const answers = [];
    for (const call of filled) {
      const fence: unknown = answers.at(-1)?.fence;
      answers.push(await answerTo(call.replaceAll("<fence>", String(fence))));
    }
    const [joined, seen, said, claimed, completed, shared, waited] = answers;
    assert.equal(answers.length, 7);
    assert.equal(joined.id, "bob");
    assert.equal(seen.messages_since[0].id, task.id);
    assert.deepEqual([said.from_agent, said.body, said.to_agent], ["bob", "Hello", null]);
    assert.deepEqual([claimed.claimed_by, claimed.message_id], ["bob", task.id]);
    assert.notEqual(claimed.claimed_until, null, "who is gone keeps no task");
    assert.deepEqual([completed.completed, completed.result.body], [true, "any JSON"]);
    assert.deepEqual([shared.key, shared.version, shared.updated_by], ["total", 1, "bob"]);
    assert.equal(waited.triggered, true);
    assert.deepEqual(waited.messages_since.map(({ id }: { id: number }) => id), [
      said.id,
      completed.result.id,
    ]);
  } finally {
    await service.stop();
  }
});

const answerTo = async (command: string) => JSON.parse((await inShell(command)).stdout);
