import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, VIEWS, withBrowser } from "../support/browser.ts";
import type { Subject } from "../support/backends.ts";
import { asker } from "./asker.ts";
import { seriousIn } from "./axe.ts";
import { tasksIn } from "./tasks_in.ts";

async function furnished(t: Subject): Promise<string> {
  const room = await t.room();
  for (const id of ["ann", "bob", "cat"]) await t.agent(room, id, { role: "worker" });
  await t.write(room, "phase", "planning", { agent: "ann" });
  await t.write(room, "plan", { steps: ["a", "b"], owner: "ann" }, { agent: "ann" });
  await t.view(room, "ready", "state._shared.phase == 'ready'");
  await t.view(room, "broken", "state._shared.missing");
  const { id } = await t.message(room, { from: "ann", kind: "task", body: "count the words" });
  await t.message(room, { from: "ann", kind: "task", body: { file: "a.ts" } });
  await t.message(room, { from: "bob", to: "ann", kind: "result", body: { words: 12 }, reply_to: id });
  await t.post(`/rooms/${room}/messages/${id}/claim`, { agent: "bob" });
  await t.post(`/rooms/${room}/agents/cat/heartbeat`, { status: "busy" });
  await tasksIn(t, room);
  await t.write(room, "lock", "bob", { agent: "bob", ttl: 3_600 });
  await t.post(`/rooms/${room}/reservations`, {
    agent: "ann",
    paths: ["src/**", "docs/*.md"],
    note: "the parser",
  });
  await t.post(`/rooms/${room}/reservations`, {
    agent: "bob",
    paths: ["bench/**"],
    mode: "shared",
    note: { n: 1 },
  });
  return room;
}

browserTest(
  "axe finds nothing serious on any page, in both schemes, wide and narrow",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const room = await furnished(t);
      const empty = await t.room();
      const condition = "state._shared.phase == 'done' && (agents.cat.status == 'idle' || has(state.ann.x))";
      const wait = t.post(`/rooms/${room}/wait`, { agent: "bob", condition, timeout: 25_000 });
      const found: string[] = [];
      const look = async (name: string, path: string, width: number) => {
        const page = await open(path, { ...VIEWS[0]!, width });
        if (name === "room") await untilLive(page);
        const parts = name === "room" && width < 700
          ? ["talk", "agents", "reservations", "state", "timeline", "console"]
          : [undefined];
        for (const part of parts) {
          if (part) await page.locator(`.tabs [data-tab=${part}]`).click();
          const shown = [name, part, width].filter(Boolean).join("-");
          found.push(...await seriousIn(page, shown, shoot));
        }
        await page.close();
      };
      for (const width of [1400, 390]) {
        await look("front", "/", width);
        await look("guide", "/guide", width);
        await look("room", `/?room=${room}&expr=${encodeURIComponent("state._shared.nothing")}`, width);
        await look("empty", `/?room=${empty}`, width);
        await look("unknown", "/?room=no-such-room", width);
      }
      assert.deepEqual(found, []);
      await t.write(room, "phase", "done");
      await t.post(`/rooms/${room}/agents/cat/heartbeat`, { status: "idle" });
      await wait;
    }),
);

browserTest(
  "axe finds nothing serious where a token or a code is wanted, made or held, in both schemes",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const opened = await furnished(t);
      const { body: { id: locked, token: admin } } = await t.post("/rooms", { locked: true });
      const ask = asker(t, locked);
      const { token: reader } = await ask(admin, "POST", "/tokens", { role: "reader", note: "a screen" });
      const { code } = await ask(admin, "POST", "/invites", { role: "member", note: "come in" });
      const press = (page: Page, name: string) => page.getByRole("button", { name }).first().click();
      const looks: Array<[path: string, part?: string, act?: (page: Page) => Promise<void>]> = [
        [`/join/${code}`],
        ["/join/00000-00000"],
        ["/docs/access"],
        [`/?room=${locked}#token=${reader}`, ".health"],
        [`/?room=${locked}#token=${reader}`, "#token", (page) => press(page, "Your token")],
        [`/?room=${opened}`, "#invitation", (page) => press(page, "Invite an agent")],
        [`/?room=${locked}#token=${admin}`, "#invitation", async (page) => {
          await press(page, "Invite an agent");
          await press(page, "Make a join code");
          await page.locator("#invite-made").waitFor();
        }],
        [`/?room=${opened}`, "#token", async (page) => {
          await press(page, "I have a token");
          await page.locator("#token-text").fill("hello");
          await page.keyboard.press("Enter");
          await page.locator("#token-error").getByText("not a whole token").waitFor();
        }],
      ];
      const found: string[] = [];
      for (const [n, [path, part, act]] of looks.entries()) {
        const width = n % 2 ? 1400 : 390;
        const page = await open(path, { ...VIEWS[0]!, width });
        if (path.startsWith("/?room")) await untilLive(page);
        await act?.(page);
        found.push(...await seriousIn(page, `held-${n}-${width}`, shoot, part));
        await page.close();
      }
      assert.deepEqual(found, []);
    }),
);

