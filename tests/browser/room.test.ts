import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, VIEWS, withBrowser, withOwnBrowser } from "../support/browser.ts";
import type { Subject } from "../support/backends.ts";

/** On a narrow page the parts are behind tabs. */
async function turnTo(page: Page, part: string): Promise<void> {
  const tab = page.locator(`.tabs [data-tab=${part}]`);
  if (await tab.isVisible()) await tab.click();
}

/** Three agents: one hands out tasks, one works, one judges as soon as it may. */
function agentsOf(t: Subject, room: string) {
  const wait = (agent: string, condition: string) =>
    t.post(`/rooms/${room}/wait`, { agent, condition, timeout: 25_000 });
  return {
    async alice() {
      await t.agent(room, "alice", { name: "Alice", role: "coordinator" });
      await t.write(room, "phase", "planning", { agent: "alice" });
      const first = await t.message(room, { from: "alice", kind: "task", body: "read the logs" });
      const second = await t.message(room, {
        from: "alice",
        kind: "task",
        body: { file: "lane.ts", lines: [1, 9] },
      });
      return [first.id, second.id] as [number, number];
    },
    async bob(task: number) {
      await t.agent(room, "bob", { role: "worker" });
      await t.post(`/rooms/${room}/messages/${task}/claim`, { agent: "bob" });
      return await t.message(room, {
        from: "bob",
        to: "alice",
        kind: "result",
        body: { lines: 12 },
        reply_to: task,
      });
    },
    async carol() {
      await t.agent(room, "carol", { role: "judge" });
      await t.view(room, "results", "messages.count - messages.unclaimed");
      await t.view(room, "broken", "1 + state._shared.nothing");
      const condition = `state._shared.phase == "scoring" && messages.count > 2 && has(state.bob.score)`;
      return { condition, done: wait("carol", condition) };
    },
  };
}

for (const view of VIEWS) {
  browserTest(
    `a room with three agents at ${view.width} px, ${view.scheme}`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const name = `live-${view.width}-${view.scheme}`;
        const room = await t.room();
        const agents = agentsOf(t, room);
        const page = await open(`/?room=${room}`, view);
        await untilLive(page);
        await page.getByText("Nothing has happened here yet").waitFor();
        assert.equal(await page.locator("#messages-scroller").evaluate((s) => s.scrollTop), 0);

        const [task, second] = await agents.alice();
        await page.locator(`#m${second}`).waitFor();
        await page.getByText("Nothing has happened here yet").waitFor({ state: "hidden" });
        const result = await agents.bob(task);
        await page.locator(`#m${task} .task`).getByText("claimed by bob").waitFor();
        await page.locator(`#m${second} .task`).getByText("open").waitFor();
        await page.locator(`#m${result.id} .answered`).getByText(String(task)).waitFor();
        await page.locator(`#m${second} summary`).click();
        await page.locator(`#m${second} pre`).getByText('"file": "lane.ts"').waitFor();

        const { condition, done } = await agents.carol();
        await t.agentUntil(room, "carol", (agent) => agent.waiting_on === condition);
        await turnTo(page, "agents");
        const carol = page.locator("[id='agent/carol']");
        await carol.locator(".word").getByText("waiting").waitFor();
        const part = (text: string) => carol.locator(".part", { hasText: text });
        await part("phase ==").and(page.locator(".is-false")).getByText('is "planning"').waitFor();
        await part("phase ==").getByText("by alice").waitFor();
        await part("messages.count").and(page.locator(".is-true")).waitFor();
        await part("state.bob.score").getByText("is not set").waitFor();
        await part("state.bob.score").locator(".awaits a[href='#agent/bob']").waitFor();
        await shoot(page, `${name}-waiting`);
        await page.locator(".count-waiting").getByText("1").waitFor();

        await turnTo(page, "state");
        const phase = page.locator("[id='state/_shared/phase']");
        const flashed = phase.and(page.locator(".flash")).waitFor();
        await t.write(room, "phase", "scoring", { agent: "alice" });
        await phase.getByText('"scoring"').waitFor();
        await flashed;
        const shownAfter: number[] = [];
        for (let n = 0; n < 6 && !(Math.min(...shownAfter) < 300); n++) {
          await t.write(room, "count", 100 + n);
          const from = Date.now();
          await page.locator("[id='state/_shared/count']").getByText(String(100 + n)).waitFor();
          shownAfter.push(Date.now() - from);
        }
        assert.ok(Math.min(...shownAfter) < 300, `shown after ${shownAfter} ms`);
        await page.locator("[id='state/_view/results']").getByText("1", { exact: true }).waitFor();
        const broken = page.locator("[id='state/_view/broken']");
        await broken.getByText(/error at \d+/).waitFor();
        assert.equal(await broken.locator(".fault").textContent(), "nothing");
        await shoot(page, `${name}-state`);

        await turnTo(page, "agents");
        // Two of three parts are true now: the third stands out.
        await part("state.bob.score").and(page.locator(".is-last")).waitFor();
        await t.write(room, "score", 5, { scope: "bob", agent: "bob" });
        await done;
        await carol.locator(".word").getByText("active").waitFor();
        await turnTo(page, "state");
        await page.locator("[id='state/bob/score']").getByText("5").waitFor();
        await t.delete(`/rooms/${room}/state`, { scope: "bob", key: "score" });
        await page.locator("[id='state/bob/score']").waitFor({ state: "detached" });

        await turnTo(page, "timeline");
        // It begins at its newest end.
        await page.waitForFunction(
          "(({ scrollWidth, clientWidth, scrollLeft }) => scrollWidth - clientWidth - scrollLeft < 2)" +
            "(document.getElementById('timeline-scroller'))",
        );
        for (
          const label of [
            "alice to all: task",
            "bob claimed message",
            "alice wrote _shared/phase",
            "carol waited for",
          ]
        ) {
          await page.locator("#timeline title").getByText(label).first().waitFor({ state: "attached" });
        }
        assert.equal(await page.locator("#timeline .arrow").count(), 1);
        await shoot(page, `${name}-timeline`);

        await turnTo(page, "console");
        const expr = page.locator("#console-form [name=expr]");
        await expr.fill("state._shared.phase + '!'");
        await page.keyboard.press("Enter");
        await page.locator("#evaluation").getByText('"scoring!"').waitFor();
        await expr.fill("state._shared.phase + misspelt");
        await page.keyboard.press("Enter");
        await page.locator("#evaluation .error").getByText("At 22").waitFor();
        assert.equal(await page.locator("#evaluation .fault").textContent(), "misspelt");
        await shoot(page, `${name}-console`);
        assert.deepEqual(complaints, []);
      }),
  );
}

