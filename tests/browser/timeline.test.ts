import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, withBrowser } from "../support/browser.ts";
import { openPacked } from "../support/packed.ts";
import { claimed, postTask } from "../support/tasks.ts";

/** What the picture shows, but for the line that is now and for what reaches to it. */
const picture = (page: Page) =>
  page.evaluate(`(() => {
    const get = (name) => (element) => element.getAttribute(name);
    const all = (selector, tell) => [...document.querySelectorAll(selector)].map(tell);
    return {
      lanes: all("#timeline-lanes li", ({ textContent }) => textContent),
      lines: document.querySelectorAll("#timeline-frame .lane").length,
      events: Object.fromEntries(all("#timeline-events > svg", (event) => [
        event.id,
        [get("x")(event), get("y")(event), event.querySelector("title").textContent,
          event.querySelector(".arrow")?.getAttribute("d")],
      ]).sort()),
      waits: all("#timeline-waits > svg", (wait) => [wait.id, get("x")(wait), get("y")(wait)]).sort(),
    };
  })()`) as Promise<{ events: Record<string, unknown> }>;

browserTest(
  "a timeline that was kept up to date is the one that is drawn anew",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const room = await t.room();
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      for (const id of ["ann", "bob"]) await t.agent(room, id);
      await t.write(room, "a", 1, { agent: "ann" });
      await page.locator("[id='event/state/_shared/a']").waitFor({ state: "attached" });
      await t.message(room, { from: "ann", to: "9999999999999", body: "hello" });
      const task = await postTask(t, room, { from: "zoe" });
      const { fence } = await claimed(task, "bob", 300);
      const claim = page.locator(`[id='event/c${task.id}']`);
      await claim.waitFor({ state: "attached" });
      // What is over is taken away; what happens again moves.
      await task.release({ agent: "bob", fence });
      await claim.waitFor({ state: "detached" });
      await t.write(room, "b", 1);
      const wait = t.post(`/rooms/${room}/wait`, { agent: "ann", condition: "state._shared.a == 3" });
      await page.locator("#timeline-waits .is-open").waitFor({ state: "attached" });
      await t.write(room, "a", 2, { agent: "ann" });
      await t.agent(room, "cat");
      await t.write(room, "a", 3, { agent: "ann" });
      assert.equal((await wait).status, 200);
      await t.message(room, { from: "cat", body: "the last" });
      const last = page.locator("#timeline-events title").getByText("the last");
      await last.waitFor({ state: "attached" });
      await page.locator("#timeline-waits .is-open").waitFor({ state: "detached" });
      const kept = await picture(page);
      await shoot(page, "timeline-kept");
      await page.reload();
      await last.waitFor({ state: "attached" });
      await shoot(page, "timeline-anew");
      assert.deepEqual(kept, await picture(page));
      assert.equal(Object.keys(kept.events).length, 5);
      assert.deepEqual(complaints, []);
    }),
);

browserTest(
  "a change of one key costs a page few bytes, whatever else the room holds",
  () =>
    withBrowser(async ({ t }) => {
      const room = await t.room();
      for (let n = 0; n < 25; n++) await t.agent(room, `agent-${n}`);
      const writes = Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, value: "x".repeat(500) }));
      assert.equal((await t.put(`/rooms/${room}/state/batch`, { writes })).status, 200);
      for (let n = 0; n < 130; n++) {
        await t.message(room, { from: `agent-${n % 25}`, body: `message ${n}`.repeat(9) });
      }
      for (const [encoding, most] of [["identity", 4_000], ["gzip", 1_500]] as const) {
        const stream = await openPacked(
          t.url,
          `/rooms/${room}/live?after=${await t.revision(room)}`,
          encoding,
        );
        const text = stream.text();
        let before = 0;
        for (let n = 0; n < 3; n++) {
          await t.write(room, "k1", `${encoding} ${n}`, { agent: "agent-1" });
          await text.until(`${encoding} ${n}`);
          if (n > 0) {
            assert.ok(stream.size - before < most, `${encoding}: ${stream.size - before} bytes`);
          }
          before = stream.size;
        }
        stream.leave();
      }
    }),
);
