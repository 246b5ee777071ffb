import assert from "node:assert/strict";
import { connect } from "../client/mod.ts";
import { startHereAlone } from "./support/here.ts";

const root = new URL("../", import.meta.url);
const DEADLINE = 60_000;

Deno.test("two players take turns until one wins, and never move out of turn", async () => {
  const lines = await run("turns");
  const moves = lines.filter((line) => / takes \d, /.test(line)).map((line) => line.split(" ")[0]);
  assert.ok(moves.length > 2);
  assert.ok(moves.every((player, n) => player === ["ada", "bob"][n % 2]), moves.join());
  assert.equal(lines.at(-1), `${moves.at(-1)} wins after ${moves.length} moves, all in turn.`);
});

Deno.test("workers do every task once, that of the worker that was killed too", async () => {
  const lines = await run("tasks");
  const begun = lines.flatMap((line) => / works on (\d+)$/.exec(line)?.[1] ?? []);
  assert.match(lines[1]!, /^eve works on /);
  assert.equal(begun.length, 13, "12 tasks, and hers a second time");
  assert.equal(new Set(begun).size, 12, begun.join());
  assert.equal(lines.at(-1), "All 12 tasks are done, each once.");
});

Deno.test("voters who write over each other lose no vote and agree", async () => {
  const lines = await run("consensus");
  assert.equal(lines.filter((line) => / votes (tea|coffee) at attempt \d+$/.test(line)).length, 5);
  assert.equal(lines.filter((line) => line.endsWith(" sees tea")).length, 5);
  assert.equal(lines.at(-1), "All 5 agree: tea.");
});

Deno.test("players who come by one line each hold a hand that nobody else sees, but for its size", async () => {
  const lines = await run("cards");
  const moves = lines.flatMap((line) => /^(ada|bob) plays (\d+), \w+ holds (\d)$/.exec(line)?.slice(1) ?? []);
  assert.equal(moves.length, 3 * 8, lines.join("\n"));
  const sizes = moves.filter((_, n) => n % 3 === 2).map(Number);
  assert.deepEqual(sizes.toSorted((a, b) => b - a), sizes);
  assert.equal(sizes.at(-1), 0);
  assert.match(lines.at(-1)!, /^(ada|bob) wins, and nobody saw another's hand\.$/);
});

Deno.test("where only locked rooms are made an example ends with a line that says what is in the way", async () => {
  const service = await startHereAlone({ REQUIRE_LOCKED: "on" });
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", "examples/turns.ts", service.url],
      cwd: root,
      stdin: "null",
    }).output();
    const told = new TextDecoder().decode(stderr).trimEnd();
    assert.equal(code, 1);
    assert.match(told, /^403 forbidden: .* Send `locked: true`\.[^\n]*$/);
  } finally {
    await service.stop();
  }
});

Deno.test("agents of a plain shell, with curl alone, take a task each and report", async () => {
  const service = await startHereAlone();
  try {
    const room = await connect(service.url).open("r");
    const agents = ["ada", "bob"].map((agent) =>
      new Deno.Command("sh", {
        args: ["examples/shell/agent.sh", service.url, "r", agent],
        cwd: root,
        stdin: "null",
        signal: AbortSignal.timeout(DEADLINE),
      }).output()
    );
    await room.until("size(agents) == 2");
    const tasks = [];
    for (const text of ["four", "seventeen letters"]) {
      tasks.push(await room.messages.post(text, { kind: "task" }));
    }
    for (const { code, stderr } of await Promise.all(agents)) {
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    const results = await room.messages.list({ kind: "result" });
    const found = new Map(results.map(({ reply_to, body }) => [reply_to, body]));
    assert.deepEqual(tasks.map(({ id }) => found.get(id)), [4, 17]);
    assert.deepEqual(results.map(({ from_agent }) => from_agent).sort(), ["ada", "bob"]);
  } finally {
    await service.stop();
  }
});

Deno.test("an agent of a plain shell waits where there is no task, whatever else nobody has claimed", async () => {
  const service = await startHereAlone();
  try {
    const room = await connect(service.url).open("r");
    for (const text of ["hello", "welcome"]) await room.messages.post(text, { from: "eve" });
    const agent = new Deno.Command("sh", {
      args: ["examples/shell/agent.sh", service.url, "r", "ada"],
      cwd: root,
      stdin: "null",
      signal: AbortSignal.timeout(DEADLINE),
    }).output();
    assert.equal(
      (await room.until('agents.ada.waiting_on == "claim task"', { timeout: 10_000 })).triggered,
      true,
    );
    const { id } = await room.messages.post("a note", { kind: "note" });
    await room.messages.post("a task that is blocked", { kind: "task", needs: [id] });
    await room.messages.post("a task", { kind: "task" });
    assert.equal((await agent).code, 0);
    const [result] = await room.messages.list({ kind: "result" });
    assert.equal(result?.from_agent, "ada");
  } finally {
    await service.stop();
  }
});

Deno.test("an example says that there is no service, and fails", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close(); // now nobody listens at its port
  const { code, stderr } = await output("turns", `http://127.0.0.1:${listener.addr.port}`);
  assert.notEqual(code, 0);
  assert.match(stderr, /connection refused/i);
});

/** What an example prints, line by line, after it ended well. */
async function run(name: string): Promise<string[]> {
  const service = await startHereAlone();
  try {
    const { code, stdout, stderr } = await output(name, service.url);
    assert.equal(code, 0, stdout + stderr);
    return stdout.trim().split("\n");
  } finally {
    await service.stop();
  }
}

async function output(name: string, url: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `examples/${name}.ts`, url],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE),
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
