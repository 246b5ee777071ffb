import assert from "node:assert/strict";
import { connect } from "../../client/mod.ts";
import { plain } from "../../cli/plain.ts";
import { type Picture, screenOf, take } from "../../cli/screen.ts";
import { startGateway } from "../support/gateway.ts";
import { TextLineStream } from "../support/lines.ts";
import { startService } from "../support/service.ts";
import { ended, Shell, withShell } from "./command.ts";

const HOSTILE = "\x1b]0;owned\x07\x9b2J\u202eevil";

Deno.test("two agents in their shells: each command does what it says and ends with 0", async () => {
  await withShell(async (shell) => {
    const prints = async (expected: string, ...args: string[]) => {
      const { code, stdout, stderr } = await shell.run(...args);
      assert.deepEqual([stdout.trimEnd(), stderr, code], [expected, "", 0], args.join(" "));
    };
    await prints("r", "room", "r");
    await prints("ada", "join", "--name", "Ada");
    await prints("bob", "join", "bob", "--role", "worker");
    await prints("3", "say", '{"file":"a.ts"}', "--kind", "task");
    await prints("4", "say", "5", "--text", "--to", "bob", "--reply-to", "3");
    await prints("claimed 3", "claim", "3", "--agent", "bob");
    await prints('3 task ada: {"file":"a.ts"} [claimed by bob]', "read", "--kind", "task");
    await prints("4 message ada -> bob (reply to 3): 5", "read", "--unclaimed", "--after", "3");
    await prints("ada (version 1)", "set", "turn", "ada");
    await prints("1 (version 1)", "set", "n", "--increment");
    await prints("3.5 (version 2)", "set", "n", "2.5", "--increment", "--if", "state._shared.turn == self");
    await prints("ada", "get", "turn");
    await prints('_shared/n = 3.5\n_shared/turn = "ada"', "get");
    await prints("4.5", "eval", "state._shared.n + 1");
    await prints("5.5 (version 1)", "view", "next", "state._shared.n + 2");
    await prints("5.5", "get", "next", "--scope", "_view");
    const early = await shell.run("view", "later", "state._shared.not_yet");
    assert.deepEqual([early.code, early.stdout], [0, "null (version 1)\n"]);
    assert.match(early.stderr, /no value yet: .*not_yet`\. It may not be written yet: .*\n/);
    assert.match((await shell.run("view", "next", "1", "--if-version", "0")).stderr, /version_conflict/);
    await prints("true", "wait", "state._shared.turn == self");
    const unseen = await shell.run("wait", "true", "--agent", "ghost");
    assert.deepEqual([unseen.code, unseen.stdout], [0, "true\n"]);
    assert.match(unseen.stderr, /not registered/);
    const { stdout } = await shell.run("wait", "true", "--json", "--include", "state._shared");
    assert.deepEqual(JSON.parse(stdout).state, { _shared: { n: 3.5, turn: "ada" } });
  });
});

Deno.test("what was refused ends with 1, what was typed wrongly with 2, a time that is over with 124", async () => {
  await withShell(async (shell) => {
    const ends = async (code: number, complaint: RegExp, ...args: string[]) => {
      const outcome = await shell.run(...args);
      assert.equal(outcome.code, code, args.join(" ") + outcome.stderr);
      assert.match(outcome.stderr, complaint);
    };
    await shell.run("join");
    await ends(
      1,
      /precondition_failed.*\nWait until it is true, with convene wait, and/,
      "set",
      "a",
      "1",
      "--if",
      "false",
    );
    await ends(1, /version_conflict/, "set", "a", "1", "--if-version", "7");
    await ends(1, /Did you mean `messages`\?/, "wait", "message.count > 1");
    await ends(1, /room_not_found/, "read", "--room", "nowhere");
    await ends(1, /There is no nothing/, "get", "nothing");
    await ends(1, /message_not_found[^]*convene read/, "claim", "99");
    await ends(1, /reservation_not_found[^]*convene reserve/, "release", crypto.randomUUID(), "--fence", "7");
    await ends(1, /agent_not_found[^]*convene join --agent ID/, "wait", "true", "--agent", "_x");
    await ends(2, /no command frobnicate/, "frobnicate");
    await ends(2, /convene wait <CEL> \S+ .*messages:after:ID\]\n/, "wait");
    await ends(
      2,
      /A word with spaces stands in quotes.* convene wait <CEL>/,
      "wait",
      "state._shared.turn",
      "==",
      "1",
    );
    await ends(2, /convene take .*--timeout 2h\]\n/, "take", "task");
    await ends(2, /without its scope: convene view next '1 \+ 1'\n/, "view", "_view.next", "1 + 1");
    await ends(2, /--frob/, "get", "--frob");
    await ends(2, /--timeout takes a time/, "wait", "true", "--timeout", "soon");
    await ends(2, /Which room/, "read", "--room", "");
    await ends(2, /begins with http:.*--server/, "read", "--server", "localhost:8000");
    await ends(
      124,
      /The time is over.*winner`\. It may not/,
      "wait",
      "state._shared.winner",
      "--timeout",
      "100ms",
    );
    await ends(124, /The time is over\. The condition is false\.\n/, "wait", "false", "--timeout", "100ms");
  });
});

