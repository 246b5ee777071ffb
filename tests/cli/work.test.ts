import assert from "node:assert/strict";
import type { Room } from "../../client/mod.ts";
import { until } from "../support/until.ts";
import { ended, withShell } from "./command.ts";

/** Resolves when so many tasks are done or failed. */
const over = (room: Room, count: number) =>
  room.until(`messages.kind.task.done + messages.kind.task.failed >= ${count}`, { agent: undefined });

const results = async (room: Room) => (await room.messages.list({ kind: "result" })).map(({ body }) => body);

Deno.test("work runs a program for each task: the message on its input, what it prints is the result", async () => {
  await withShell(async (shell, room) => {
    const bodies = [{ n: 1 }, "text", null];
    for (const body of bodies) await room.messages.post(body, { kind: "task" });
    const program = 'read line; case $line in *:{*) echo "$line";; *text*) printf "one\\ntwo\\n\\n";; esac';
    const working = shell.start("work", "--kind", "task", "--", "sh", "-c", program, "-h");
    await over(room, 3);
    working.kill("SIGTERM");
    const { code, stdout, stderr } = await ended(working);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^\d+ task ada: {"n":1} \[claimed by ada\]\n\d+ task ada: text /);
    const [first, second, ...others] = await results(room);
    const { body, claimed_by } = first as { body: unknown; claimed_by: string };
    assert.deepEqual([body, claimed_by, second, others], [{ n: 1 }, "ada", "one\ntwo", []]);
  });
});

Deno.test("work renews while the program runs, and tells it where it is", async () => {
  await withShell(async (shell, room) => {
    const { id } = await room.messages.post("slow", { kind: "task" });
    const program =
      'sleep 2; echo "[\\"$CONVENE_URL\\",\\"$CONVENE_ROOM\\",\\"$CONVENE_AGENT\\",$CONVENE_TASK,$CONVENE_FENCE]"';
    const working = shell.start("work", "--ttl", "1", "--", "sh", "-c", program);
    await over(room, 1);
    working.kill("SIGINT");
    assert.equal((await ended(working)).code, 0);
    const [attempt, ...others] = await room.messages.attempts(id);
    assert.deepEqual([attempt?.ended, others], ["completed", []]);
    assert.deepEqual(await results(room), [[shell.url, "r", "ada", id, attempt!.fence]]);
  });
});

Deno.test("a program that fails gives its task back, with its exit code and the end of its complaints", async () => {
  await withShell(async (shell, room) => {
    const { id } = await room.messages.post("hard", { kind: "task", max_attempts: 2 });
    const program = 'head -c 5000 /dev/zero | tr "\\0" x >&2; echo end >&2; exit 3';
    const working = shell.start("work", "--", "sh", "-c", program);
    await over(room, 1);
    working.kill("SIGTERM");
    const { code, stderr } = await ended(working);
    assert.equal(code, 0);
    assert.match(stderr, new RegExp(`x{5000}end\nconvene: ${id}: exit code 3\n`));
    const told = { exit: 3, stderr: `${"x".repeat(596)}end\n` };
    assert.deepEqual((await room.messages.attempts(id)).map(({ ended, error }) => [ended, error]), [
      ["released", told],
      ["released", told],
    ]);
    const { status, failure } = await room.messages.get(id);
    assert.deepEqual([status, failure], ["failed", { reason: "attempts", error: told }]);
  });
});

/** Whether a process runs. One that has ended, but whose end nobody has asked for, does not. */
async function runs(pid: string): Promise<boolean> {
  const ps = new Deno.Command("ps", { args: ["-o", "stat=", "-p", pid] });
  const stat = new TextDecoder().decode((await ps.output()).stdout).trim();
  return stat !== "" && !stat.startsWith("Z");
}

