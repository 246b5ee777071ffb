import assert from "node:assert/strict";
import { browserTest, untilLive, withBrowser, withOwnBrowser } from "../support/browser.ts";
import { createTabs, type Tab } from "../support/tabs.ts";

const LIVE = "document.querySelector('#live[data-state=live]')";
const PAUSED = "document.querySelector('#live[data-state=paused]')";
const message = (id: number) => `document.getElementById("m${id}")`;
const ids = (tab: Tab) =>
  tab.evaluate<number[]>(
    "[...document.querySelectorAll('#messages > .message')].map(({ dataset }) => Number(dataset.id))",
  );
const textOf = (tab: Tab, selector: string) =>
  tab.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).textContent.trim()`);
/** The messages that begin what was missed. */
const missed = (tab: Tab) =>
  tab.evaluate<string[]>("[...document.querySelectorAll('.missed')].map(({ id }) => id)");
/** The place of the reader: what the list begins with, and how far it is scrolled. */
const place = (tab: Tab) =>
  tab.evaluate<number>("Math.round(document.getElementById('messages-scroller').scrollTop)");

browserTest(
  "eight tabs of a browser work, since those that are hidden give their streams back",
  () =>
    withOwnBrowser(async ({ t, browser }) => {
      const open = await createTabs(browser);
      const room = await t.room();
      const tabs: Tab[] = [];
      for (let n = 0; n < 8; n++) {
        const tab = await open(`${t.url}/?room=${room}`);
        await tab.until(LIVE);
        tabs.push(tab);
      }
      for (const tab of tabs.slice(0, -1)) await tab.until(PAUSED);
      const { id } = await t.message(room, { body: "to all tabs" });
      await tabs.at(-1)!.until(message(id));
      for (const tab of tabs.slice(0, -1)) assert.deepEqual(await ids(tab), []);
      for (const tab of tabs) {
        await tab.show();
        await tab.until(LIVE);
        await tab.until(message(id));
      }
    }),
);

browserTest(
  "a page that is seen again shows what it missed, and from where",
  () =>
    withOwnBrowser(async ({ t, browser, keep }) => {
      const open = await createTabs(browser);
      const room = await t.room();
      await t.agent(room, "ann");
      const task = await t.message(room, { from: "ann", kind: "task", body: "claim me" });
      for (let n = 0; n < 60; n++) await t.message(room, { from: "ann", body: `before ${n}` });
      await t.write(room, "phase", "planning");
      await t.write(room, "old", 1);
      const tab = await open(`${t.url}/?room=${room}`);
      await tab.until(LIVE);
      const [top, before] = [await place(tab), await ids(tab)];
      assert.ok(top > 0);

      const other = await open("about:blank");
      await tab.until(PAUSED);
      await t.agent(room, "bob");
      const said: number[] = [];
      for (let n = 0; n < 30; n++) {
        said.push((await t.message(room, { from: "bob", body: `missed ${n}` })).id);
      }
      await t.post(`/rooms/${room}/messages/${task.id}/claim`, { agent: "bob" });
      await t.write(room, "phase", "scoring");
      await t.delete(`/rooms/${room}/state`, { key: "old" });
      assert.ok(await tab.evaluate(PAUSED + " !== null"));
      assert.ok(!(await ids(tab)).includes(said[0]!));

      await tab.show();
      await tab.until(LIVE);
      // Nothing is lost: what came is there, in its order, and what changed has changed.
      assert.deepEqual(await ids(tab), [...before, ...said]);
      assert.match(await textOf(tab, `#m${task.id} .task`), /claimed by bob/);
      assert.equal(await textOf(tab, "[id='state/_shared/phase'] .value"), '"scoring"');
      assert.equal(await tab.evaluate("document.getElementById('state/_shared/old')"), null);
      assert.ok(await tab.evaluate("document.getElementById('agent/bob') !== null"));
      // And it is shown: where it begins, how much it is, and the reader is where they were.
      assert.deepEqual(await missed(tab), [`m${said[0]}`]);
      assert.equal(await textOf(tab, "#fresh"), "30 new");
      assert.equal(await place(tab), top);
      assert.match(
        await tab.evaluate("document.getElementById('live').title"),
        /Caught up .* since \d\d:\d\d/,
      );
      await keep("hidden-and-back", tab.picture);

      const late = await t.message(room, { body: "seen as it comes" });
      await tab.until(message(late.id));
      assert.deepEqual(await missed(tab), [`m${said[0]}`]);
      await tab.evaluate("document.getElementById('fresh').focus()");
      await tab.press("Enter");
      await tab.until("document.getElementById('fresh').hidden");
      assert.ok(await place(tab) > top);

      // Another absence has a sign of its own; one in which nothing was said has none.
      await other.show();
      await tab.until(PAUSED);
      await tab.show();
      await tab.until(LIVE);
      assert.deepEqual(await missed(tab), [`m${said[0]}`]);
      await other.show();
      await tab.until(PAUSED);
      const last = await t.message(room, { body: "missed again" });
      await tab.show();
      await tab.until(LIVE);
      assert.deepEqual(await missed(tab), [`m${last.id}`]);
    }),
);