Deno.test("a word is a number only if it comes back as it was typed, and no number is rounded in silence", async () => {
  await withShell(async (shell) => {
    const room = connect(shell.url).room("r");
    const set = async (typed: string, ...flags: string[]) => {
      const { code, stderr } = await shell.run("set", "k", ...flags, "--", typed);
      assert.deepEqual([code, stderr], [0, ""], typed);
      return (await room.state.get("k"))!.value;
    };
    for (
      const text of ["12e5678", "9007199254740993", "1e400", "1.0", "1e3", "0042", "-0", "1e21", " 5", "NaN"]
    ) assert.equal(await set(text), text);
    for (const number of ["5", "-5", "0.5", "9007199254740991"]) {
      assert.equal(await set(number), Number(number));
    }
    assert.deepEqual(await set('{"a":[1.0,"12345678901234567890"]}'), { a: [1, "12345678901234567890"] });
    assert.equal(await set("5", "--text"), "5");
    const before = (await room.state.get("k"))!.version;
    for (const typed of ['{"a":9007199254740993}', "[1e400]"]) {
      const { code, stderr } = await shell.run("set", "k", typed);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /quotes/);
    }
    assert.equal((await room.state.get("k"))!.version, before);
    assert.equal((await shell.run("say", "12e5678")).code, 0);
    assert.equal((await room.messages.list())[0]!.body, "12e5678");
    assert.equal((await shell.run("claim", "1e1")).code, 2);
    assert.equal((await shell.run("read", "--after", "9007199254740993")).code, 2);
  });
});

Deno.test("an option that there is not, or that stands twice, is refused, with the near name", async () => {
  await withShell(async (shell) => {
    const refused = async (told: RegExp, ...args: string[]) => {
      const { code, stderr } = await shell.run(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, told);
    };
    await refused(/no option --ifversion. Did you mean --if-version\?/, "set", "k", "1", "--ifversion", "0");
    await refused(/Did you mean --if-version\?/, "set", "k", "1", "--if_version=0");
    await refused(/Did you mean --kind\?/, "read", "--knid", "task");
    await refused(/no option --inc. Did you mean --increment\?/, "set", "k", "--inc");
    await refused(/There are --server, .*--kind/, "say", "x", "--frobnicate");
    await refused(/--kind stands twice/, "read", "--kind", "a", "--kind", "b");
    await refused(/comes after --/, "set", "k", "-5");
    assert.equal(await connect(shell.url).room("r").state.get("k"), undefined);
  });
});

