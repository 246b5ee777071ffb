import assert from "node:assert/strict";
import { hintsOf } from "../../cli/command.ts";
import { commands } from "../../cli/commands.ts";
import { help, helpOf } from "../../cli/help.ts";
import { Input } from "../../cli/input.ts";
import { lineOf } from "../../cli/messages.ts";
import { hintOf } from "../../cli/words.ts";
import { connect, ConveneError, type ErrorCode, type Message } from "../../client/mod.ts";
import { ERRORS } from "../../errors.ts";
import { Shell } from "./command.ts";
import { TOKEN, withMachines } from "./machine.ts";
import { OPERATOR } from "../support/tokens.ts";

Deno.test("an admin lists, makes, revokes and rotates tokens, and no token is printed but as the answer", () =>
  withMachines(async (_, machine) => {
    const [ann, bob] = [await machine(), await machine("", "bob")];
    ann.room = bob.room = await ann.prints("room", "--locked");
    const made = await ann.run("tokens", "make", "bob", "--ttl", "30d", "--note", "his laptop");
    assert.equal(made.code, 0, made.stderr);
    const token = TOKEN.exec(made.stdout)![0];
    assert.equal(made.stdout, `${token}\n`);
    assert.doesNotMatch(made.stderr, TOKEN);
    const id = /tokens revoke (\S+)/.exec(made.stderr)![1]!;
    assert.match(
      await ann.prints("tokens"),
      new RegExp(`^${id}: member for bob until 20.*: his laptop$`, "m"),
    );

    // Bob gives it in the environment: it is rotated there, and printed.
    const CONVENE_TOKEN = token;
    assert.equal((await bob.with({ CONVENE_TOKEN }, "say", "hi")).stdout, "1\n");
    const rotated = await bob.with({ CONVENE_TOKEN }, "tokens", "rotate");
    assert.match(rotated.stdout, /^cvn_m_\w{49}\n$/);
    assert.match((await bob.with({ CONVENE_TOKEN }, "read")).stderr, /room_not_found/);
    // Kept from the command's input it is used from then on.
    const kept = await bob.fed(rotated.stdout, "tokens", "keep");
    assert.deepEqual([kept.code, kept.stdout, TOKEN.test(kept.stderr)], [0, "bob\n", false], kept.stderr);
    assert.equal(await bob.prints("say", "still I"), "2");
    assert.match((await bob.fed(token, "tokens", "keep")).stderr, /room_not_found/);
    assert.match((await bob.fed("nothing", "tokens", "keep")).stderr, /reads a token/);

    // Ann's is kept: its new text too, in place of the old one.
    const [before] = await ann.files();
    await ann.prints("tokens", "rotate");
    const [after, ...others] = await ann.files();
    assert.deepEqual([after!.mode, others], [0o600, []]);
    assert.notEqual(TOKEN.exec(after!.text)![0], TOKEN.exec(before!.text)![0]);

    assert.equal(await ann.prints("tokens", "revoke", id), `revoked ${id}`);
    assert.equal((await ann.prints("tokens")).split("\n").length, 1);
    const json = JSON.parse(await ann.prints("tokens", "--json"));
    assert.deepEqual([json.length, json[0].role, "token" in json[0]], [1, "admin", false]);
    const wrong = async (told: RegExp, ...args: string[]) => {
      const { code, stdout, stderr } = await ann.run("tokens", ...args);
      assert.deepEqual([code, stdout], [told.source.includes("not_found") ? 1 : 2, ""], stderr);
      assert.match(stderr, told);
      assert.doesNotMatch(stderr, TOKEN);
    };
    await wrong(/takes the id/, "revoke", token);
    await wrong(/token_not_found/, "revoke", id);
    await wrong(/--role is for convene tokens make/, "rotate", "--role", "reader");
    await wrong(/set CONVENE_TOKEN/, "--token", token);
    await wrong(/This is how: convene tokens/, "frobnicate");
  }));

Deno.test("invitations are listed and revoked, and who joins in vain is told what to ask for", () =>
  withMachines(async (_, machine) => {
    const [ann, bob] = [await machine(), await machine()];
    ann.room = await ann.prints("room", "--locked");
    const made = JSON.parse(await ann.prints("invite", "bob", "--uses", "2", "--note", "come in", "--json"));
    const line = new RegExp(`^${made.id}: member for bob, 2 of 2 left until 20.*: come in$`);
    assert.match(await ann.prints("invites"), line);
    assert.equal(await bob.prints("join", made.url, "--private"), "bob");
    bob.room = ann.room;
    assert.equal(await bob.prints("set", "hand", "7", "--scope", "bob"), "7 (version 1)");
    assert.equal(await ann.prints("eval", "agents.bob.secure"), "true");
    const { body } = await connect(made.url.split("/join/")[0]).connection.write<{ token: string }>(
      "POST",
      `/join/${made.code}`,
      {},
    );
    const seen = await bob.with({ CONVENE_TOKEN: body.token }, "get", "hand", "--scope", "bob");
    assert.equal(seen.stdout, "7\n", "another token of the same agent");
    const late = await bob.run("join", made.url);
    assert.equal(late.code, 1);
    assert.match(
      late.stderr,
      /invite_not_found\)\n.*ask whoever invited you for a new one.*--ttl 1h --uses N/,
    );
    assert.equal(await ann.prints("invites"), "");

    const { id } = JSON.parse(await ann.prints("invite", "--json"));
    assert.equal(await ann.prints("invites", "revoke", id), `revoked ${id}`);
    const again = await ann.run("invites", "revoke", id);
    assert.match(again.stderr, /invite_not_found\)\nconvene invites prints the ids/);
    assert.match((await bob.run("invites", "make")).stderr, /convene invite makes one/);
  }));