Deno.test("a worker that is told to stop ends its programs, and what they started, and gives their tasks back", async () => {
  await withShell(async (shell, room) => {
    const ids = [];
    for (const n of [1, 2]) ids.push((await room.messages.post(n, { kind: "task" })).id);
    const program = `sleep 300 & echo $! >&2; wait`;
    const working = shell.start("work", "--concurrency", "2", "--", "sh", "-c", program);
    const errors = working.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    while (told.split("\n").length < 3) told += (await errors.read()).value;
    working.kill("SIGINT");
    assert.equal((await working.status).code, 0);
    await working.stdout.cancel();
    await errors.cancel();
    for (const pid of told.trim().split("\n")) {
      assert.equal(await runs(pid), false, pid);
    }
    for (const id of ids) {
      assert.equal((await room.messages.get(id)).status, "open");
      const [attempt] = await room.messages.attempts(id);
      assert.deepEqual([attempt?.ended, attempt?.error], ["released", {
        name: "Error",
        message: "The worker was told to stop.",
      }]);
    }
  });
});

Deno.test("the programs of a worker that was killed end, and its tasks are done by another one", async () => {
  await withShell(async (shell, room) => {
    const ids: number[] = [];
    for (const n of [1, 2]) ids.push((await room.messages.post(n, { kind: "task" })).id);
    const program = "sleep 300 & echo $! $$ >&2; wait";
    const asked = ["--agent", "eve", "--ttl", "1", "--concurrency", "2"];
    const killed = shell.start("work", ...asked, "--", "sh", "-c", program);
    const errors = killed.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let told = "";
    while (told.split("\n").length < 3) told += (await errors.read()).value;
    const pids = told.trim().split(/\s/);
    assert.equal(pids.length, 4);
    const working = shell.start("work", "--", "echo", "done");
    killed.kill("SIGKILL");
    await killed.status;
    for (const pid of pids) await until(() => runs(pid), (running) => !running);
    await over(room, 2);
    working.kill("SIGTERM");
    assert.equal((await ended(working)).code, 0);
    for (const id of ids) {
      assert.deepEqual((await room.messages.attempts(id)).map(({ agent, ended }) => [agent, ended]), [
        ["eve", "expired"],
        ["ada", "completed"],
      ]);
    }
    assert.deepEqual(await results(room), ["done", "done"]);
    await killed.stdout.cancel();
    await errors.cancel();
  });
});

Deno.test("work without a program, or with one that there is not, is a wrong use and holds no task", async () => {
  await withShell(async (shell, room) => {
    const { id } = await room.messages.post("x", { kind: "task" });
    const refused = async (told: RegExp, ...args: string[]) => {
      const { code, stderr } = await shell.run("work", ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, told);
    };
    await refused(/This is how: convene work/);
    await refused(/no option --programm/, "--programm", "x");
    await refused(/Who are you/, "--agent", "", "--", "true");
    for (const program of ["convene-none", "/convene-none", "/etc/passwd", "/tmp"]) {
      await refused(/cannot be run: there is no such program/, "--", program);
    }
    assert.equal((await room.messages.get(id)).status, "open");
    assert.deepEqual(await room.messages.attempts(id), [], "none was spent");
  });
});

Deno.test("a worker whose output nobody reads any more gives its task back and ends", async () => {
  await withShell(async (shell, room) => {
    const working = shell.start("work", "--", "sh", "-c", "sleep 300");
    await working.stdout.cancel();
    const { id } = await room.messages.post("x", { kind: "task" });
    assert.equal((await working.status).code, 0);
    assert.match(await new Response(working.stderr).text(), /told to stop/);
    assert.deepEqual((await room.messages.attempts(id)).map(({ ended }) => ended), ["released"]);
  });
});

Deno.test("what a program prints is no result where it is too much or no text, and the program is ended", async () => {
  await withShell(async (shell, room) => {
    const { id } = await room.messages.post("x", { kind: "task", max_attempts: 1 });
    const other = await room.messages.post("y", { kind: "task", max_attempts: 1 });
    const program = 'read line; case $line in *\\"x\\"*) cat /dev/zero;; *) printf "\\377\\376";; esac';
    const working = shell.start("work", "--", "sh", "-c", program);
    await over(room, 2);
    working.kill("SIGTERM");
    assert.equal((await ended(working)).code, 0);
    const errors = [];
    for (const task of [id, other.id]) errors.push((await room.messages.get(task)).failure?.error);
    assert.match(JSON.stringify(errors[0]), /It printed more than 262144 characters/);
    assert.match(JSON.stringify(errors[1]), /It printed bytes that are not UTF-8/);
  });
});