browserTest(
  "after a long absence the newest are shown, and the rest is counted",
  () =>
    withOwnBrowser(async ({ t, browser, keep }) => {
      const open = await createTabs(browser);
      const room = await t.room();
      for (let n = 0; n < 100; n++) await t.message(room, { body: `before ${n}` });
      const tab = await open(`${t.url}/?room=${room}`);
      await tab.until(LIVE);
      await open("about:blank");
      await tab.until(PAUSED);
      let last = 0;
      for (let n = 0; n < 1_200; n += 50) {
        const posts = Array.from({ length: 50 }, (_, i) => t.message(room, { body: `missed ${n + i}` }));
        last = Math.max(...(await Promise.all(posts)).map(({ id }) => id));
      }
      await tab.show();
      const from = Date.now();
      await tab.until("document.querySelector('#live[data-state=catching]')");
      await tab.until("document.querySelector('.missed')");
      await keep("catching-up", tab.picture);
      await tab.until(LIVE);
      console.log(`1,200 messages caught up with in ${Date.now() - from} ms`);
      const shown = await ids(tab);
      assert.equal(shown.at(-1), last);
      assert.equal(shown.length, 400);
      assert.equal(await textOf(tab, "#older [data-count]"), "900");
      assert.deepEqual(await missed(tab), [`m${shown[0]}`]);
      assert.equal(await textOf(tab, "#fresh"), "1,200 new");
      assert.match(
        await textOf(tab, "#reach"),
        /^Filters see only the last 400 of 1,300 messages \(unclaimed: 400 of 1,300\)/,
      );
      await keep("long-absence", tab.picture);
    }),
);

browserTest(
  "a page that is opened in the background has no stream until it is seen",
  () =>
    withOwnBrowser(async ({ t, browser }) => {
      const open = await createTabs(browser);
      const room = await t.room();
      await open("about:blank");
      const tab = await open(`${t.url}/?room=${room}`, { background: true });
      await tab.until(PAUSED);
      const { id } = await t.message(room, { body: "said meanwhile" });
      assert.deepEqual(await ids(tab), []);
      await tab.show();
      await tab.until(LIVE);
      assert.deepEqual(await ids(tab), [id]);
      await t.write(room, "phase", "live");
      await tab.until("document.getElementById('state/_shared/phase')");
    }),
);

browserTest(
  "a stream that never opens is tried again, and the page says that it has none",
  () =>
    withBrowser(async ({ t, browser }) => {
      const room = await t.room();
      const page = await browser.newPage();
      await page.clock.install();
      let asked = 0;
      await page.route(/\/live\?after=/, (route) => ++asked > 1 ? route.continue() : undefined);
      await page.goto(`${t.url}/?room=${room}`);
      await page.waitForSelector("#live[data-state=still]");
      await page.clock.fastForward(10_000);
      await page.waitForSelector("#live[data-state=lost]");
      await page.clock.fastForward(3_000);
      await untilLive(page);
      assert.equal(asked, 2);
    }),
);

browserTest(
  "a page that cannot ask where the room is catches up all the same",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await t.room();
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      let refused = 0;
      await page.route(new RegExp(`/rooms/${room}$`), (route) => {
        refused++;
        return route.abort();
      });
      const hide = (hidden: boolean) =>
        page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`);
      await hide(true);
      await page.waitForSelector("#live[data-state=paused]");
      const ids = [];
      for (let n = 0; n < 3; n++) ids.push((await t.message(room)).id);
      await hide(false);
      await untilLive(page);
      assert.equal(refused, 1);
      assert.equal(await page.locator(".message").count(), 3);
      await page.locator(`#m${ids[0]}.missed`).waitFor();
    }),
);