Deno.test("a command that there is not is told the near one, and options before it their place", async () => {
  await withShell(async (shell) => {
    const refused = async (told: RegExp, ...args: string[]) => {
      const { code, stderr } = await shell.run(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, told);
    };
    await refused(/no command send. Did you mean say\?/, "send", "hi");
    await refused(/no command messages. Did you mean read\?/, "messages");
    await refused(/no command tasks. Did you mean read\?/, "tasks");
    await refused(/no command incr. Did you mean set\?/, "incr", "n");
    await refused(/no command att. Did you mean attempts\?/, "att");
    await refused(/no command wiat. Did you mean wait\?/, "wiat", "true");
    await refused(/no command constructor. There are/, "constructor");
    await refused(/no command frobnicate. There are room, join, .*watch\./, "frobnicate");
    await refused(/no command task. Did you mean take\?/, "help", "task");
    await refused(/no command frobnicate. There are room/, "help", "frobnicate");
    for (const known of [[], ["--help"], ["help"], ["version"]]) {
      assert.match((await shell.run("help", ...known)).stdout, /^convene: rooms where/);
    }
    await refused(/command comes first.*: convene claim --agent /, "--agent", "bob", "claim", "3");
    await refused(/command comes first.*: convene COMMAND --frob /, "--frob");
    await refused(/--after takes a value; .* is written --after=-1\./, "read", "--after", "-1");
    await refused(/--after takes a value\./, "read", "--after");
    await refused(/--json takes no value\./, "read", "--json=1");
    await refused(
      /A view is an expression: convene view NAME CEL/,
      "set",
      "v",
      "size(agents)",
      "--scope",
      "_view",
    );
  });
});

Deno.test("what the service refuses is told once, in the words of the command", async () => {
  await withShell(async (shell) => {
    await shell.run("join", "bob");
    await shell.run("set", "k", "1");
    const cases: [told: RegExp, ...args: string[]][] = [
      [/get KEY --json.*--if-version\./, "set", "k", "2", "--if-version", "7"],
      [/convene room ID, or check --room\./, "read", "--room", "nowhere"],
      [/leave out --if-new/, "join", "bob", "--if-new"],
    ];
    for (const [told, ...args] of cases) {
      const { stderr } = await shell.run(...args);
      assert.match(stderr, told);
      assert.doesNotMatch(stderr, /POST|if_version|if_new/);
    }
    const { stderr } = await shell.run("wait", "true", "--include", "views");
    assert.equal(stderr.match(/has no field "views"/g)?.length, 1, stderr);
  });
});

Deno.test("join --if-new ends with 1 where the id is there", async () => {
  await withShell(async (shell) => {
    assert.equal((await shell.run("join", "bob", "--if-new")).code, 0);
    const { code, stderr } = await shell.run("join", "bob", "--if-new");
    assert.deepEqual([code, /agent_exists/.test(stderr)], [1, true]);
  });
});

