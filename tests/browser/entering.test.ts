import assert from "node:assert/strict";
import type { Page, Route } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, VIEWS, withBrowser } from "../support/browser.ts";
import type { Subject } from "../support/backends.ts";
import { until } from "../support/until.ts";
import { asker } from "./asker.ts";

const NARROW = VIEWS[2]!;

/** A locked room with a member, its agent ann, and a reader. */
async function lockedRoom(t: Subject) {
  const { body: { id: room, token: admin } } = await t.post("/rooms", { locked: true });
  const ask = asker(t, room);
  const { token: ann } = await ask(admin, "POST", "/agents", { id: "ann", name: "Ann", secure: true });
  const { token: reader } = await ask(admin, "POST", "/tokens", { role: "reader", agent: "ann" });
  return { room: room as string, admin: admin as string, ann: ann as string, reader: reader as string, ask };
}

const kept = (page: Page) => page.evaluate("Object.values({ ...sessionStorage })") as Promise<string[]>;

/** Types into the field for a token, and sends that by the keyboard. */
async function paste(page: Page, text: string): Promise<void> {
  await page.locator("#token-text").fill(text);
  await page.keyboard.press("Enter");
}

browserTest(
  "browser: a token that is pasted opens a locked room, a wrong one is told beside the field",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const { room, ann } = await lockedRoom(t);
      const other = await lockedRoom(t);
      const page = await open(`/?room=${room}`, NARROW);
      await page.getByText("There is no room").waitFor();
      const told = (text: string) => page.locator("#token-error").getByText(text).waitFor();
      for (
        const [text, why] of [
          ["hello", "begins with cvn_"],
          [ann.slice(0, -1), "has 55 characters"],
          ["кириллица", "This is not a whole token"],
          [`${t.url}/join/7KQ2M-X9D4T`, `Open ${t.url}/join/7KQ2M-X9D4T and join there`],
          [other.ann, "is of another room. Ask whoever gave it to you"],
        ] as const
      ) {
        await paste(page, text);
        await told(why);
        const field = page.locator("#token-text");
        assert.equal(await field.getAttribute("aria-invalid"), "true");
        // What is typed next takes its place.
        assert.equal(
          await field.evaluate((f) => (f as unknown as { selectionEnd: number }).selectionEnd),
          text.length,
        );
        assert.deepEqual(await kept(page), []);
      }
      await shoot(page, "token-wrong");
      await page.route(/\?room=/, (route) => route.abort());
      await paste(page, ann);
      await told("The service does not answer");
      await page.unroute(/\?room=/);

      await paste(page, `${t.url}/?room=${room}#token=${ann}`);
      await untilLive(page);
      assert.deepEqual(await kept(page), [ann]);
      assert.ok(!(await page.content()).includes(ann));
      await page.getByRole("button", { name: "Your token" }).click();
      await page.getByText("a member's token of ann").waitFor();
      assert.ok(await page.getByRole("button", { name: "Copy this token" }).isVisible());
      await shoot(page, "token-held");
      await page.getByRole("button", { name: "Forget this token" }).click();
      await page.getByText("There is no room").waitFor();
      assert.deepEqual(await kept(page), []);
      assert.deepEqual(complaints.filter((text) => !/404|Failed to load/.test(text)), []);
    }),
);

browserTest(
  "browser: a token is pasted and forgotten on the page of an open room, with the keyboard",
  () =>
    withBrowser(async ({ t, open, complaints }) => {
      const room = await t.room();
      const { body: { token } } = await t.post(`/rooms/${room}/agents`, {
        id: "zed",
        name: "Zed",
        secure: true,
      });
      const page = await open(`/?room=${room}`);
      await untilLive(page);
      const self = page.locator("#console-agent option[value=zed]");
      assert.equal(await self.textContent(), "zed (needs its token)");
      assert.equal(await self.getAttribute("disabled"), "");
      await page.getByRole("button", { name: "I have a token" }).focus();
      await page.keyboard.press("Enter");
      await page.locator("#token-text:focus").waitFor();
      // An open room is shown whatever comes as a token: what is none is not kept.
      await paste(page, "hello");
      await page.locator("#token-error").getByText("This is not a whole token").waitFor();
      assert.deepEqual(await kept(page), []);
      await paste(page, ` Bearer ${token} `);
      await page.locator("#you").getByText("zed").waitFor();
      await page.locator("#say-body").waitFor();
      assert.deepEqual([await self.textContent(), await self.getAttribute("disabled")], ["zed", null]);
      assert.deepEqual(await kept(page), [token]);
      await page.getByRole("button", { name: "Your token" }).focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.locator("[data-forget]:focus").waitFor();
      await page.keyboard.press("Enter");
      await page.getByText("You read without a token").waitFor();
      assert.equal(await page.locator("#you").count(), 0);
      assert.deepEqual(await kept(page), []);
      assert.deepEqual(complaints, []);
    }),
);