browserTest(
  "the first keys lead past what is between the top of a room's page and where one writes, or the timeline",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const room = await furnished(t);
      const { body: { token } } = await t.post(`/rooms/${room}/agents`, {
        id: "zed",
        name: "Zed",
        secure: true,
      });
      const inView = (page: Page) =>
        page.evaluate(`(({ left, top, right, bottom }) =>
          left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight
        )(document.activeElement.getBoundingClientRect())`);
      for (
        const [name, presses, held, target, width] of [
          ["Skip to say something", 1, token, "say-body", 1400],
          ["Skip to say something", 1, undefined, "say-not", 390],
          ["Skip to the timeline", 3, token, "timeline-scroller", 390],
        ] as const
      ) {
        const page = await open(`/?room=${room}${held ? `#token=${held}` : ""}`, { ...VIEWS[0]!, width });
        await untilLive(page);
        for (let n = 0; n < presses; n++) await page.keyboard.press("Tab");
        assert.equal(await page.evaluate("document.activeElement.textContent"), name);
        assert.ok(await inView(page), `${name} is not seen`);
        await shoot(page, `skip-${target}-${width}`);
        await page.keyboard.press("Enter");
        // The address stays what one sends to others.
        await page.locator(`#${target}:focus`).waitFor();
        await page.waitForURL(`${t.url}/?room=${room}`);
        assert.ok(await inView(page), `${target} is not seen`);
        await page.close();
      }
    }),
);

browserTest("a page never scrolls sideways, from 360 px up", () =>
  withBrowser(async ({ t, open }) => {
    const room = await furnished(t);
    for (const path of ["/", "/guide", `/?room=${room}`, "/?room=none"]) {
      const page = await open(path);
      for (const width of [360, 480, 700, 1_099, 1_100, 1_600]) {
        await page.setViewportSize({ width, height: 740 });
        const [content, window] = await page.evaluate(
          "[document.documentElement.scrollWidth, innerWidth]",
        ) as number[];
        assert.equal(window, width);
        assert.ok(content! <= width, `${path} is ${content} px wide at ${width}`);
      }
      await page.close();
    }
  }));

browserTest(
  "messages are in view in a low window, as at 200 % zoom or on a phone that lies",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const room = await furnished(t);
      for (let n = 0; n < 20; n++) await t.message(room, { from: "ann", body: `line ${n}` });
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      for (
        const [width, height] of [[720, 450], [844, 390], [1_400, 500], [1_400, 560], [1_024, 560]] as const
      ) {
        await page.setViewportSize({ width, height });
        const [lines, window] = await page.evaluate(`(() => {
        const { bottom, height } = document.querySelector("#talk .scroller").getBoundingClientRect();
        return [bottom <= innerHeight ? height : 0, document.documentElement.scrollWidth];
      })()`) as number[];
        await shoot(page, `low-${width}-${height}`);
        assert.ok(lines! >= 72, `${width} x ${height} leaves messages ${lines} px`);
        assert.equal(window, width);
      }
      await page.setViewportSize({ width: 720, height: 450 });
      for (const part of ["agents", "reservations", "state", "timeline", "console"]) {
        await page.locator(`.tabs [data-tab=${part}]`).click();
        await page.locator(`#${part}`).waitFor();
        assert.equal(await page.locator("#talk").isVisible(), false);
      }
      await page.close();
    }),
);

browserTest(
  "what changes is outlined, not moved, for those who ask for less motion",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await furnished(t);
      const page = await open(`/?room=${room}`);
      await page.emulateMedia({ reducedMotion: "reduce" });
      await untilLive(page);
      await page.evaluate("document.getElementById('state/_shared/phase').classList.add('flash')");
      const style = await page.evaluate(
        "getComputedStyle(document.querySelector('.flash > .value')).animationName",
      );
      assert.equal(style, "none");
      await page.emulateMedia({ reducedMotion: "no-preference" });
      assert.equal(
        await page.evaluate("getComputedStyle(document.querySelector('.flash > .value')).animationName"),
        "flash",
      );
    }),
);

browserTest(
  "without a script the page is complete, and the console works",
  () =>
    withBrowser(async ({ t, browser, shoot }) => {
      const room = await furnished(t);
      const context = await browser.newContext({
        javaScriptEnabled: false,
        viewport: { width: 1400, height: 900 },
      });
      const page = await context.newPage();
      await page.goto(`${t.url}/?room=${room}`);
      for (const text of ["count the words", "phase", '"planning"', "claimed by bob", "ready"]) {
        await page.getByText(text).first().waitFor();
      }
      await page.locator("#console-form [name=expr]").fill("1 + 1");
      await page.locator("#console-form button").click();
      await page.locator("#evaluation .result").getByText("2").waitFor();
      await shoot(page, "no-script");
      await context.close();
    }),
);
