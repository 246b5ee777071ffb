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
  await withShell(async (shell, room) => {
    await room.join({ id: "ada" });
    const first = await prints(shell, /^\d+$/, "say", "first", "--kind", "task");
    const second = await prints(shell, /^\d+$/, "say", "second", "--kind", "task", "--needs", first);
    await prints(shell, `${second} task ada: second [needs ${first}]`, "read", "--status", "blocked");
    await refused(shell, 1, new RegExp(`${second} waits for ${first}`), "claim", second);
    const taken = await prints(
      shell,
      /^\d+ \(fence \d+\) task ada: first \[claimed by ada\]$/,
      "take",
      "--ttl",
      "5m",
    );
    const fence = /^\d+ \(fence (\d+)\)/.exec(taken)![1]!;
    await refused(shell, 1, /ada has/, "claim", first, "--agent", "bob");
    await prints(shell, /^until 2/, "renew", first, "--fence", fence, "--ttl", "10m");
    await refused(shell, 2, /Say the --fence.*\nconvene help renew tells how/s, "renew", first);
    await refused(shell, 1, /the claim has a ttl.*\nSay it as --fence: take/, "complete", first);
    await refused(
      shell,
      1,
      /lease_lost\)\nDrop the work: what you did under another fence/,
      "complete",
      first,
      "--fence",
      "1",
    );
    await refused(
      shell,
      1,
      /lease_lost\).*unless that is you: then say --agent/s,
      "release",
      first,
      "--agent",
      "bob",
    );
    await prints(shell, /^done \d+: \d+$/, "complete", first, '{"n":1}', "--fence", fence);
    await prints(shell, /^\d+ result ada \(reply to \d+\): {"n":1}$/, "read", "--kind", "result");
    await refused(shell, 1, new RegExp(`${first} is done`), "claim", first, "--agent", "bob");
    await prints(shell, new RegExp(`^claimed ${second} \\(fence \\d+\\)$`), "claim", second, "--ttl", "60");
  });
});

Deno.test("what goes wrong with a task in a shell is kept with it", async () => {
  await withShell(async (shell, room) => {
    await room.join({ id: "ada" });
    const id = await prints(shell, /^\d+$/, "say", "x", "--kind", "task", "--max-attempts", "2");
    await refused(shell, 1, /lease_lost\)\nClaim it first: convene claim ID/, "complete", id);
    await prints(shell, `claimed ${id}`, "claim", id);
    await prints(shell, `${id} is open`, "release", id, "--error", "no time");
    await refused(shell, 1, /lease_lost\)\nClaim it again: convene claim ID/, "complete", id);
    const json = await prints(shell, /^{"claimed":true/, "take", "--kind", "task", "--json");
    const { fence } = JSON.parse(json);
    await prints(shell, `failed ${id}`, "fail", id, "--fence", String(fence), "--error", '{"exit":1}');
    const attempts = await prints(shell, /^/, "attempts", id);
    assert.match(
      attempts,
      /^fence \d+: ada since \S+, released \S+: no time\nfence \d+: .* failed \S+: {"exit":1}$/,
    );
    await prints(shell, `${id} task ada: x [failed by ada: {"exit":1}]`, "read");
    const spent = await prints(shell, /^\d+$/, "say", "y", "--kind", "task", "--max-attempts", "1");
    const needing = await prints(shell, /^\d+$/, "say", "z", "--kind", "task", "--needs", spent);
    const off = await prints(shell, /^\d+$/, "say", "o", "--kind", "task");
    await prints(shell, `claimed ${spent}`, "claim", spent);
    await prints(shell, `${spent} is failed`, "release", spent, "--error", "no disk");
    await prints(shell, `failed ${off}`, "fail", off);
    const failed = (await prints(shell, /^/, "read", "--status", "failed")).split("\n");
    assert.deepEqual(failed.slice(1), [
      `${spent} task ada: y [failed, no attempts left: no disk]`,
      `${needing} task ada: z [failed: it needs ${spent}]`,
      `${off} task ada: o [called off]`,
    ]);
    await refused(shell, 124, /There is no task/, "take", "--timeout", "100ms");
    await prints(shell, /^\d+$/, "say", "text", "--kind", "task");
    const unlike = /No task fits\. One could not be judged: `message.body.n`: a string has no members/;
    await refused(shell, 124, unlike, "take", "--where", "message.body.n > 1", "--timeout", "100ms");
    await refused(shell, 2, /no option --knd. Did you mean --kind\?/, "take", "--knd", "task");
    await refused(shell, 2, /no message's id/, "complete", "x1");
    await refused(shell, 2, /Who are you/, "take", "--agent", "");
  });
});

Deno.test("say tells when nobody is there to read it", async () => {
  await withShell(async (shell, room) => {
    await room.join({ id: "ada" });
    const { code, stderr } = await shell.run("say", "hello", "--to", "bob");
    assert.deepEqual([code, stderr], [0, "convene: bob is not registered: nobody may read this.\n"]);
    await room.join({ id: "bob" });
    await prints(shell, /^\d+$/, "say", "hello", "--to", "bob");
  });
});

Deno.test("who acts as an agent that is not registered is told so", async () => {
  await withShell(async (shell, room) => {
    const { id } = await room.messages.post("x", { kind: "task" });
    await room.messages.post("y", { kind: "task" });
    for (
      const args of [
        ["claim", String(id)],
        ["take"],
        ["take", "--kind", "none", "--timeout", "10ms"],
        ["say", "hello"],
        ["reserve", "a"],
      ]
    ) {
      assert.match(
        (await shell.run(...args)).stderr,
        /^convene: This agent is not registered \(convene join\)/,
      );
    }
  });
});