Deno.test("a wait outlives a restart of the service and prints its outcome once", async () => {
  const directory = await Deno.makeTempDir({ prefix: "convene-" });
  const database = `file:${directory}/convene.db`;
  let service = await startService({ database });
  await using gateway = await startGateway(service.url);
  try {
    const room = await connect(service.url).open("r");
    await room.join({ id: "ada" });
    const waiting = ended(new Shell(gateway.url, "r").start("wait", "state._shared.go"));
    await room.until('agents.ada.status == "waiting"');
    gateway.target = undefined;
    await service.stop();
    service = await startService({ database });
    await connect(service.url).room("r").state.put("go", "now");
    gateway.target = service.url;
    assert.deepEqual(await waiting, { code: 0, stdout: "now\n", stderr: "" });
  } finally {
    await service.stop();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("read --follow and watch print each change as it comes, and nothing that a terminal would obey", async () => {
  await withShell(async (shell) => {
    const room = connect(shell.url).room("r");
    await room.messages.post(HOSTILE, { from: HOSTILE.slice(-4) });
    for (const args of [["read", "--follow"], ["watch"], ["watch", "--json"]]) {
      const process = shell.start(...args);
      const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
        .getReader();
      const first = (await lines.read()).value!;
      assert.match(first, /\\u001b\]0;owned\\u0007\\u009b2J\\u202eevil/);
      assert.equal(first, plain(first));
      await room.messages.post("and then");
      assert.match((await lines.read()).value!, /and then/);
      process.kill("SIGTERM");
      await lines.cancel();
      await process.stderr.cancel();
      await process.status;
    }
  });
});

Deno.test("what a hostile service sends in place of numbers and times is not obeyed by the terminal either", async () => {
  const members = [
    "id",
    "version",
    "fence",
    "reply_to",
    "message_id",
    "claimed_at",
    "claimed_until",
    "status",
  ];
  const sent = Object.fromEntries(
    [...members, "agent", "kind", "ended", "ended_at"].map((name) => [name, HOSTILE]),
  );
  const message = { ...sent, from_agent: null, to_agent: null, needs: [], body: 1 };
  const outcome = { ...message, claimed: true, value: 1, error: null, message, result: message };
  await using hostile = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ method, url }) => {
    const isList = method === "GET" && !new URL(url).pathname.endsWith("/r");
    return Response.json(isList ? [outcome] : outcome);
  });
  const shell = new Shell(`http://127.0.0.1:${hostile.addr.port}`, "r");
  const commands = ["say 1", "read", "take", "renew 1 --fence 1", "release 1", "complete 1 1", "fail 1"];
  await Promise.all([...commands, "attempts 1", "set k 1"].map(async (command) => {
    const { code, stdout, stderr } = await shell.run(...command.split(" "));
    assert.equal(code, 0, command + stderr);
    assert.match(stdout, /\\u001b\]0;owned/, command);
    assert.equal(stdout, `${plain(stdout.slice(0, -1))}\n`, command);
  }));
  const picture = { room: "r", agents: new Map(), state: new Map(), reservations: new Map() };
  const drawn = screenOf({ ...picture, messages: [message as never] }, {
    width: 200,
    height: 12,
    color: false,
  });
  assert.ok(drawn.every((line) => line === plain(line)));
});

Deno.test("read --follow and watch end when nobody reads what they print", async () => {
  await withShell(async (shell, room) => {
    for (const args of [["read", "--follow"], ["watch"]]) {
      const following = shell.start(...args);
      await following.stdout.cancel();
      await room.messages.post("a line");
      const { code } = await following.status;
      assert.deepEqual([code, await new Response(following.stderr).text()], [0, ""]);
    }
  });
});

Deno.test("read --follow and watch begin behind what is known, or now", async () => {
  await withShell(async (shell) => {
    const room = connect(shell.url).room("r");
    for (const args of [["read", "--follow"], ["watch"]]) {
      const { id } = await room.messages.post("known");
      await room.messages.post("there");
      for (const [after, expected] of [[`${id}`, /there/], ["now", /then/]] as const) {
        const begun = Promise.withResolvers<void>();
        await using front = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
          const { pathname, search } = new URL(request.url);
          if (pathname.endsWith("/events")) begun.resolve(); // it has been told by now where "now" is
          return fetch(`${shell.url}${pathname}${search}`, { signal: request.signal });
        });
        const url = `http://127.0.0.1:${front.addr.port}`;
        const process = new Shell(url, "r").start(...args, "--after", after);
        const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
          .getReader();
        await begun.promise;
        await room.messages.post("then");
        assert.match((await lines.read()).value!, expected, `${args} ${after}`);
        process.kill("SIGTERM");
        await lines.cancel();
        await process.stderr.cancel();
        await process.status;
      }
    }
    const { code, stderr } = await shell.run("read", "--after", "now");
    assert.deepEqual([code, stderr.split("\n")[0]], [
      2,
      "convene: --after now is for --follow: without it nothing is new.",
    ]);
  });
});

