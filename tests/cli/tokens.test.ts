import assert from "node:assert/strict";
import { TOKEN, withMachines } from "./machine.ts";

Deno.test("two machines meet by one pasted line, and each keeps a token that its owner alone reads", () =>
  withMachines(async (url, machine) => {
    const [one, two] = [await machine(), await machine()];
    one.room = await one.prints("room", "--locked");
    const invited = await one.run("invite", "--note", "for bob");
    const line = invited.stdout.trimEnd();
    assert.ok(line.startsWith(`${url}/join/`), line);
    assert.match(
      invited.stderr,
      /Another machine cannot reach 127\.0\.0\.1\..*HOST=0\.0\.0\.0.* this machine's address/,
    );

    const joined = await two.run("join", line, "--agent", "bob", "--name", "Bob");
    assert.deepEqual([joined.code, joined.stdout], [0, "bob\n"], joined.stderr);
    assert.doesNotMatch(joined.stderr, TOKEN);
    const exported = `export CONVENE_URL='${url}' CONVENE_ROOM='${one.room}' CONVENE_AGENT='bob'`;
    assert.ok(joined.stderr.includes(exported), joined.stderr);
    for (const each of [one, two]) {
      const files = await each.files();
      assert.deepEqual(files.map(({ mode }) => mode), [0o600]);
      assert.match(files[0]!.text, TOKEN);
    }
    assert.equal((await Deno.stat(`${two.folder}/convene`)).mode! & 0o777, 0o700);

    // The room alone says whose token counts, and whose it is who acts.
    two.room = one.room;
    assert.equal(await two.prints("say", "here", "--kind", "task"), "2");
    assert.match(await one.prints("read"), /2 task bob✓: here/);
    assert.equal(await two.prints("claim", "2"), "claimed 2");
    assert.equal(await two.prints("set", "turn", "1"), "1 (version 1)");
    assert.equal(await two.prints("wait", "self == 'bob'"), "true");
    assert.equal((await two.run("say", "x", "--agent", "eve")).code, 1);

    const none = await two.with({ CONVENE_TOKEN: "" }, "read");
    assert.match(none.stderr, /room_not_found/);
    const other = TOKEN.exec((await one.files())[0]!.text)![0];
    assert.equal((await two.with({ CONVENE_TOKEN: other }, "invite")).code, 0);
    assert.match((await two.run("invite")).stderr, /forbidden/);
    for (const none of ["two words", "garbage", '"quoted"', "Bearer cvn_m_x"]) {
      const wrong = await two.with({ CONVENE_TOKEN: none }, "say", "as nobody");
      assert.deepEqual([wrong.code, wrong.stderr.includes(none)], [2, false], none);
      assert.match(wrong.stderr, /begin with cvn_|as it was given/);
    }
    const slip = await two.with({ CONVENE_TOKEN: "cvn_m_garbage" }, "say", "as nobody");
    assert.match(slip.stderr, /unauthenticated|malformed/);
    assert.doesNotMatch(await two.prints("read"), /as nobody/);
  }));

Deno.test("who is refused is told which token went along, and where another is kept", () =>
  withMachines(async (url, machine) => {
    const [ann, bob] = [await machine(), await machine()];
    ann.room = bob.room = await ann.prints("room", "--locked");
    await bob.prints("join", await ann.prints("invite"), "--agent", "bob");
    const id = JSON.parse(await ann.prints("tokens", "--json")).find(({ agent }: { agent: string }) =>
      agent === "bob"
    ).id;
    const local = url.replace("127.0.0.1", "localhost");
    const elsewhere = await bob.run("read", "--server", local);
    assert.match(
      elsewhere.stderr,
      /room_not_found\)\nA token is kept for this room at (\S+): .*--server \1\.\n/,
    );
    assert.ok(elsewhere.stderr.includes(`at ${url}:`), elsewhere.stderr);
    assert.doesNotMatch((await bob.run("read", "--server", local, "--room", "none")).stderr, /kept/);

    await ann.prints("tokens", "revoke", id);
    const revoked =
      /\nThe token kept for this room at (\S+) may be revoked or replaced: ask .* convene join CODE/;
    for (const args of [["read"], ["room", "delete", bob.room]]) {
      const { code, stderr } = await bob.run(...args);
      assert.deepEqual([code, revoked.exec(stderr)?.[1]], [1, url], stderr);
      assert.doesNotMatch(stderr, TOKEN);
    }
    const given = await bob.with({ CONVENE_TOKEN: `cvn_m_${"x".repeat(49)}` }, "read");
    assert.match(given.stderr, /\nThe token in CONVENE_TOKEN may be/);
  }));

