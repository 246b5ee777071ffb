import assert from "node:assert/strict";
import type { Page } from "npm:playwright-core@1.64.1";
import { browserTest, untilLive, type Visit, withOwnBrowser } from "../support/browser.ts";

/** A name that its owner binds to this machine, as a page that attacks it does. */
const EVIL = ["--host-resolver-rules=MAP evil.example 127.0.0.1"];
/** A name in a network of one's own: over plain HTTP, browsers send it no Sec-Fetch-*. */
const NEAR = "nas.lan";
const EVIL_AND_NEAR = [`${EVIL[0]}, MAP ${NEAR} 127.0.0.1`];

/** Runs a test with a page on this machine that another server serves, under a name. */
async function withPageAt(name: string, visit: Visit, test: (page: Page) => Promise<void>): Promise<void> {
  const link = `${visit.service.url}/?room=lobby`;
  const html = `<!doctype html><title>Another page</title><a href="${link}">the room</a>`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(html, { headers: { "Content-Type": "text/html" } }),
  );
  const page = await visit.browser.newPage();
  try {
    await page.goto(`http://${name}:${server.addr.port}/`);
    await test(page);
  } finally {
    await page.close();
    await server.shutdown();
  }
}

interface Call {
  url: string;
  method?: string;
  type?: string;
  body?: object;
  mode?: "cors" | "no-cors";
}

/** What the page's script gets: status and text, or the name of the error. */
function call(
  page: Page,
  { url, method = "GET", type, body, mode }: Call,
): Promise<[number, string] | string> {
  const headers: Record<string, string> = type ? { "Content-Type": type } : {};
  return page.evaluate(async ({ url, ...init }) => {
    try {
      const response = await fetch(url, init);
      return [response.status, await response.text()] as [number, string];
    } catch (error) {
      return (error as Error).name;
    }
  }, {
    url,
    method,
    mode,
    headers,
    body: body && JSON.stringify(body),
  });
}

const HELLO = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "join", arguments: { room: "lobby", agent: "planted" } },
};

browserTest(
  "browser: a page of another origin plants nothing, and learns how to be let in",
  () =>
    withOwnBrowser(async (visit) => {
      const { t, service: { url } } = visit;
      await t.post("/rooms", { id: "lobby" });
      await withPageAt("evil.example", visit, async (page) => {
        const body = { body: "planted" };
        const messages = `${url}/rooms/lobby/messages`;
        const [status, text] = await call(page, { url: messages, method: "POST", type: "text/plain", body });
        assert.equal(status, 403);
        assert.match(String(text), /ALLOWED_ORIGINS/);
        assert.equal((await call(page, { url: `${url}/rooms` }))[0], 403);
        // What asks beforehand, or cannot read, gets no further.
        assert.equal(
          await call(page, { url: messages, method: "POST", type: "application/json", body }),
          "TypeError",
        );
        await call(page, { url: messages, method: "POST", type: "text/plain", body, mode: "no-cors" });
        assert.equal(
          await call(page, { url: `${url}/mcp`, method: "POST", type: "application/json", body: HELLO }),
          "TypeError",
        );
        assert.deepEqual((await t.get("/rooms/lobby/messages")).body, []);
        assert.deepEqual((await t.get("/rooms/lobby/agents")).body, []);

        await page.click("a");
        await page.waitForURL(`${url}/?room=lobby`);
        assert.match(await page.title(), /lobby/);
      });
    }, EVIL),
);

/** More wrong codes than count before the next is refused. */
const CODES = 12;
const inAdvance = (url: string) =>
  `<script type="speculationrules">{"prefetch":[{"urls":["${url}"],"eagerness":"immediate"}]}</script>`;
/** What a page embeds, or has loaded in advance. Of images, the browser tells no status. */
const EMBEDDED: Record<string, (url: string) => string> = {
  "a frame": (url) => `<iframe src="${url}"></iframe>`,
  "an object": (url) => `<object data="${url}"></object>`,
  "a page that is loaded in advance": inAdvance,
};

browserTest(
  "browser: what a page of another origin embeds uses up no codes, and sets no agent waiting",
  () =>
    withOwnBrowser(async (visit) => {
      const { t, service: { url } } = visit;
      await t.post("/rooms", { id: "lobby" });
      await t.agent("lobby", "ann");
      const codes = Array.from({ length: CODES }, (_, n) => `${url}/join/AAAAA-AAAA${"ABCDEFGHJKMN"[n]}`);
      const wait = inAdvance(`${url}/rooms/lobby/wait?agent=ann&condition=false&timeout=0`);
      for (const [what, of] of Object.entries(EMBEDDED)) {
        await withPageAt("evil.example", visit, async (page) => {
          const asked = new Map<string, number>();
          const { promise: all, resolve } = Promise.withResolvers<void>();
          page.context().on("response", (response) => {
            if (/\/(join|wait)\b/.test(response.url())) asked.set(response.url(), response.status());
            if (asked.size > CODES) resolve();
          });
          const html = JSON.stringify(codes.map(of).join("") + wait);
          await page.evaluate(
            `document.body.append(document.createRange().createContextualFragment(${html}))`,
          );
          await all;
          assert.deepEqual([...new Set(asked.values())], [403], what);
        });
      }
      assert.equal((await t.get("/join/AAAAA-AAAAA")).status, 404, "no code is counted");
      assert.equal((await t.get("/rooms/lobby/agents/ann")).body.status, "active");
    }, EVIL),
);

