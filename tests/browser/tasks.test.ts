import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, VIEWS, withBrowser } from "../support/browser.ts";
import { claimed, postTask } from "../support/tasks.ts";
import { tasksIn } from "./tasks_in.ts";

const WIDE = VIEWS[0]!;
const NARROW = VIEWS[3]!;

/** Opens the page of a room, and waits until it is live. */
async function live(open: (path: string, view: typeof WIDE) => Promise<Page>, room: string, view = WIDE) {
  const page = await open(`/?room=${room}`, view);
  await untilLive(page);
  /** Waits until a message says this. */
  const says = (id: number, text: string | RegExp) =>
    page.locator(`#m${id}`).getByText(text).first().waitFor();
  return { page, says };
}

for (const view of [WIDE, NARROW]) {
  browserTest(
    `each task shows how it stands, first and live, at ${view.width} px`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const room = await t.room();
        for (const id of ["ann", "bob", "cat"]) await t.agent(room, id);
        const watching = await live(open, room, view);
        const tasks = await tasksIn(t, room);
        const talk = await t.message(room, { from: "ann", body: "that is all", reply_to: tasks.open.id });
        const since = await live(open, room, view);
        for (const { page, says } of [watching, since]) {
          const { result_id } = await tasks.done.shown();
          await says(tasks.done.id, "done by bob");
          assert.equal(await page.locator(`#m${tasks.done.id} .task a[href="#m${result_id}"]`).count(), 1);
          await says(tasks.held.id, "claimed by bob");
          await says(tasks.held.id, "attempt 2 of 3");
          await says(tasks.held.id, /^(60|59) min|1 h$/);
          await says(tasks.failed.id, "after 1 of 1 attempts");
          await says(tasks.failed.id, "no attempts are left");
          await says(tasks.failed.id, "{ status: 404, tried: [2 items] }");
          await says(tasks.needing.id, `it needs ${tasks.failed.id}, which failed`);
          await says(tasks.given.id, "bob gave it up");
          await says(tasks.given.id, "no paper");
          await says(tasks.off.id, "called off");
          await says(tasks.open.id, "open");
          await says(tasks.blocked.id, "blocked");
          const needs = page.locator(`#m${tasks.blocked.id} .need`);
          assert.deepEqual(await needs.allTextContents(), [
            `${tasks.done.id} done`,
            `${tasks.held.id} claimed`,
            `${tasks.open.id} open`,
          ]);
          // Talk and the results of tasks stay as plain as they were.
          for (const plain of [talk.id, result_id]) {
            assert.equal(await page.locator(`#m${plain}[data-status], #m${plain} .task`).count(), 0);
          }
          const filter = page.locator("#filters [name=status]");
          for (
            const [status, shown] of Object.entries({
              open: [tasks.open],
              claimed: [tasks.held],
              blocked: [tasks.blocked],
              done: [tasks.done],
              failed: [tasks.failed, tasks.needing, tasks.given, tasks.off],
            })
          ) {
            await filter.selectOption(status);
            const ids = await page.locator(".message:visible").evaluateAll((all) => all.map(({ id }) => id));
            assert.deepEqual(ids, shown.map(({ id }) => `m${id}`), status);
          }
          await filter.selectOption("");
        }
        await shoot(since.page, `tasks-${view.width}`);
        assert.deepEqual(complaints, []);
      }),
  );
}

browserTest(
  "a lease counts down and ends on an open page, with nobody else there",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      const task = await postTask(t, room);
      const { page, says } = await live(open, room);
      await claimed(task, "bob", 4);
      await says(task.id, "claimed by bob");
      const left = page.locator(`#m${task.id} time[data-left]`);
      const first = await left.textContent();
      assert.match(first!, /^[1-4] s$/);
      await left.filter({ hasNotText: first! }).waitFor();
      await page.locator(`#m${task.id}[data-status=open]`).getByText("after 1 attempt").waitFor();
      await claimed(task, "cat", 300);
      await says(task.id, "attempt 2");
      assert.deepEqual(complaints, []);
    }),
);

browserTest(
  "what a blocked task waits for is said anew as that changes, in the list or not",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      const far = await postTask(t, room);
      for (let n = 0; n < 110; n++) await t.message(room);
      const near = await postTask(t, room);
      const blocked = await postTask(t, room, { needs: [far.id, near.id] });
      const { page, says } = await live(open, room);
      assert.equal(await page.locator(`#m${far.id}`).count(), 0);
      const needs = page.locator(`#m${blocked.id} .need`);
      const stand = async (...words: string[]) => {
        for (const [n, word] of words.entries()) await needs.nth(n).getByText(word).waitFor();
      };
      await stand("open", "open");
      await claimed(far, "bob");
      await stand("claimed", "open");
      await far.complete({ agent: "bob" });
      await stand("done", "open");
      await claimed(near, "bob");
      await stand("done", "claimed");
      await near.complete({ agent: "bob" });
      await says(blocked.id, "open");
      assert.equal(await needs.count(), 0);
      assert.deepEqual(complaints, []);
    }),
);
