import assert from "node:assert/strict";
import type { Page, Request } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, type View, VIEWS, withBrowser } from "../support/browser.ts";
import type { Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { asker } from "./asker.ts";

const MIDDLE = { width: 1024, height: 800 };

/** A wide page and a narrow one; where pictures are kept, all widths in both schemes. */
const LOOKS: View[] = Deno.env.get("SCREENSHOTS")
  ? [...VIEWS, { ...MIDDLE, scheme: "light" }, { ...MIDDLE, scheme: "dark" }]
  : [VIEWS[0]!, VIEWS[3]!];

/** A locked room with the secure agent ann, and what she does there. */
async function lockedRoom(t: Subject) {
  const { body: { id: room, token: admin } } = await t.post("/rooms", { locked: true });
  const ask = asker(t, room);
  const { token } = await ask(admin, "POST", "/agents", {
    id: "ann",
    name: "Ann",
    role: "lead",
    secure: true,
  });
  const made = await ask(admin, "POST", "/tokens", { role: "reader", note: "a screen" });
  const { token: cyd } = await ask(admin, "POST", "/agents", {
    id: "cyd",
    name: "Cyd",
    secure: true,
    private: true,
  });
  await ask(cyd, "PUT", "/state", { scope: "cyd", key: "card", value: "ace of spades" });
  await ask(token, "POST", "/messages", { body: "who is here?" });
  await ask(token, "PUT", "/state", { key: "phase", value: "planning" });
  await ask(admin, "POST", "/messages", { from: "bob", body: "I am bob, I say" });
  return {
    room: room as string,
    admin: admin as string,
    token: token as string,
    cyd: cyd as string,
    reader: made,
    ask,
  };
}

/** Collects the requests that a page makes of the service. */
function requestsOf(page: Page): Request[] {
  const made: Request[] = [];
  page.on("request", (request) => made.push(request));
  return made;
}

for (const view of LOOKS) {
  browserTest(
    `browser: a token in the fragment opens a locked room, and leaves the address at once, ${view.width} ${view.scheme}`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const { room, token, ask } = await lockedRoom(t);
        const page = await open("/", view);
        const made = requestsOf(page);
        await page.goto(`${t.url}/?room=${room}#token=${token}`);
        await untilLive(page);
        assert.equal(page.url(), `${t.url}/?room=${room}`);
        const kept = await page.evaluate("[history.length, JSON.stringify({ ...sessionStorage })]") as [
          number,
          string,
        ];
        assert.deepEqual(JSON.parse(kept[1]), { [`convene.token.${room}`]: token });
        await page.getByText("who is here?").first().waitFor();
        await page.locator("#you").getByText("ann").waitFor();
        // Whoever has proved who it is, is marked: others are not.
        const messages = page.locator("#messages > li");
        assert.equal(await messages.nth(0).locator(".verified").count(), 1);
        assert.equal(await messages.nth(1).locator(".verified").count(), 0);
        assert.equal(await page.locator("[id='agent/ann'] .verified").count(), 1);
        assert.equal(await page.locator("[id='state/_shared/phase'] .verified").count(), 1);

        await ask(token, "PUT", "/state", { key: "phase", value: "done" });
        await page.locator("[id='state/_shared/phase']").getByText("done").waitFor({ state: "attached" });
        // By keyboard alone she says something, which is hers.
        await page.locator("#say-body").focus();
        await page.keyboard.type("all of us");
        await page.keyboard.press("Enter");
        const said = page.locator("#messages > li", { hasText: "all of us" });
        await said.locator(".verified").waitFor();
        await shoot(page, `token-${view.width}-${view.scheme}`);

        const rooms = made.filter((request) => new URL(request.url()).pathname.startsWith("/rooms/"));
        assert.ok(rooms.length >= 2);
        for (const request of rooms) {
          assert.equal(await request.headerValue("authorization"), `Bearer ${token}`, request.url());
        }
        for (const request of made) assert.ok(!request.url().split("#")[0]!.includes(token), request.url());
        assert.ok(!(await page.content()).includes(token));

        // The tab keeps it, another knows nothing of it.
        await page.reload();
        await untilLive(page);
        await page.evaluate(`{
          const form = document.getElementById("console-form");
          form.elements.expr.value = "self";
          form.requestSubmit();
        }`);
        await page.locator("#evaluation .result").getByText("ann").waitFor({ state: "attached" });
        const other = await open(`/?room=${room}`, view);
        await other.getByText("There is no room").waitFor();
        // Both pages of no room are 404, which the console of a browser shows.
        assert.deepEqual(complaints.filter((text) => !text.includes("404")), []);
      }),
  );
}

