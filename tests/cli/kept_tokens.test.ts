import assert from "node:assert/strict";
import { forgetTokens, keepToken, keptBefore, keptToken, renewToken } from "../../cli/kept_tokens.ts";
import { withFolder } from "../support/folder.ts";

Deno.test("each token that is moved aside stays, and all are forgotten with their room", () =>
  withFolder((folder) => {
    const environment = { XDG_CONFIG_HOME: folder };
    const [server, room] = ["http://service", "r"];
    const made = ["an admin's", "ann's", "ann's", "bob's"].map((token) =>
      keepToken(environment, { server, room, token })
    );
    keepToken(environment, { server, room: "other", token: "eve's" });
    const tokens = (files: Array<string | undefined>) =>
      files.flatMap((file) => file ? JSON.parse(Deno.readTextFileSync(file)).token : []);
    assert.equal(keptToken(environment, server, room)!.token, "bob's");
    assert.deepEqual(tokens(made.map(({ before }) => before?.file)), ["an admin's", "ann's"]);
    for (const { before } of made) if (before) assert.equal(Deno.statSync(before.file).mode! & 0o777, 0o600);
    forgetTokens(environment, server, room);
    const left = [...Deno.readDirSync(`${folder}/convene`)].map(({ name }) => `${folder}/convene/${name}`);
    assert.deepEqual(tokens(left), ["eve's"]);
  }));

Deno.test("each agent has its own token, which is renewed in its place, until it has the first place again", () =>
  withFolder((folder) => {
    const environment = { XDG_CONFIG_HOME: folder };
    const of = { server: "http://service", room: "r" };
    for (const agent of [undefined, "ann", "bob", "ann", "eve"]) {
      keepToken(environment, { ...of, agent, token: `${agent}'s` });
    }
    const keptOf = (agent?: string) => keptToken(environment, of.server, of.room, agent)!;
    const all = () => keptBefore(environment, of.server, of.room).map(({ token }) => token);
    assert.deepEqual(["ann", "bob", "eve", "zed", undefined].map((agent) => keptOf(agent).token), [
      "ann's",
      "bob's",
      "eve's",
      "eve's",
      "eve's",
    ]);
    assert.deepEqual(all(), ["ann's", "bob's", "undefined's"]);
    renewToken(environment, { ...keptOf("bob"), token: "bob's new" });
    assert.deepEqual([keptOf("bob").token, keptOf().token], ["bob's new", "eve's"]);
    // Whoever acts as any agent does so for each that is named.
    keepToken(environment, { ...of, token: "undefined's" });
    assert.equal(keptOf("bob").token, "undefined's");
    assert.deepEqual(all(), ["eve's", "ann's", "bob's new"]);
  }));
