import assert from "node:assert/strict";
import { forgetTokens, keepToken, keptToken } from "../../cli/kept_tokens.ts";

Deno.test("each token that is moved aside stays, and all are forgotten with their room", async () => {
  const folder = await Deno.makeTempDir({ prefix: "convene-" });
  try {
    const environment = { XDG_CONFIG_HOME: folder };
    const [server, room] = ["http://service", "r"];
    const made = ["an admin's", "ann's", "ann's", "bob's"].map((token) =>
      keepToken(environment, { server, room, token })
    );
    keepToken(environment, { server, room: "other", token: "eve's" });
    const tokens = (files: Array<string | undefined>) =>
      files.flatMap((file) => file ? JSON.parse(Deno.readTextFileSync(file)).token : []);
    assert.equal(keptToken(environment, server, room)!.token, "bob's");
    assert.deepEqual(tokens(made.map(({ before }) => before)), ["an admin's", "ann's"]);
    for (const { before } of made) if (before) assert.equal(Deno.statSync(before).mode! & 0o777, 0o600);
    forgetTokens(environment, server, room);
    const left = [...Deno.readDirSync(`${folder}/convene`)].map(({ name }) => `${folder}/convene/${name}`);
    assert.deepEqual(tokens(left), ["eve's"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