browserTest(
  "browser: who may makes a join code and gets the line to paste, others are told who can",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const { room, admin, ann, reader } = await lockedRoom(t);
      const opened = await t.room();
      const { body: { token: zed } } = await t.post(`/rooms/${opened}/agents`, {
        id: "zed",
        name: "Zed",
        secure: true,
      });
      const { token: looker } = await asker(t, opened)(zed, "POST", "/tokens", { role: "reader" });
      const invite = async (id: string, token?: string) => {
        const page = await open(`/?room=${id}${token ? `#token=${token}` : ""}`);
        await untilLive(page);
        await page.getByRole("button", { name: "Invite an agent" }).first().click();
        return page;
      };
      for (const [n, [id, token]] of [[room, admin], [opened]].entries()) {
        const page = await invite(id!, token);
        await page.locator("#invite-here").getByText(/write this machine's address in place of 127/)
          .waitFor();
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
        await page.getByRole("button", { name: "Make a join code" }).click();
        await page.getByText(/^The code, .* is good for 15 minutes, until \d\d:\d\d( [AP]M)?, once\./)
          .waitFor();
        const code = await page.locator("#invite-made [data-code]").textContent();
        assert.equal(await page.evaluate("document.activeElement.textContent"), "Copy the line");
        await page.keyboard.press("Enter");
        await page.getByText("copied").waitFor();
        const line = `Join the Convene room: read ${t.url}/join/${code} and do what it says.`;
        assert.equal(await page.evaluate("navigator.clipboard.readText()"), line);
        await shoot(page, `invited-${n}`);
        const joined = await t.post(`/join/${code}`, { agent: `pat-${n}` });
        assert.equal(joined.body.room, id);
        await page.route("**/invites", (route) =>
          route.fulfill({ status: 409, json: { message: "There are enough.", hint: "Revoke one." } }));
        await page.getByRole("button", { name: "Make another" }).click();
        await page.locator("#invite-error").getByText("There are enough. Revoke one.").waitFor();
        await page.close();
      }
      for (
        const [id, token, who] of [[room, ann, "Only an admin"], [room, reader, "Only an admin"], [
          opened,
          looker,
          "A reader's token makes no join codes",
        ]]
      ) {
        const page = await invite(id!, token);
        await page.locator("#invite-not").getByText(who!).waitFor();
        assert.equal(await page.locator("[data-invite]").count(), 0);
        assert.equal(await page.locator("#invite-here").count(), id === room ? 0 : 1);
        await page.close();
      }
      assert.deepEqual(
        complaints.filter((text) =>
          !/40[49]/.test(text)
        ),
        [],
      );
    }),
);

