import assert from "node:assert/strict";
import { browserTest, untilLive, withBrowser } from "../support/browser.ts";
import { startService } from "../support/service.ts";

browserTest(
  "the first page's session runs for real, in a room of its own",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const page = await open("/");
      const named = async () => {
        const calls = await page.locator("#calls .call").allTextContents();
        return new Set(calls.map((call) => /demo-\w{8}\b/.exec(call)?.[0]));
      };
      const [name, ...others] = await named();
      assert.ok(name && others.length === 0, "the calls name one room before they are made");
      await page.getByRole("button", { name: "Run it here" }).click();
      const [, , wait, , changes] = await page.locator("#calls .answer").all();
      await wait!.getByText("waiting for the answer").waitFor();
      await shoot(page, "front-open");
      await wait!.getByText('"triggered":true').waitFor();
      await changes!.getByText('"key":"phase"').waitFor();
      const href = await page.getByRole("link", { name: "Look at the room" }).getAttribute("href");
      const room = new URL(href!, t.url).searchParams.get("room")!;
      assert.deepEqual(await named(), new Set([room]));
      assert.equal(room, name);
      assert.equal((await t.get(`/rooms/${room}`)).status, 200);
      for (const answer of await page.locator("#calls .answer").all()) {
        assert.ok(await answer.evaluate((a) => a.scrollHeight <= a.clientHeight), "an answer is cut");
      }
      await shoot(page, "front-done");
      await page.getByRole("button", { name: "Run it here" }).click();
      await wait!.getByText("waiting for the answer").waitFor();
      assert.ok(!(await named()).has(room), "it is a new room each time");
      assert.deepEqual(complaints, []);
      // What a proxy says of a service that is away is no answer.
      await page.locator("#run[aria-busy=false]").waitFor();
      await page.route("**/rooms", (route) => route.fulfill({ status: 502, body: "<h1>Bad gateway</h1>" }));
      await page.getByRole("button", { name: "Run it here" }).click();
      await page.getByText("The demo stopped: The service does not answer.").waitFor();
    }),
);

browserTest(
  "a room is created at one click, from the first page and where there is none",
  () =>
    withBrowser(async ({ t, open }) => {
      const front = await open("/");
      await front.getByRole("button", { name: "Create a room" }).click();
      await untilLive(front);
      const id = `lobby ${crypto.randomUUID()}`;
      const unknown = await open(`/?room=${encodeURIComponent(id)}`);
      await unknown.getByRole("button", { name: "Create this room" }).click();
      await untilLive(unknown);
      assert.equal((await t.get(`/rooms/${encodeURIComponent(id)}`)).status, 200);
      // Where it cannot be created, the words are for a person.
      const locked = crypto.randomUUID();
      await t.post("/rooms", { id: locked, locked: true });
      const closed = await open(`/?room=${locked}`);
      assert.equal(await closed.locator(".primary").count(), 0, "it may be there, and be locked");
      await closed.getByRole("button", { name: "Create this room" }).click();
      await closed.getByText(/not created: .* a locked room, which opens to a token/).waitFor();
    }),
);

browserTest(
  "where open rooms are not to be had a locked one is created, whose token the tab has",
  () =>
    withBrowser(async ({ open }) => {
      const { url, stop } = await startService({
        env: { REQUIRE_LOCKED: "on", OPERATOR_TOKEN: "a".repeat(32) },
      });
      try {
        const id = crypto.randomUUID();
        for (
          const [path, label] of [["/", "Create a locked room"], [`/?room=${id}`, "Create this room, locked"]]
        ) {
          const page = await open(`${url}${path}`);
          await page.getByRole("button", { name: label }).click();
          await untilLive(page);
          await page.locator("#you").getByText("an admin").waitFor();
          await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
          await page.getByRole("button", { name: "Your token" }).click();
          await page.getByRole("button", { name: "Copy this token" }).click();
          await page.getByText("copied").waitFor();
          assert.match(await page.evaluate("navigator.clipboard.readText()") as string, /^cvn_a_\w{49}$/);
        }
        const front = await open(`${url}/`);
        await front.getByRole("button", { name: "Run it here" }).click();
        await front.locator("#calls .answer").nth(4).getByText('"key":"phase"').waitFor();
        assert.match((await front.locator("#calls .answer").first().textContent())!, /"token":"cvn_a_…"/);
        await front.getByRole("link", { name: "Look at the room" }).click();
        await untilLive(front);
      } finally {
        await stop();
      }
    }),
);
