import assert from "node:assert/strict";
import { type Shell, withShell } from "./command.ts";

/** Runs a command, and compares what it prints and how it ends. */
async function prints(shell: Shell, expected: string | RegExp, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shell.run(...args);
  const printed = stdout.trimEnd();
  assert.deepEqual([stderr, code], ["", 0], args.join(" "));
  if (typeof expected === "string") assert.equal(printed, expected);
  else assert.match(printed, expected);
  return printed;
}

async function refused(shell: Shell, code: number, told: RegExp, ...args: string[]): Promise<void> {
  const { code: ended, stdout, stderr } = await shell.run(...args);
  assert.equal(ended, code, args.join(" ") + stderr);
  assert.match(stdout + stderr, told, args.join(" "));
}

Deno.test("a task in a shell: taken, renewed, completed, and what it needed is there", async () => {
  await withShell(async (shell) => {
    const first = await prints(shell, /^\d+$/, "say", "first", "--kind", "task");
    const second = await prints(shell, /^\d+$/, "say", "second", "--kind", "task", "--needs", first);
    await prints(shell, `${second} task ada: second [needs ${first}]`, "read", "--status", "blocked");
    await refused(shell, 1, new RegExp(`${second} waits for ${first}`), "claim", second);
    const claimed = await prints(shell, /^claimed \d+ \(fence \d+\)$/, "claim", first, "--ttl", "5m");
    const fence = /fence (\d+)/.exec(claimed)![1]!;
    await refused(shell, 1, /ada has/, "claim", first, "--agent", "bob");
    await prints(shell, /^until 2/, "renew", first, "--fence", fence, "--ttl", "10m");
    await refused(shell, 2, /Say the --fence/, "renew", first);
    await refused(shell, 1, /lease_lost/, "complete", first, "--fence", "1");
    await prints(shell, /^done \d+: \d+$/, "complete", first, '{"n":1}', "--fence", fence);
    await prints(shell, /^\d+ result ada \(reply to \d+\): {"n":1}$/, "read", "--kind", "result");
    await refused(shell, 1, new RegExp(`${first} is done`), "claim", first, "--agent", "bob");
    await prints(shell, new RegExp(`^claimed ${second} \\(fence \\d+\\)$`), "claim", second, "--ttl", "60");
  });
});

Deno.test("what goes wrong with a task in a shell is kept with it", async () => {
  await withShell(async (shell) => {
    const id = await prints(shell, /^\d+$/, "say", "x", "--kind", "task", "--max-attempts", "2");
    await prints(shell, `claimed ${id}`, "claim", id);
    await prints(shell, `${id} is open`, "release", id, "--error", "no time");
    const json = await prints(shell, /^{"claimed":true/, "claim", id, "--ttl", "60", "--json");
    const { fence } = JSON.parse(json);
    await prints(shell, `failed ${id}`, "fail", id, "--fence", String(fence), "--error", '{"exit":1}');
    const attempts = await prints(shell, /^/, "attempts", id);
    assert.match(
      attempts,
      /^fence \d+: ada since \S+, released \S+: no time\nfence \d+: .* failed \S+: {"exit":1}$/,
    );
    await prints(shell, `${id} task ada: x [failed: failed]`, "read");
    await refused(shell, 2, /no option --fnece. Did you mean --fence\?/, "release", id, "--fnece", "1");
    await refused(shell, 2, /no message's id/, "complete", "x1");
    await refused(shell, 2, /Who are you/, "claim", id, "--agent", "");
  });
});

Deno.test("say tells when nobody is there to read it", async () => {
  await withShell(async (shell, room) => {
    const { code, stderr } = await shell.run("say", "hello", "--to", "bob");
    assert.deepEqual([code, stderr], [0, "convene: bob is not registered: nobody may read this.\n"]);
    await room.join({ id: "bob" });
    await prints(shell, /^\d+$/, "say", "hello", "--to", "bob");
  });
});