browserTest(
  "browser: a token that ends stops the page, one that is bad is told and forgotten",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const { room, admin, reader, ask } = await lockedRoom(t);
      const page = await open(`/?room=${room}#token=${reader.token}`);
      await untilLive(page);
      await page.locator("#you").getByText("reader").waitFor();
      assert.equal(await page.locator("#say").count(), 0);
      await ask(admin, "DELETE", `/tokens/${reader.id}`);
      await page.waitForSelector("#live[data-state=ended]", { timeout: 15_000 });
      await shoot(page, "token-ended");
      await page.reload();
      await page.getByText("The token is not accepted").waitFor();
      assert.equal(await page.evaluate("sessionStorage.length"), 0);

      const opened = await t.room();
      await t.message(opened, { from: "eve", body: "anybody reads this" });
      const plain = await open(`/?room=${opened}#token=${reader.token}`);
      await plain.getByText("The token is not accepted").waitFor();
      await untilLive(plain);
      await plain.getByText("anybody reads this").first().waitFor();
      await t.message(opened, { body: "news" });
      await plain.getByText("news").first().waitFor();
      await shoot(plain, "token-refused");
      // A token that is put into the address of an open page counts as well.
      const { body: { token } } = await t.post(`/rooms/${opened}/agents`, {
        id: "zed",
        name: "Zed",
        secure: true,
      });
      await plain.evaluate(`location.hash = "token=${token}"`);
      await plain.locator("#you").getByText("zed").waitFor();
      assert.ok(!plain.url().includes("token"));
    }),
);

browserTest(
  "browser: a link with a token that is not accepted takes nothing from the tab that opens it",
  () =>
    withBrowser(async ({ t, open }) => {
      const { room, token } = await lockedRoom(t);
      const page = await open(`/?room=${room}#token=${token}`);
      await untilLive(page);
      const kept = () => page.evaluate("JSON.stringify({ ...sessionStorage })");
      const own = JSON.stringify({ [`convene.token.${room}`]: token });
      await page.goto("about:blank"); // as if another site had the tab in between, whose link is followed
      for (
        const bad of [
          "junk",
          "",
          `cvn_a_${"0".repeat(49)}`,
          token.replace(/.$/, (last) => last === "0" ? "1" : "0"),
        ]
      ) {
        await page.goto(`${t.url}/?room=${room}#token=${bad}`);
        await page.getByText("The token in the address is not accepted").waitFor();
        await page.locator("#you").getByText("ann").waitFor();
        await untilLive(page);
        assert.equal(await kept(), own, bad);
        // The address of the open page alone changes, and is loaded anew.
        await page.evaluate(`location.hash = "token=${bad}x"`);
        await page.getByText("The token in the address is not accepted").waitFor();
        await untilLive(page);
        assert.equal(await kept(), own, bad);
      }
    }),
);

browserTest(
  "browser: a token leaves an address whose path has two slashes",
  () =>
    withBrowser(async ({ t, open }) => {
      const { room, admin, token, ask } = await lockedRoom(t);
      const page = await open("/");
      await page.goto(`${t.url}//?room=${room}#token=${token}`);
      await page.locator("#you").getByText("ann").waitFor();
      await untilLive(page);
      assert.equal(page.url(), `${t.url}//?room=${room}`);
      const { code } = await ask(admin, "POST", "/invites", { role: "member", agent: "pat" });
      await page.evaluate("sessionStorage.clear()");
      await page.goto(`${t.url}//join/${code}`);
      await page.locator("#join button").click();
      await page.locator("#you").getByText("pat").waitFor();
    }),
);

browserTest(
  "browser: the page of a locked room is byte for byte that of no room",
  () =>
    withBrowser(async ({ t }) => {
      const { room } = await lockedRoom(t);
      const none = crypto.randomUUID();
      const [locked, absent] = await Promise.all([room, none].map(async (id) => {
        const { status, headers, text } = await t.request("GET", `/?room=${id}`, {
          headers: { Accept: "text/html" },
        });
        return {
          status,
          headers: [...headers].filter(([name]) => name !== "date"),
          text: text.replaceAll(id, ""),
        };
      }));
      assert.deepEqual(locked, absent);
      assert.equal(locked!.status, 404);
      assert.match(locked!.text, /entering\.js/);
    }),
);