Deno.test("the picture of a room fits the terminal", () => {
  const empty = () => ({
    room: "r\x1b",
    agents: new Map(),
    state: new Map(),
    reservations: new Map(),
    messages: [],
  });
  const picture: Picture = empty();
  const at = "2026-11-22T04:20:00.000Z";
  take(picture, {
    revision: 3,
    more: false,
    agents: [],
    messages: Array.from({ length: 200 }, (_, n) => ({
      id: n + 1,
      room_id: "r",
      from_agent: "ada",
      to_agent: null,
      verified: false,
      kind: "message",
      body: "x".repeat(300) + "\n",
      created_at: at,
      reply_to: null,
      status: "open",
      claimed_by: null,
      claimed_at: null,
      claimed_until: null,
      fence: null,
      attempts: 0,
      max_attempts: null,
      needs: [],
      done_at: null,
      result_id: null,
      failure: null,
      revision: n + 1,
    })),
    state: [{ room_id: "r", scope: "_shared", key: "k", value: 1, version: 1, updated_at: at, revision: 3 }],
  });
  const lines = screenOf(picture, { width: 40, height: 12, color: false });
  assert.ok(lines.length <= 12 && lines.every((line) => [...line].length <= 40), lines.join("\n"));
  assert.ok(lines.every((line) => line === plain(line)));
  assert.match(lines.join("\n"), /\b200 message ada: xxx[^]*_shared\/k = 1/);

  const none = { revision: 4, state: [], messages: [], more: false };
  const ada = { id: "ada", room_id: "r", name: "Ada", role: "agent", meta: {}, status: "idle" as const };
  const agent = {
    ...ada,
    waiting_on: null,
    joined_at: at,
    last_heartbeat: at,
    alive: true,
    secure: false,
    revision: 4,
  };
  const held = {
    id: "x",
    room_id: "r",
    agent: "ada",
    paths: ["src/**"],
    mode: "shared" as const,
    note: null,
  };
  const reservation = { ...held, fence: 4, created_at: at, expires_at: at, revision: 4 };
  take(picture, { ...none, agents: [agent], reservations: [reservation] });
  const more = screenOf(picture, { width: 80, height: 12, color: false });
  assert.ok(more.length <= 12);
  assert.match(more.join("\n"), /ada idle\nReservations \(1\)\n {2}x: ada has src\/\*\* \(shared\) until /);
  const ended = { id: "x", ended: true as const, revision: 5 };
  take(picture, { ...none, agents: [{ id: "ada", left: true, revision: 5 }], reservations: [ended] });
  assert.deepEqual([picture.agents.size, picture.reservations.size], [0, 0]);

  take(picture, { revision: 0, state: [], agents: [], messages: [], more: false, reset: true });
  assert.deepEqual(picture, empty());
});

Deno.test("in a terminal watch draws on the other screen and gives the terminal back", async () => {
  await withShell(async (shell) => {
    await connect(shell.url).room("r").state.put("phase", HOSTILE);
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    const script = new Deno.Command("script", {
      args: [
        "-qec",
        `'${Deno.execPath()}' run -q --allow-net --allow-env --allow-read '${main}' watch`,
        "/dev/null",
      ],
      env: { CONVENE_URL: shell.url, CONVENE_ROOM: "r", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      signal: AbortSignal.timeout(30_000),
    }).spawn();
    const keyboard = script.stdin.getWriter();
    let drawn = "";
    let left = false;
    for await (const piece of script.stdout.pipeThrough(new TextDecoderStream())) {
      drawn += piece;
      if (left || !drawn.includes("_shared/phase = ")) continue;
      left = true;
      await keyboard.write(new TextEncoder().encode("\x03")); // Ctrl-C
    }
    await keyboard.close().catch(() => {}); // it has ended
    await script.status;
    assert.ok(drawn.startsWith("\x1b[?1049h\x1b[?25l"), drawn);
    assert.ok(drawn.includes("_shared/phase = "), drawn);
    assert.ok(drawn.endsWith("\x1b[?25h\x1b[?1049l"), drawn);
    assert.ok(!drawn.includes("\x1b]0") && !drawn.includes("\x9b") && !drawn.includes("\x1b[1m"));
  });
});
