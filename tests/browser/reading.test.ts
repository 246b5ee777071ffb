import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import { browserTest, untilLive, VIEWS, withBrowser } from "../support/browser.ts";
import { until } from "../support/until.ts";

browserTest(
  "what the pointer is on stays under it while what is above it grows and shrinks",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      for (let n = 0; n < 160; n += 20) {
        const writes = Array.from({ length: 20 }, (_, i) => ({
          key: `key-${String(n + i).padStart(3, "0")}`,
          value: i % 3 ? { n, text: "a value" } : "some words ".repeat(9),
        }));
        await t.put(`/rooms/${room}/state/batch`, { writes });
      }
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      const more = page.locator("[data-load=entries]");
      await more.hover();
      const { y } = (await more.boundingBox())!;
      for (const [n, value] of ["long ".repeat(25), 1, "longer ".repeat(18), 2].entries()) {
        await t.write(room, "key-097", value);
        await page.locator("[id='state/_shared/key-097']").getByText(`v${n + 2}`).waitFor();
        const now = (await more.boundingBox())!.y;
        assert.ok(Math.abs(now - y) < 1, `the button went from ${y} to ${now}`);
      }
      await page.mouse.down();
      await page.mouse.up();
      await page.locator("[id='state/_shared/key-159']").waitFor({ state: "attached" });
      assert.deepEqual(complaints, []);
    }),
);

browserTest(
  "the newest message is in view and stays so, however long they are",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await t.room();
      for (let n = 0; n < 60; n++) await t.message(room, { body: "some words ".repeat(1 + n * 2) });
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      const below = () =>
        page.locator("#messages-scroller").evaluate((s) => s.scrollHeight - s.clientHeight - s.scrollTop);
      assert.ok(await below() < 2);
      for (const text of ["one", "two"]) {
        const { id } = await t.message(room, { body: `${text} ${"some words ".repeat(60)}` });
        await page.locator(`#m${id}`).waitFor();
        assert.ok(await below() < 2);
      }
      assert.ok(!await page.locator("#fresh").isVisible());
    }),
);

browserTest(
  "a reader at the end stays there as the window changes, and while another tab is shown",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await t.room();
      const say = (body: string) => t.message(room, { from: "ann", body });
      for (let n = 0; n < 30; n++) await say(`line ${n}`);
      const page = await open(`/?room=${room}`, { ...VIEWS[0]!, width: 390, height: 800 });
      await untilLive(page);
      const scroller = page.locator("#messages-scroller");
      /** Comes back once a message is the last one, and whole within the list's window. */
      const isSeen = (body: string) =>
        until(
          () =>
            scroller.evaluate((view) => {
              const [last, seen] = [
                [...view.querySelectorAll(".message")].at(-1)!,
                view.getBoundingClientRect(),
              ];
              const { top, bottom } = last.getBoundingClientRect();
              return top >= seen.top - 1 && bottom <= seen.bottom + 1 ? last.textContent : undefined;
            }),
          (text) => text?.includes(body) === true,
        );
      await isSeen("line 29");
      await page.setViewportSize({ width: 390, height: 500 }); // a keyboard comes up
      await isSeen("line 29");
      await say("line 30");
      await isSeen("line 30");
      assert.equal(await page.locator("#fresh").isVisible(), false);
      await page.locator(".tabs [data-tab=state]").click();
      for (let n = 31; n < 40; n++) await say(`line ${n}`);
      await page.locator("#messages").getByText("line 39").waitFor({ state: "attached" });
      await page.locator(".tabs [data-tab=talk]").click();
      await isSeen("line 39");
      // Who looks back stays where that is.
      await scroller.evaluate((view) => {
        const scrolled = new Promise((resolve) => view.addEventListener("scroll", resolve, { once: true }));
        view.scrollTop = 100;
        return scrolled.then(() => undefined);
      });
      await page.setViewportSize({ width: 390, height: 800 });
      await page.locator(".tabs [data-tab=state]").click();
      await say("line 40");
      await page.locator("#messages").getByText("line 40").waitFor({ state: "attached" });
      await page.locator(".tabs [data-tab=talk]").click();
      await page.locator("#fresh").waitFor();
      assert.equal(await scroller.evaluate((view) => view.scrollTop), 100);
      await page.close();
    }),
);

browserTest(
  "the timeline begins at its newest end and is dragged to look back",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      for (let n = 0; n < 80; n++) await t.message(room, { from: n % 2 ? "ann" : "bob", body: n });
      const page = await open(`/?room=${room}`, { width: 1_100, height: 800, scheme: "light" });
      await untilLive(page);
      const strip = page.locator("#timeline-scroller");
      const place = () =>
        strip.evaluate(({ scrollLeft, scrollWidth, clientWidth }) => ({
          left: scrollLeft,
          behind: scrollWidth - clientWidth - scrollLeft,
        }));
      assert.ok((await place()).behind < 2);
      const { left } = await place();
      assert.ok(left > 60, "there is not enough to look back to");
      const { x, y, width, height } = (await strip.boundingBox())!;
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2 + 60, y + height / 2);
      await page.mouse.up();
      assert.ok(Math.abs((await place()).left - (left - 60)) < 2);
      await page.mouse.move(x + width / 2 + 90, y + height / 2);
      assert.ok(Math.abs((await place()).left - (left - 60)) < 2, "it follows a pointer that let go");
      assert.deepEqual(complaints, []);
    }),
);