Deno.test("the operator makes open and locked rooms, lists and deletes all, where others make locked ones alone", () =>
  withMachines(async (url, machine) => {
    const [anybody, own] = [await machine(), await machine()];
    const operator = (...args: string[]) => own.with({ CONVENE_TOKEN: OPERATOR }, ...args);
    const refused = await anybody.run("room", "open");
    assert.match(refused.stderr, /forbidden\)\n.*--locked/);
    assert.equal((await operator("room", "open")).stdout, "open\n");
    assert.equal((await operator("room", "closed", "--locked")).stdout, "closed\n");
    const [kept, ...others] = await own.files();
    assert.deepEqual([kept!.text.includes(OPERATOR), others], [false, []]);
    assert.equal(await anybody.prints("room", "open"), "open", "who joins it needs no token");
    // The token that is kept for a room enters it.
    assert.equal(await own.prints("room", "closed"), "closed");
    assert.match((await anybody.run("room", "closed")).stderr, /forbidden/);

    assert.match(await anybody.prints("rooms"), /^open since \S+$/);
    const all = (await operator("rooms", "--all")).stdout;
    assert.match(all, /^closed since \S+ \(locked\)$/m);
    assert.match((await anybody.run("rooms", "--all")).stderr, /OPERATOR_TOKEN/);

    assert.match((await anybody.run("room", "delete", "open")).stderr, /unauthenticated/);
    assert.equal((await operator("room", "delete", "open")).stdout, "deleted open\n");
    assert.equal((await anybody.run("room", "delete", "closed")).code, 1);
    // Under the token that is kept for it, which is then forgotten.
    assert.equal(await own.prints("room", "delete", "closed"), "deleted closed");
    assert.deepEqual(await own.files(), []);
    assert.equal((await anybody.run("room", "delete")).code, 2);
    assert.equal((await operator("rooms", "--json", "--all")).stdout, "[]\n");
    const shell = new Shell(url, "", "", { CONVENE_TOKEN: OPERATOR, XDG_CONFIG_HOME: "/none" });
    assert.match((await shell.run("tokens", "--room", "none")).stderr, /room_not_found/);
  }, { OPERATOR_TOKEN: OPERATOR, REQUIRE_LOCKED: "on" }));

Deno.test("who has proved who it is has a mark, which no name can have", () => {
  const message = (from_agent: string, verified: boolean, kind = "message") =>
    lineOf(
      {
        id: 7,
        kind,
        from_agent,
        to_agent: null,
        verified,
        reply_to: null,
        body: "b",
        needs: [],
      } as unknown as Message,
    );
  assert.equal(message("ada", true), "7 message ada✓: b");
  assert.equal(message("ada", false), "7 message ada: b");
  assert.equal(message("ada✓", false), "7 message ada\\u2713: b");
  assert.equal(message("eve", false, "message ada✔:"), "7 message ada\\u2714: eve: b");
});

/** Refusals that these commands can meet, whose hints depend on the case, each with the command's words. */
const HINTS: Array<[code: ErrorCode, { hint?: string }, RegExp]> = [
  [
    "limit_reached",
    ERRORS.limit_reached.say({ of: "last_admin", max: 1 }),
    /: convene tokens make --role admin/,
  ],
  ["forbidden", ERRORS.forbidden.say({ agent: "ann" }), /leave --agent and CONVENE_AGENT out/],
  ["forbidden", ERRORS.forbidden.say({ invited: "ann" }), /leave --agent and CONVENE_AGENT out/],
  ["agent_exists", ERRORS.agent_exists.say({ agent: "ann" }), /leave out --if-new/],
  ["agent_exists", ERRORS.agent_exists.say({ agent: "ann", used: true }), /becomes secure by an admin/],
  ["room_exists", ERRORS.room_exists.say({}), /leave out --locked/],
];

Deno.test("hints are in words of the command", () => {
  for (const [code, { hint }, words] of HINTS) {
    const told = hintOf(new ConveneError(code, "no", { hint }))!;
    assert.match(told, words);
    assert.doesNotMatch(told, /\/rooms|`|POST|if_new/);
  }
  assert.equal(hintOf(new ConveneError("no_answer", "no", { hint: "Take another id." })), "Take another id.");
  assert.match(
    hintOf(new ConveneError("id_unavailable", "no"), hintsOf(commands.room!, new Input(["r"], {}, {})))!,
    /deleted is free again/,
  );
});

Deno.test("each help fits a screen, and names every command", () => {
  const texts = [help(commands), ...Object.entries(commands).map(([name, command]) => helpOf(name, command))];
  for (const text of texts) {
    const lines = text.split("\n");
    assert.ok(lines.length <= 24, `${lines.length} lines: ${lines[0]}`);
    for (const line of lines) assert.ok(line.length <= 80, line);
  }
  for (const name of Object.keys(commands)) assert.match(texts[0]!, new RegExp(`\\b${name}\\b`));
});