browserTest(
  "browser: who cannot say something is told why and what to do, and joins an open room at once",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const { room, admin, reader, ask } = await lockedRoom(t);
      const { token: member } = await ask(admin, "POST", "/tokens", { role: "member" });
      for (
        const [token, why, what] of [
          [reader, "a reader's, which writes nothing", "an admin of the room makes one"],
          [member, "Your token is no agent's", "ask an admin for a join code"],
          [admin, "Your token is no agent's", "make a join code"],
        ] as const
      ) {
        const page = await open(`/?room=${room}#token=${token}`);
        await untilLive(page);
        await page.locator("#say-not", { hasText: why }).filter({ hasText: what }).waitFor();
        // Whoever may start a room is told how.
        assert.equal(await page.getByText("Three calls start it").count(), token === reader ? 0 : 1);
        assert.equal(await page.locator("#say").count(), 0);
        await page.close();
      }
      const opened = await t.room();
      const page = await open(`/?room=${opened}`, NARROW);
      await untilLive(page);
      await page.getByText("You read without a token").waitFor();
      await shoot(page, "say-not");
      assert.equal(await page.locator("#say").count(), 0);
      await page.locator("[data-join]").focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/join\//);
      await page.locator("#join [name=agent]").fill("pat");
      await page.keyboard.press("Enter");
      await untilLive(page);
      await page.locator("#say-body").fill("hello");
      // Pressed twice before there is an answer, it is said once.
      const sent: Route[] = [];
      await page.route("**/messages", (route) => void sent.push(route));
      for (let n = 0; n < 2; n++) await page.keyboard.press("Enter");
      await until(() => sent.length, (count) => count > 0);
      // Whatever else the page sends comes before this.
      await page.evaluate("fetch('/healthz').then((answer) => answer.text())");
      assert.equal(sent.length, 1);
      await sent[0]!.continue();
      await page.locator("#messages > li", { hasText: "hello" }).locator(".verified").waitFor();
      assert.equal(await page.locator("#say-body").inputValue(), "");
      // What the service says of a refusal is told with what to do.
      for (
        const [error, hint, cure] of [
          ["rate_limited", "Wait a second.", "Wait a second."],
          ["unauthenticated", "Send Authorization.", "Use a token of this room, by the button"],
        ]
      ) {
        await page.route("**/messages", (route) =>
          route.fulfill({ status: 429, json: { error, message: "No.", hint } }));
        await page.locator("#say-body").fill("again");
        await page.keyboard.press("Enter");
        await page.locator("#say-error").getByText(`Not sent: No. ${cure}`).waitFor();
      }
      assert.deepEqual(
        complaints.filter((text) =>
          !/404|429/.test(text)
        ),
        [],
      );
    }),
);

browserTest(
  "browser: an invitation tells its end by the reader's clock, and a refusal with what to do",
  () =>
    withBrowser(async ({ t, browser, service, shoot }) => {
      const { room, admin, ask } = await lockedRoom(t);
      const { code, expires_at } = await ask(admin, "POST", "/invites", { role: "member", uses: 3 });
      const page = await browser.newPage({ timezoneId: "Asia/Kolkata", locale: "en-GB" });
      // Their clock is an hour ahead: by it the code would be over.
      await page.clock.setFixedTime(Date.now() + 3_600_000);
      await page.goto(`${service.url}/join/${code}`);
      const time = new Date(Date.parse(expires_at) + 6.5 * 3_600_000).toISOString().slice(11, 16);
      await page.getByText(
        new RegExp(`The code is good 3 more times, for 15 minutes, until (.* )?${time}\\.`),
      ).waitFor();
      // From the top by the keyboard alone, and on after a refusal.
      for (const name of ["Convene", "Guide"]) {
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate("document.activeElement.textContent"), name);
      }
      await page.keyboard.press("Tab");
      await page.keyboard.type("ann");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const told = page.locator("#join-error");
      await told.getByText(/^Not joined: .*"ann".*\. .+\./).waitFor();
      assert.equal(await page.evaluate("document.activeElement.textContent"), "Join");
      await shoot(page, "join-refused");
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.type("pat");
      await page.keyboard.press("Enter");
      await untilLive(page);
      await page.locator("#you").getByText("pat").waitFor();
      assert.equal(page.url(), `${service.url}/?room=${room}`);
    }),
);

browserTest(
  "browser: a room that is deleted is told to be gone, and asked for no more",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await t.room();
      const page = await open("/");
      const gone = { status: 404, json: { error: "room_not_found", message: "There is none." } };
      await page.route(`**/rooms/${room}**`, (route) => route.fulfill(gone));
      await page.goto(`${t.url}/?room=${room}`);
      await page.locator("#live[data-state=ended]").getByText("the room is gone").waitFor();
    }),
);