browserTest(
  "browser: images of another origin set no agent waiting over plain HTTP, and use up no codes",
  () =>
    withOwnBrowser(async (visit) => {
      const { t, service, browser } = visit;
      const { port } = new URL(service.url);
      const url = `http://${NEAR}:${port}`;
      await t.post("/rooms", { id: "lobby" });
      await t.agent("lobby", "ann");
      const before = (await t.get("/rooms/lobby/agents/ann")).body;
      const targets = [
        `${url}/rooms/lobby/wait?agent=ann&condition=false&timeout=0`,
        ...Array.from({ length: CODES }, (_, n) => `${url}/join/AAAAA-AAAA${"ABCDEFGHJKMN"[n]}`),
      ];
      for (const policy of ["no-referrer", "unsafe-url"]) {
        await withPageAt("evil.example", visit, async (page) => {
          const asked = JSON.stringify(targets);
          await page.evaluate(`Promise.all(${asked}.map((target) => {
            const image = Object.assign(new Image(), { referrerPolicy: "${policy}" });
            return new Promise((resolve) => {
              image.onload = image.onerror = resolve;
              image.src = target;
            });
          }))`);
        });
      }
      assert.deepEqual({ ...(await t.get("/rooms/lobby/agents/ann")).body, alive: true }, {
        ...before,
        alive: true,
      });
      assert.equal((await t.get("/join/AAAAA-AAAAA")).status, 404, "no code is counted");
      // A person opens the room, and a code, under this address as under any.
      const page = await browser.newPage();
      await page.goto(`${url}/?room=lobby`);
      await untilLive(page);
      const { body: { code } } = await t.post("/rooms/lobby/invites", { role: "member" });
      await page.goto(`${url}/join/${code}`);
      await page.locator("#join [name=agent]").fill("pat");
      await page.keyboard.press("Enter");
      await page.locator("#you").getByText("pat").waitFor();
    }, EVIL_AND_NEAR),
);

browserTest(
  "browser: a page that opens a room in a window has no hold on it",
  () =>
    withOwnBrowser(async (visit) => {
      const { t, service: { url } } = visit;
      await t.post("/rooms", { id: "lobby" });
      await withPageAt("evil.example", visit, async (page) => {
        const opening = page.waitForEvent("popup");
        await page.evaluate(`{ globalThis.opened = open("${url}/?room=lobby"); }`);
        const popup = await opening;
        await untilLive(popup);
        assert.equal(await popup.evaluate("opener"), null);
        assert.equal(await page.evaluate("opened.closed"), true, "it is as if it were closed");
      });
    }, EVIL),
);

browserTest(
  "browser: a name that was bound anew to this machine is refused",
  () =>
    withOwnBrowser(async ({ t, service: { url }, browser }) => {
      await t.post("/rooms", { id: "lobby" });
      const page = await browser.newPage();
      const bound = `http://evil.example:${new URL(url).port}`;
      const response = await page.goto(`${bound}/`);
      assert.equal(response!.status(), 403);
      const read = await call(page, { url: "/rooms" });
      assert.equal(read[0], 403);
      assert.doesNotMatch(String(read[1]), /lobby/);
      const join = await call(page, { url: "/mcp", method: "POST", type: "application/json", body: HELLO });
      assert.equal(join[0], 403);
      assert.deepEqual((await t.get("/rooms/lobby/agents")).body, []);
    }, EVIL),
);

browserTest(
  "browser: a page on this machine calls the API and MCP, as MCP's Inspector does",
  () =>
    withOwnBrowser(async (visit) => {
      const { t, service: { url } } = visit;
      await t.post("/rooms", { id: "lobby" });
      const byName = url.replace("127.0.0.1", "localhost");
      for (const address of [url, byName]) {
        await withPageAt("localhost", visit, async (page) => {
          const key = { key: "k", value: 1 };
          const json = { method: "PUT", type: "application/json" };
          assert.equal(
            (await call(page, { url: `${address}/rooms/lobby/state`, ...json, body: key }))[0],
            200,
          );
          const [status, text] = await page.evaluate(async ({ address, body }) => {
            const headers = {
              "Content-Type": "application/json",
              Accept: "application/json, text/event-stream",
              "MCP-Protocol-Version": "2025-06-18",
            };
            const response = await fetch(`${address}/mcp`, { method: "POST", headers, body });
            return [response.status, await response.text()] as const;
          }, { address, body: JSON.stringify(HELLO) });
          assert.equal(status, 200, text);
          assert.match(text, /planted/);
        });
      }
      assert.equal((await t.get("/rooms/lobby/agents")).body.length, 1);
    }),
);