browserTest(
  "filters, threads, permalinks, and what comes while one reads above",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const room = await t.room();
      const root = await t.message(room, { from: "ann", kind: "task", body: "the root" });
      for (let n = 0; n < 150; n++) await t.message(room, { from: "bob", body: `message ${n}` });
      const reply = await t.message(room, {
        from: "cat",
        kind: "result",
        body: "a reply",
        reply_to: root.id,
      });

      const page = await open(`/?room=${room}#m${root.id}`, VIEWS[0]);
      const rootItem = page.locator(`#m${root.id}`);
      await rootItem.and(page.locator(".marked")).waitFor(); // it was not among those that were shown
      await t.message(room, { from: "bob", body: "unseen" });
      await page.locator("#fresh").getByText("1 new").waitFor();
      assert.ok(await rootItem.isVisible());
      const top = await rootItem.boundingBox();
      await t.message(room, { from: "bob", body: "unseen too" });
      await page.locator("#fresh").getByText("2 new").waitFor();
      assert.deepEqual(await rootItem.boundingBox(), top, "what is read has moved");
      await page.locator("#fresh").click();
      await page.locator(".message .text").getByText("unseen too").waitFor();
      await page.locator("#fresh").waitFor({ state: "hidden" });

      await page.locator("#filters [name=threads]").check();
      const next = page.locator(`#m${root.id} + li`);
      assert.equal(await next.getAttribute("id"), `m${reply.id}`);
      await page.locator("#filters [name=threads]").uncheck();
      assert.notEqual(await next.getAttribute("id"), `m${reply.id}`);

      await page.locator("#filters [name=kind]").selectOption("task");
      assert.equal(await page.locator(".message:visible").count(), 1);
      await t.message(room, { from: "dan", kind: "plan", body: "of another kind" });
      await page.locator("#filters [name=kind] option[value=plan]").waitFor({ state: "attached" });
      assert.equal(await page.locator(".message:visible").count(), 1);
      await page.locator("#filters [name=kind]").selectOption("");
      await page.locator("#filters [name=from]").selectOption("dan");
      assert.equal(await page.locator(".message:visible").count(), 1);
      await shoot(page, "filters");
      assert.deepEqual(complaints, []);
    }),
);

browserTest(
  "requests and the invitation are copied, with the pointer and the keyboard",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const room = await t.room();
      const { id } = await t.message(room, { body: "copy me" });
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      const clipboard = () => page.evaluate("navigator.clipboard.readText()") as Promise<string>;
      await page.locator(`#m${id}`).hover();
      await page.locator(`#m${id} [data-copy]`).click();
      await page.locator(`#m${id} [data-copy]`).getByText("copied").waitFor();
      assert.equal(await clipboard(), `curl -s '${t.url}/rooms/${room}/messages/${id}'`);
      await page.getByRole("button", { name: "Invite an agent" }).first().click();
      await page.getByRole("button", { name: "Copy the invitation" }).click();
      await shoot(page, "invitation");
      const text = await clipboard();
      for (const needed of [`curl -s ${t.url}/`, `/rooms/${room}/agents`, `/rooms/${room}/wait`]) {
        assert.ok(text.includes(needed));
      }
      await page.keyboard.press("Escape");
      await page.locator(`#m${id} .id`).focus();
      await page.keyboard.press("c");
      await page.locator(`#m${id} [data-copy]`).getByText("copied").waitFor();
      assert.match(await clipboard(), /messages/);
    }),
);

browserTest(
  "a lost connection shows, and mends itself with what was missed",
  () =>
    withOwnBrowser(async ({ t, browser, shoot, service }) => {
      const room = await t.room();
      const page = await browser.newPage();
      await page.clock.install();
      await page.goto(`${t.url}/?room=${room}`);
      await untilLive(page);
      service.process.kill("SIGSTOP");
      const said = t.message(room, { body: "said meanwhile" });
      await page.clock.fastForward(9_000);
      await page.waitForSelector("#live[data-state=lost]");
      await shoot(page, "lost");
      service.process.kill("SIGCONT");
      await said;
      await page.clock.fastForward(2_000);
      await untilLive(page);
      await page.locator(".message .text").getByText("said meanwhile").waitFor();
    }),
);

browserTest(
  "a page of a room that has gone back is loaded anew",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      await t.write(room, "k", 1);
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      // The next stream is asked for as by a page that knows more than there is.
      const url = `${t.url}/rooms/${room}/live?after=99`;
      await page.route("**/live?after=*", (route) => route.continue({ url }), { times: 1 });
      let loads = 0;
      const again = new Promise<void>((resolve) => page.on("load", () => ++loads === 2 && resolve()));
      await page.reload();
      await again;
      await untilLive(page);
      assert.deepEqual(complaints, []);
    }),
);