Deno.test("a code that is cut, or written as people write it, makes no agent of its own name", () =>
  withMachines(async (url, machine) => {
    const [ann, bob] = [await machine("open", "ann"), await machine()];
    await ann.prints("room", "open");
    await ann.prints("join");
    const refused = async (told: RegExp, ...args: string[]) => {
      const { code, stderr } = await bob.run("join", ...args);
      assert.deepEqual([code, told.test(stderr)], [2, true], stderr);
      assert.match(stderr, /A join code has ten characters, such as 7KQ2M-X9D4T/);
    };
    await refused(/Which room is 7KQ2M to register in\? Say --room/, "7KQ2M");
    await refused(/7KQ2M and --agent bob are two ids/, "7KQ2M", "--agent", "bob");
    bob.room = "open";
    await refused(/7KQ2M and --agent bob are two ids/, "7KQ2M", "--agent", "bob");
    const { code } = await ann.prints("invite", "--json").then(JSON.parse);
    assert.equal(await bob.prints("join", code.toLowerCase().replace("-", ""), "--agent", "bob"), "bob");
    assert.equal(await ann.prints("join", "cyd", "--agent", "cyd"), "cyd");
    const agents = await (await fetch(`${url}/rooms/open/agents`)).json();
    assert.deepEqual(agents.map(({ id }: { id: string }) => id), ["ann", "bob", "cyd"]);
  }));

Deno.test("a token that is in the place of another moves it aside, and one that fits no room is not shown", () =>
  withMachines(async (url, machine) => {
    const [one, two] = [await machine("open"), await machine()];
    await one.prints("room", "open");
    assert.equal(await one.prints("join", "ann", "--secure"), "ann");
    assert.equal(await one.prints("say", "me"), "2");
    const code = (await one.prints("invite", "--json").then(JSON.parse)).code as string;
    one.room = "";
    assert.equal(await one.prints("join", code.toLowerCase().replace("-", ""), "--agent", "zed"), "zed");
    one.room = "open";
    assert.match(await one.prints("read"), /ann✓: me/);
    assert.equal(await one.prints("say", "me too"), "4");
    assert.match(await one.prints("read"), /4 message zed✓: me too/);
    const [kept, before] = await one.files();
    assert.deepEqual([kept!.name + ".before", before!.mode], [before!.name, 0o600]);
    assert.match(before!.text, /"agent": "ann"/);
    // Who may not do it with the one is told where the other is.
    const refused = await one.run("say", "x", "--agent", "eve");
    assert.match(
      refused.stderr,
      /forbidden\)\nOther tokens of this room are kept: ann's in (\S+)\.before\. .*: convene tokens keep </,
    );

    one.room = "other";
    await one.prints("room", "other");
    assert.equal(await one.prints("join", "carol"), "carol");
    assert.match(
      await two.run("join", `${url}/join/00000-00000`).then(({ stderr }) => stderr),
      /invite_not_found/,
    );
    for (const none of [`${url}/join/`, `${url}/?room=other`, `${url}/00000-00000`]) {
      const { code, stderr } = await one.run("join", none);
      assert.equal(code, 2);
      assert.match(stderr, /no address of an invitation/);
    }
    assert.equal(await one.prints("eval", "agents.map(id, id)"), '["carol"]');
  }));

