import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";

Deno.test("a wait with a token of another locked room ends as one for no room, whatever a look finds first", () =>
  withApp(async ({ request }) => {
    const made = async (id: string) =>
      (await (await request("POST", "/rooms", { id, locked: true })).json()).token;
    await made("here");
    const headers = bearer(await made("other"));
    for (let n = 0; n < 20; n++) {
      const answers = await Promise.all(["here", "none"].flatMap((room) => [
        request("POST", `/rooms/${room}/wait`, { condition: "false", timeout: 5_000 }, headers),
        request("POST", `/rooms/${room}/messages/claim`, { agent: "a", timeout: 5_000 }, headers),
        request("POST", `/rooms/${room}/reservations`, { agent: "a", paths: ["a"], timeout: 5_000 }, headers),
        request("GET", `/rooms/${room}/events`, undefined, headers),
      ]));
      assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(404));
    }
  }, {
    poll: 1,
    wrap: (connection) => ({
      async send(statements, mode) {
        // A look comes before the first read of who waits.
        if (!statements.some(({ sql }) => sql.includes("json_each(:tokens)"))) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return await connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  }));