for (const view of LOOKS) {
  browserTest(
    `browser: a person joins by a code with the keyboard, and acts under it, ${view.width} ${view.scheme}`,
    () =>
      withBrowser(async ({ t, open, shoot, complaints }) => {
        const { room, admin, ask } = await lockedRoom(t);
        const invite = (body: Json) => ask(admin, "POST", "/invites", body);
        const { code } = await invite({ role: "member", note: "</q><b>come in</b>" });
        const page = await open(`/join/${code}`, view);
        await shoot(page, `join-${view.width}-${view.scheme}`);
        await page.locator("#join [name=agent]").focus();
        await page.keyboard.type("ann");
        await page.keyboard.press("Enter");
        await page.locator("#join [role=alert]").getByText("Not joined").waitFor();
        await page.locator("#join [name=agent]").fill("pat");
        await page.locator("#join [name=agent]").focus();
        await page.keyboard.press("Tab");
        await page.keyboard.type("Pat");
        await page.keyboard.press("Enter");
        await untilLive(page);
        assert.equal(page.url(), `${t.url}/?room=${room}`);
        await page.locator("#you").getByText("pat").waitFor();
        await page.locator("#say-body").fill("hello");
        await page.keyboard.press("Enter");
        await page.locator("#messages > li", { hasText: "hello" }).locator(".verified").waitFor();
        await shoot(page, `joined-${view.width}-${view.scheme}`);
        // It is used up, and the page of such a code is plain.
        const late = await open(`/join/${code}`, view);
        await late.getByText("There is no such invitation").waitFor();
        await shoot(late, `join-none-${view.width}-${view.scheme}`);
        assert.equal(await late.getByRole("link", { name: "go to the room" }).count(), 0);
        // The tab that has joined by it finds the way back.
        await page.goto(`${t.url}/join/${code}`);
        await page.getByRole("link", { name: "go to the room" }).click();
        await page.locator("#you").getByText("pat").waitFor();
        assert.deepEqual(complaints.filter((text) => !/40[49]/.test(text)), []);
      }),
  );
}

browserTest(
  "browser: a private scope is marked as such, to its agent and admins, and is nowhere else",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const { room, admin, token, cyd, ask } = await lockedRoom(t);
      for (const [own, name] of [[cyd, "cyd"], [admin, "admin"]] as const) {
        const page = await open(`/?room=${room}#token=${own}`);
        await untilLive(page);
        const scope = page.locator("[id='scope/cyd']");
        await scope.locator("h3").getByText("private").waitFor();
        await scope.getByText("ace of spades").waitFor();
        await ask(cyd, "PUT", "/state", { scope: "cyd", key: "card", value: `queen for ${name}` });
        await scope.getByText(`queen for ${name}`).waitFor();
        await ask(cyd, "PUT", "/state", { scope: "cyd", key: "card", value: "ace of spades" });
        await shoot(page, `private-${name}`);
      }
      const other = await open(`/?room=${room}#token=${token}`);
      await untilLive(other);
      assert.equal(await other.locator("[id='scope/cyd']").count(), 0);
      assert.ok(!/ace of spades|queen|>private</.test(await other.content()));
    }),
);

browserTest(
  "browser: a view tells in words with whose eyes it is computed, first and live",
  () =>
    withBrowser(async ({ t, open, shoot }) => {
      const { room, admin, cyd, token, ask } = await lockedRoom(t);
      const define = (key: string, by: string) =>
        ask(by, "PUT", "/state", { scope: "_view", key, expr: "has(state.cyd.card)" });
      await define("dealt", cyd);
      const page = await open(`/?room=${room}#token=${token}`);
      await untilLive(page);
      const said = (key: string) => page.locator(`[id='state/_view/${key}'] .expr`);
      await said("dealt").getByText("as seen by cyd").waitFor();
      await define("late", cyd);
      await said("late").getByText("as seen by cyd").waitFor();
      await shoot(page, "view-as");
      // An admin who names no agent gives it everybody's.
      await define("late", admin);
      await said("late").getByText("as seen by").waitFor({ state: "detached" });
    }),
);
