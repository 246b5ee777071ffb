import assert from "node:assert/strict";
import { browserTest, untilLive, VIEWS, withBrowser } from "../support/browser.ts";

for (const view of [VIEWS[0]!, VIEWS[3]!]) {
  browserTest(
    `reserved paths, keys with an end and who waits for them, as they come and go, at ${view.width} px`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const room = await t.room();
        for (const id of ["ann", "bob", "cat"]) await t.agent(room, id);
        const page = await open(`/?room=${room}`, view);
        await untilLive(page);
        const turnTo = async (part: string) => {
          const tab = page.locator(`.tabs [data-tab=${part}]`);
          if (await tab.isVisible()) await tab.click();
        };
        const post = async (path: string, body: object) => {
          const reply = await t.post(`/rooms/${room}${path}`, body);
          assert.ok(reply.status < 300, reply.text);
          return reply.body;
        };

        await turnTo("reservations");
        const reserved = page.locator("#reservations");
        await reserved.getByText("Nothing is reserved.").waitFor();
        const { id, fence } = await post("/reservations", {
          agent: "ann",
          paths: ["src/**", "docs/*.md"],
          note: "moving the parser",
          ttl: 300,
        });
        const first = page.locator(`[id="reservation/${id}"]`);
        for (const text of ["ann", "exclusive", "src/**", "docs/*.md", "moving the parser"]) {
          await first.getByText(text, { exact: true }).waitFor();
        }
        await first.locator(".remaining").getByText(/min$/).waitFor();
        await reserved.getByText("Nothing is reserved.").waitFor({ state: "hidden" });
        await post(`/reservations/${id}/renew`, { agent: "ann", fence, ttl: 7_300 });
        await first.locator(".remaining").getByText("2 h").waitFor();
        const brief = await post("/reservations", {
          agent: "bob",
          paths: ["bench/*"],
          mode: "shared",
          note: "word ".repeat(100),
          ttl: 300,
        });
        await t.write(room, "lock", "bob", { agent: "bob", ttl: 59 });
        const second = page.locator(`[id="reservation/${brief.id}"]`);
        const lock = page.locator("[id='state/_shared/lock']");
        await second.getByText("shared").waitFor();
        await second.getByText("502 characters", { exact: true }).waitFor();
        await shoot(page, `reserved-${view.width}`);
        await turnTo("state");
        await lock.locator(".remaining").getByText(/^\d+ s$/).waitFor();
        await post(`/reservations/${brief.id}/renew`, { agent: "bob", fence: brief.fence, ttl: 1 });
        await t.write(room, "lock", "bob", { agent: "bob", ttl: 1 });
        for (const ended of [second, lock]) await ended.waitFor({ state: "detached" }); // by itself
        await t.write(room, "lock", "bob", { agent: "bob", ttl: 300 });
        await lock.locator(".remaining").waitFor();
        await t.write(room, "lock", "bob", { agent: "bob" });
        await lock.locator(".remaining").waitFor({ state: "detached" });

        await turnTo("agents");
        const timeout = 25_000;
        const task = post("/messages/claim", { agent: "cat", kind: "review", timeout });
        const paths = post("/reservations", { agent: "bob", paths: ["src/a.ts"], timeout });
        const card = (agent: string) => page.locator(`[id="agent/${agent}"]`);
        await card("cat").getByText("for a message of kind review to take").waitFor();
        await card("bob").getByText("to reserve src/a.ts: see the reserved paths").waitFor();
        await shoot(page, `wanting-${view.width}`);
        await card("bob").getByText("reserved paths").click();
        await reserved.waitFor();
        const released = await t.delete(`/rooms/${room}/reservations/${id}`, { agent: "ann", fence });
        assert.equal(released.status, 200);
        await first.waitFor({ state: "detached" });
        await paths;
        await turnTo("agents");
        await t.message(room, { from: "ann", kind: "review", body: "look at a.ts" });
        await task;
        await card("cat").locator(".word").getByText("active").waitFor();

        const left = await t.delete(`/rooms/${room}/agents/cat`);
        assert.deepEqual(left.body, { left: true });
        await card("cat").waitFor({ state: "detached" });
        await t.agent(room, "cat");
        await card("cat").waitFor();
        assert.deepEqual(complaints, []);
      }),
  );
}
