import assert from "node:assert/strict";
import { Client } from "./support/client.ts";
import { startHereAlone } from "./support/here.ts";

/** The guide's own command that holds these words, with an agent's own names in place of the guide's. */
function command(guide: string, holding: RegExp, names: Array<[string | RegExp, string]>): string {
  const lines = guide.split("\n").filter((line) => line.startsWith("curl ") && holding.test(line));
  assert.ok(lines.length > 0, `the guide has no command with ${holding}`);
  return names.reduce((text, [old, mine]) => text.replaceAll(old, mine), lines[0]!);
}

async function run(source: string) {
  const { code, stdout } = await new Deno.Command("bash", {
    args: ["-c", `curl() { command curl --noproxy '*' "$@"; }\n${source}`],
    stdin: "null",
  }).output();
  assert.equal(code, 0, source);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("an agent that knows GET / alone joins, claims a task and reports in at most 6 requests", async () => {
  const service = await startHereAlone();
  try {
    const host = new Client(service.url);
    await host.post("/rooms", { id: "work" });
    await host.post("/rooms/work/messages", { from: "boss", kind: "task", body: "count the files" });

    const guide = await (await fetch(service.url)).text();
    const names: Array<[string | RegExp, string]> = [[/\bdemo\b/g, "work"], [/\balice\b/g, "me"], [
      /\bbob\b/g,
      "me",
    ]];
    const registered = await run(command(guide, /\/agents -d .*"role"/, names));
    assert.equal(registered.id, "me");
    const seen = await run(command(guide, /messages:after:0/, names));
    const task = seen.messages_since.find((message: { claimed_by: string | null }) =>
      message.claimed_by === null
    );
    const id = String(task.id);
    const claimed = await run(command(guide, /\/claim/, [...names, [/messages\/\d+/g, `messages/${id}`]]));
    assert.equal(claimed.claimed, true);
    const reported = await run(
      command(guide, /"reply_to"/, [...names, [/"to":"\w+"/g, '"to":"boss"'], [
        /"reply_to":\d+/g,
        `"reply_to":${id}`,
      ]]),
    );
    assert.equal(reported.reply_to, task.id);

    const { body } = await host.get("/rooms/work/messages", { thread: id });
    assert.deepEqual(
      body.map(({ from_agent, claimed_by }: Record<string, string>) => [from_agent, claimed_by]),
      [["boss", "me"], ["me", null]],
    );
  } finally {
    await service.stop();
  }
});