Deno.test("set edits values in their place, and keys end", async () => {
  await withShell(async (shell, room) => {
    await prints(shell, '{"a":1} (version 1)', "set", "o", '{"a":1}', "--merge");
    await prints(shell, '{"a":1,"b":[2]} (version 2)', "set", "o", "[2]", "--at", "/b");
    await prints(shell, '{"a":1,"b":[2,"x"]} (version 3)', "set", "o", "x", "--at", "/b/-");
    await prints(shell, '{"b":[2,"x"]} (version 4)', "set", "o", "--unset", "/a");
    await prints(shell, '["a"] (version 1)', "set", "l", "a", "--append");
    await prints(shell, '["a","b","a"] (version 2)', "set", "l", '["b","a"]', "--append-all");
    await prints(shell, '["b"] (version 3)', "set", "l", "a", "--remove");
    await prints(shell, "x (version 1)", "set", "t", "x", "--ttl", "1h");
    const { expires_at } = (await room.state.get("t"))!;
    assert.ok(Math.abs(Date.parse(expires_at!) - Date.now() - 3_600_000) < 60_000, expires_at!);
    await refused(shell, 1, /not_editable/, "set", "o", "1", "--at", "/none/there");
    await refused(shell, 2, /--append and --remove are two edits/, "set", "l", "a", "--append", "--remove");
    await refused(shell, 2, /--append-all takes a list/, "set", "l", "a", "--append-all");
    await refused(shell, 2, /--merge takes an object/, "set", "o", "[1]", "--merge");
    await refused(shell, 2, /--unset takes no value/, "set", "o", "1", "--unset", "/b");
    await refused(shell, 2, /Which value/, "set", "o", "--at", "/b");
  });
});

Deno.test("a word that stands for a key and more is refused, with what to write, and nothing is written", async () => {
  await withShell(async (shell, room) => {
    const pairs: [told: string, ...args: string[]][] = [
      ["convene set phase go", "phase=go"],
      ["convene set phase 'go on'", "phase=go on", "--ttl", "5m"],
      ["convene set n 1", "n=1", "--increment"],
      ["convene set phase ''", "phase="],
      ["convene set a 1", "a=1", "b=2"],
      ["convene set turn", "_shared.turn", "ada"],
      ["convene set turn", "state._shared.turn", "ada"],
      ["convene set n --scope _view", "state._view.n", "1"],
    ];
    for (const [told, ...args] of pairs) {
      const { code, stderr } = await shell.run("set", ...args);
      assert.deepEqual([code, stderr.split("\n")[0]!.endsWith(`: ${told}`)], [2, true], stderr);
    }
    assert.deepEqual(await room.state.list(), []);
    await prints(shell, "b=2 (version 1)", "set", "a=1", "b=2", "--text");
    await prints(shell, "1 (version 1)", "set", "vote=yes", "--increment");
    await prints(shell, "x=y (version 1)", "set", "k", "x=y");
    await prints(shell, "1 (version 1)", "set", "_shared.k", "1", "--scope", "_shared");
    await refused(
      shell,
      1,
      /There is no state\._view\.n in _shared\. .*convene get n --scope _view/,
      "get",
      "state._view.n",
    );
    await prints(shell, "1", "get", "_shared.k");
    await refused(
      shell,
      1,
      /two parts: convene get KEY --scope SCOPE/,
      "get",
      "turn",
      "--scope",
      "_shared.turn",
    );
  });
});

Deno.test("reserve, its list, and release; an agent that leaves gives all of it back", async () => {
  await withShell(async (shell) => {
    await shell.run("join");
    const made = await prints(
      shell,
      /^\S+ \(fence \d+\)$/,
      "reserve",
      "src/**",
      "docs/*.md",
      "--note",
      "parser",
    );
    const [id, fence] = /^(\S+) \(fence (\d+)\)$/.exec(made)!.slice(1) as [string, string];
    await refused(
      shell,
      1,
      /reserved.*\nWait for them with --timeout/,
      "reserve",
      "src/a.ts",
      "--agent",
      "bob",
    );
    await refused(
      shell,
      124,
      /reserved.*\nWait longer with --timeout/,
      "reserve",
      "src/a.ts",
      "--agent",
      "bob",
      "--timeout",
      "100ms",
    );
    await prints(
      shell,
      /^\S+: ada has src\/\*\* docs\/\*\.md until \S+: parser$/,
      "reserve",
      "--path",
      "src/a.ts",
    );
    await prints(shell, "", "reserve", "--path", "tests/a.ts");
    await prints(shell, /^until 2/, "renew", id, "--fence", fence, "--ttl", "1h");
    await prints(shell, `released ${id}`, "release", id, "--fence", fence);
    await prints(shell, `${id} was over`, "release", id);
    await prints(shell, /^\S+ \(fence \d+\)$/, "reserve", "src/**", "--shared");
    await prints(shell, "ada left", "leave");
    await prints(shell, "", "reserve");
    await prints(shell, "ada was not there", "leave");
    await refused(shell, 2, /Which paths/, "reserve", "--shared");
    await refused(shell, 2, /--path is for the list/, "reserve", "src/**", "--path", "src");
  });
});
