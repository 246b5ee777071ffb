import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { startCluster } from "../support/cluster.ts";
import { eachLine } from "../support/lines.ts";

const TTL = 2;

Deno.test("the task of a worker that was killed is done by another one at another instance, without anybody's doing", async () => {
  const cluster = await startCluster();
  const [here, there] = cluster.services;
  try {
    const room = await connect(here!.url).open("r", { agent: "boss" });
    const { id } = await room.messages.post({ n: 6 }, { kind: "task" });

    const program = new URL("crashing_worker.ts", import.meta.url).pathname;
    const dying = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-net", program, here!.url, "r", "eve", `${TTL}`],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const begun = Promise.withResolvers<void>();
    const told = eachLine(dying.stdout, (line) => line === `begins ${id}` && begun.resolve());
    await begun.promise;

    // Another worker waits for the next task, at the other instance.
    const stop = new AbortController();
    const done = Promise.withResolvers<number>();
    const working = connect(there!.url).room("r", { agent: "ada" }).tasks.worker<{ n: number }>(
      ({ body }) => {
        done.resolve(performance.now());
        return body.n * 7;
      },
      { kind: "task", signal: stop.signal },
    );
    // It holds the task by renewals.
    const { claimed_until } = await room.messages.get(id);
    await room.until(`messages.id[${id}].claimed_until != "${claimed_until}"`);

    dying.kill("SIGKILL");
    const killed = performance.now();
    await dying.status;
    await told;
    const taken = await done.promise - killed;
    assert.ok(
      taken <= TTL * 1_000 + 1_250,
      `${taken} ms: its ttl, one polling interval and a second at the most`,
    );

    await room.until(`messages.id[${id}].status == "done"`);
    stop.abort();
    await working;
    const attempts = await room.messages.attempts(id);
    assert.deepEqual(attempts.map(({ agent, ended }) => [agent, ended]), [["eve", "expired"], [
      "ada",
      "completed",
    ]]);
    assert.ok(attempts[0]!.fence < attempts[1]!.fence);
    const [result, ...others] = await room.messages.list({ kind: "result" });
    assert.deepEqual([result!.body, result!.reply_to, result!.from_agent, others], [42, id, "ada", []]);
  } finally {
    await cluster.stop();
  }
});