for (const view of [...VIEWS, { width: 1_024, height: 800, scheme: "light" as const }]) {
  browserTest(
    `the filters say what they do not see, at ${view.width} px, ${view.scheme}`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const room = await t.room();
        const ids = [];
        for (let n = 0; n < 150; n++) {
          const kind = n % 50 === 0 ? "task" : "message";
          ids.push((await t.message(room, { from: "bob", kind, body: n })).id);
        }
        await t.post(`/rooms/${room}/messages/${ids.at(-1)}/claim`, { agent: "ann" });
        const page = await open(`/?room=${room}`, view);
        await untilLive(page);
        const said = (text: string) => page.locator("#reach").getByText(text).waitFor();
        await said("Filters see only the last 100 of 150 messages (unclaimed: 99 of 149).");
        await shoot(page, `filters-${view.width}-${view.scheme}`);

        await page.locator("#filters [name=status]").focus();
        await page.keyboard.press("o");
        assert.equal(await page.locator("#filters [name=status]").inputValue(), "open");
        assert.equal(await page.locator(".message:visible").count(), 2);
        // What happens beyond the list counts, too.
        await t.post(`/rooms/${room}/messages/${ids[0]}/claim`, { agent: "ann" });
        await said("Filters see only the last 100 of 150 messages (unclaimed: 99 of 148).");
        const plan = await t.message(room, { from: "cat", kind: "plan" });
        await said("Filters see only the last 101 of 151 messages (unclaimed: 100 of 149).");
        await t.post(`/rooms/${room}/messages/${plan.id}/claim`, { agent: "cat" });
        await said("Filters see only the last 101 of 151 messages (unclaimed: 99 of 148).");
        await page.locator("#filters [name=kind]").selectOption("plan");
        const none = page.locator("#none");
        await none.getByText("No matches in the last 101 messages. Show older messages to look further back.")
          .waitFor();
        await shoot(page, `filters-none-${view.width}-${view.scheme}`);

        await page.locator("#older button").focus();
        await page.keyboard.press("Enter");
        await page.locator("#reach").waitFor({ state: "hidden" });
        await none.getByText("No matches in the last 151 messages.").waitFor();
        await none.locator(".further").waitFor({ state: "hidden" });
        await page.locator("#filters [name=kind]").selectOption("");
        assert.equal(await page.locator(".message:visible").count(), 2);
        assert.deepEqual(complaints, []);
      }),
  );
}

browserTest(
  "a short conversation is seen whole, and nothing else is said",
  () =>
    withBrowser(async ({ t, open, browser }) => {
      const room = await t.room();
      await t.message(room);
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      assert.ok(await page.locator("#reach").isHidden());
      for (let n = 0; n < 110; n++) await t.message(room);
      const context = await browser.newContext({ javaScriptEnabled: false });
      const still = await context.newPage();
      await still.goto(page.url());
      assert.ok(await still.locator("#reach").isHidden(), "there is nothing to filter with");
      await context.close();
    }),
);

/** A room with so many messages. */
async function talkative(t: Subject, count: number): Promise<string> {
  const room = await t.room();
  await Promise.all(Array.from({ length: count }, (_, body) => t.message(room, { body })));
  return room;
}

browserTest(
  "older messages come once, however often they are asked for, and none are asked for in vain",
  () =>
    withBrowser(async ({ t, open }) => {
      const path = `/?room=${await talkative(t, 110)}`;
      const page = await open(path);
      await untilLive(page);
      let asked = 0;
      const answers = [
        { status: 503, body: "" },
        // There is more, but no message 9.
        { status: 200, body: '<li class="message" id="m8" data-id="8">', headers: { "Convene-Older": "5" } },
      ];
      await page.route("**/live/messages?*", (route) => route.fulfill(answers[asked++]!));
      for (const [n, id] of ["m5", "m9"].entries()) {
        const answered = page.waitForResponse(/live\/messages/);
        await page.evaluate(`location.hash = "${id}"`);
        await answered;
        // Whatever else it asks for comes before this.
        for (let n = 0; n < 3; n++) await page.evaluate("fetch('/healthz').then((answer) => answer.text())");
        assert.equal(asked, n + 1);
      }
      await page.unroute("**/live/messages?*");
      await page.goto(t.url + path);
      await untilLive(page);
      await page.locator("#older button").focus();
      for (let n = 0; n < 2; n++) await page.keyboard.press("Enter");
      await page.locator("#older").waitFor({ state: "hidden" });
      const ids = await page.locator("#messages > li").evaluateAll((items) => items.map(({ id }) => id));
      assert.deepEqual([ids.length, new Set(ids).size], [110, 110]);
      // The button is gone, and the keys go on in what it has shown.
      assert.equal(await page.evaluate("document.activeElement.id"), "messages-scroller");
    }),
);

browserTest(
  "more keys are those that come next, whatever came before them meanwhile",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      for (let n = 0; n < 120; n += 20) {
        const writes = Array.from({ length: 20 }, (_, i) => ({ key: `key-${100 + n + i}`, value: n }));
        await t.put(`/rooms/${room}/state/batch`, { writes });
      }
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      await t.write(room, "a key before", 1);
      await page.locator("[id='state/_shared/a%20key%20before']").waitFor();
      await page.locator("[data-load=entries]").focus();
      await page.keyboard.press("Enter");
      await page.locator("[data-load=entries]").waitFor({ state: "detached" });
      const keys = await page.locator(".entry .key").allTextContents();
      assert.deepEqual([keys.length, new Set(keys).size], [121, 121]);
      assert.equal(await page.evaluate("document.activeElement.dataset.key"), keys[101]);
      assert.deepEqual(complaints, []);
    }),
);