Deno.test("a token that cannot be kept is printed, since it is told once", () =>
  withMachines(async (_, machine) => {
    const one = await machine("open");
    const file = `${one.folder}/no folder`;
    await Deno.writeTextFile(file, "");
    const full = (...args: string[]) => one.with({ XDG_CONFIG_HOME: file }, ...args);
    await one.prints("room", "open");
    for (const args of [["join", "ann", "--secure"], ["room", "closed", "--locked"]]) {
      const { code, stdout, stderr } = await full(...args);
      assert.deepEqual([code, TOKEN.test(stdout), TOKEN.test(stderr)], [1, true, false], stderr);
    }
    const CONVENE_TOKEN = TOKEN.exec((await full("join", await one.prints("invite"))).stdout)![0];
    assert.equal((await one.with({ CONVENE_TOKEN }, "say", "hello")).code, 0);
  }));

Deno.test("an admin who joins stays an admin, and acts as the agent", () =>
  withMachines(async (_, machine) => {
    const [one, two] = [await machine(), await machine()];
    one.room = two.room = await one.prints("room", "crew", "--locked");
    const [forDan, forBoss] = [
      await one.prints("invite"),
      await one.prints("invite", "boss", "--role", "admin"),
    ];
    const joined = await one.run("join", "ada", "--secure");
    assert.match(
      joined.stderr,
      /You stay an admin: .*, and acts as ada\. .*ada's alone: convene tokens keep < /,
    );
    assert.match(joined.stderr, /export .*CONVENE_AGENT='ada'/);
    await one.prints("say", "hi");
    assert.match(
      (await one.run("join", forDan, "--agent", "dan")).stderr,
      /stay an admin: .*, and acts as dan\./,
    );
    await one.prints("say", "hi");
    for (const agent of ["ada", "dan"]) { // as `join` says to export it
      one.agent = agent;
      assert.match(await one.prints("invite", "zed", "--role", "admin"), /\/join\//);
      await one.prints("say", "again");
    }
    one.agent = "";
    const senders = (await one.prints("read", "--kind", "message")).split("\n").map((line) =>
      line.split(" ")[2]
    );
    assert.deepEqual(senders, ["ada✓:", "dan✓:", "ada✓:", "dan✓:"]);

    // So does who came by an admin's code, and a new text of the token is in its place.
    await two.prints("join", forBoss);
    await two.prints("tokens", "rotate");
    assert.match(
      (await two.run("join", await one.prints("invite"), "--agent", "fay")).stderr,
      /stay an admin/,
    );
    await two.prints("tokens", "rotate");
    await two.prints("say", "as fay");
    assert.match(await two.prints("read"), /fay✓: as fay$/);

    // One that counts no longer gives way.
    const forEve = await one.prints("invite");
    const CONVENE_TOKEN = TOKEN.exec((await one.files())[0]!.text)![0];
    assert.equal((await two.with({ CONVENE_TOKEN }, "tokens", "rotate")).code, 0);
    const refused = await one.run("read");
    assert.match(
      refused.stderr,
      /may be revoked .*\. Other tokens of this room are kept: dan's in .*, ada's in /,
    );
    const late = await one.run("join", forEve, "--agent", "eve");
    assert.deepEqual([late.stdout, late.stderr.includes("stay an admin")], ["eve\n", false], late.stderr);
    await one.prints("say", "as eve");
    assert.match(await two.prints("read"), /eve✓: as eve$/);
  }));

Deno.test("several agents of one machine act each by its own token, and who was an admin finds the way back", () =>
  withMachines(async (_, machine) => {
    const one = await machine();
    one.room = await one.prints("room", "crew", "--locked");
    const [forDan, forEve] = [await one.prints("invite"), await one.prints("invite")];
    const joined = await one.run("join", "ada", "--secure");
    const [, own] = /convene tokens keep < (\S+)/.exec(joined.stderr)!;
    assert.equal((await one.fed(await Deno.readTextFile(own!), "tokens", "keep")).stdout, "ada\n");
    const refused = await one.run("invite", "zed", "--role", "admin");
    const [, aside] = /kept: an admin's in (\S+)\. .*: convene tokens keep </.exec(
      refused.stderr,
    )!;
    assert.equal(refused.code, 1);
    assert.deepEqual(
      (await one.run("join", forDan, "--agent", "dan")).stderr.match(
        /kept before, ada's, .*: say --agent ada/,
      )
        ?.length,
      1,
    );
    await one.prints("join", forEve, "--agent", "eve");
    for (const agent of ["ada", "dan", "eve"]) await one.prints("say", "hi", "--agent", agent);
    one.agent = "dan"; // as `join` says to export it
    await one.prints("tokens", "rotate");
    await one.prints("say", "again");
    one.agent = "";
    await one.prints("say", "the last that joined");
    assert.deepEqual(
      (await one.prints("read", "--kind", "message")).split("\n").map((line) => line.split(" ")[2]),
      ["ada✓:", "dan✓:", "eve✓:", "dan✓:", "eve✓:"],
    );
    const stranger = await one.run("say", "x", "--agent", "zed");
    assert.match(
      stranger.stderr,
      /bound to the agent "eve"[^]*leave --agent and CONVENE_AGENT out.*join as/,
    );
    const kept = await Deno.readTextFile(aside!);
    assert.match((await one.fed(kept, "tokens", "keep", "--room", "other")).stderr, /of the room crew at/);
    assert.equal((await one.fed(kept, "tokens", "keep")).stdout, "crew\n");
    assert.match(await one.prints("invite", "zed", "--role", "admin"), /\/join\//);
  }));

Deno.test("who has a token of a locked room enters it, and who may not delete it is told who may", () =>
  withMachines(async (_, machine) => {
    const [ann, bob] = [await machine(), await machine()];
    assert.equal(await ann.prints("room", "ops", "--locked"), "ops");
    const CONVENE_TOKEN = TOKEN.exec((await ann.files())[0]!.text)![0];
    for (const env of [{}, { CONVENE_TOKEN }] as Array<Record<string, string>>) {
      assert.match((await ann.with(env, "room", "ops", "--locked")).stderr, /enters it without --locked/);
      assert.equal((await ann.with(env, "room", "ops")).stdout, "ops\n");
    }
    await bob.prints("join", await ann.prints("invite", "--room", "ops"), "--agent", "bob");
    const { code, stderr } = await bob.run("room", "delete", "ops");
    assert.equal(code, 1);
    assert.match(stderr, /forbidden\)\n.*an admin's token of it/);
    assert.doesNotMatch(stderr, /--locked/);
    const slip = await bob.run("room", "--locked", "delete", "ops");
    assert.deepEqual([slip.code, /--locked is for new rooms: convene room delete ops/.test(slip.stderr)], [
      2,
      true,
    ]);
    assert.equal((await bob.with({ CONVENE_TOKEN }, "room", "delete", "ops")).stdout, "deleted ops\n");
  }));

Deno.test("who joins without an id gets one and a name, in open and locked rooms, secure or not", () =>
  withMachines(async (_, machine) => {
    const one = await machine();
    for (const kind of [[], ["--locked"]]) {
      one.room = await one.prints("room", ...kind);
      for (const args of [[], ["--role", "judge"], ["--secure"]]) {
        assert.match(await one.prints("join", ...args), /^[0-9a-f-]{36}$/);
      }
      assert.equal(
        await one.prints("eval", "size(agents) == 3 && agents.all(id, agents[id].name == 'agent')"),
        "true",
      );
    }
  }));
