import assert from "node:assert/strict";
import { browserTest, untilLive, withBrowser } from "../support/browser.ts";
import type { Reply } from "../support/client.ts";

/** Texts that would run, or break out of where they stand, if a view let them. */
const NASTY = [
  `<script>top.broken=1</script>`,
  `"><img src=x onerror="top.broken=2">`,
  `' onmouseover='top.broken=3' x='`,
  `</title></style></textarea></pre></svg><script>top.broken=4</script>`,
  `<svg onload=top.broken=5><a href="javascript:top.broken=6">`,
  `javascript:top.broken=7`,
  `{{constructor}}\${7*7}<%= 7 %>]]>--><!--`,
];
const nasty = NASTY.join(" ");

browserTest(
  "nothing that agents write is more than text, at first and live",
  () =>
    withBrowser(async ({ t, open, shoot, complaints }) => {
      const cut = nasty.slice(0, 120);
      const room = `${crypto.randomUUID()}${cut.slice(0, 80)}`;
      const path = `/rooms/${encodeURIComponent(room)}`;
      const post = async (method: string, to: string, body: unknown) => {
        const reply = await t.request(method, path + to, { body });
        assert.ok(reply.status < 300, `${to}: ${reply.text}`);
        return reply.body;
      };
      const write = async () => {
        for (const [n, text] of NASTY.entries()) {
          const id = text.slice(0, 120);
          await post("POST", "/agents", {
            id,
            name: nasty.slice(0, 250),
            role: nasty.slice(0, 250),
            meta: { [nasty]: nasty },
          });
          const { id: first } = await post("POST", "/messages", {
            from: id,
            to: cut,
            kind: cut,
            body: nasty,
          });
          await post("POST", "/messages", {
            from: id,
            kind: id,
            body: { [nasty]: [nasty, n] },
            reply_to: first,
          });
          await post("POST", `/messages/${first}/claim`, { agent: id });
          await post("POST", `/messages/${first}/fail`, {
            agent: id,
            error: n % 2 ? nasty : { [nasty]: nasty },
          });
          await post("POST", "/messages", { from: id, kind: id, body: nasty, needs: [first] });
          const { id: held } = await post("POST", "/messages", { from: id, kind: id, body: nasty });
          await post("POST", `/messages/${held}/claim`, { agent: id, ttl: 300 });
          await post("POST", "/reservations", {
            agent: id,
            paths: [`${n}/<b onclick=top.broken=8>"'&lt;`],
            note: n % 2 ? nasty : { [nasty]: nasty },
          });
          await post("PUT", "/state", { key: `${n} ends`, value: nasty, agent: id, ttl: 3_600 });
          await post("PUT", "/state", { scope: id, key: nasty.slice(0, 250), value: nasty, agent: id });
          await post("PUT", "/state", { key: id, value: { [nasty]: nasty }, agent: cut });
          await post("PUT", "/state", { scope: "_view", key: id, expr: JSON.stringify(nasty) });
          await post("PUT", "/state", {
            scope: "_view",
            key: `${n} fails`,
            expr: `state._shared[${JSON.stringify(text)}].x`,
          });
          const condition = `state._shared[${JSON.stringify(`no ${text}`)}] == 1 && agents[${
            JSON.stringify(id)
          }].name == 'x'`;
          waits.push(t.post(`${path}/wait`, { agent: id, condition, timeout: 25_000 }));
        }
      };
      const waits: Promise<Reply>[] = [];
      assert.equal((await t.post("/rooms", { id: room, meta: { [nasty]: nasty } })).status, 201);

      const live = await open(`/?room=${encodeURIComponent(room)}`);
      await untilLive(live);
      await write();
      await live.locator(".message").nth(13).waitFor();
      await live.locator(".condition").nth(6).waitFor({ state: "attached" });
      const still = await open(
        `/?room=${encodeURIComponent(room)}&expr=${encodeURIComponent(JSON.stringify(nasty))}&agent=${
          encodeURIComponent(nasty)
        }`,
      );
      const unknown = await open(`/?room=${encodeURIComponent(nasty)}`);
      for (const page of [live, still, unknown]) {
        await page.evaluate(
          "for (const details of document.querySelectorAll('details')) details.open = true",
        );
        assert.equal(await page.evaluate("window.broken"), undefined);
        assert.equal(
          await page.locator("img, iframe, [onerror], [onload], [onmouseover], [onclick], [style]").count(),
          0,
        );
        assert.equal(await page.locator("a[href^='javascript:' i]").count(), 0);
        assert.deepEqual(
          await page.locator("script").evaluateAll((scripts) => scripts.map((script) => script.textContent)),
          [""],
        );
      }
      await live.locator("#console-form [name=expr]").fill(`${JSON.stringify(nasty)} + 1`);
      await live.locator("#console-form button").click();
      await live.locator("#evaluation .error").waitFor();
      assert.equal(await live.evaluate("window.broken"), undefined);
      await shoot(live, "hostile");
      assert.deepEqual(complaints.filter((complaint) => !complaint.includes("404")), []);
      for (const text of NASTY) {
        await post("PUT", "/state", { key: `no ${text}`, value: 1 });
        await post("POST", "/agents", { id: text.slice(0, 120), name: "x" });
      }
      for (const { body } of await Promise.all(waits)) assert.equal(body.triggered, true);
    }),
);

browserTest(
  "pages allow no script and no style but ours, and no room is kept by a cache",
  () =>
    withBrowser(async ({ t, open }) => {
      const room = await t.room();
      for (const path of ["/", `/?room=${room}`, "/?room=none", "/guide"]) {
        const { headers } = await t.request("GET", path, { headers: { accept: "text/html" } });
        const policy = headers.get("content-security-policy")!;
        assert.match(policy, /default-src 'none'/);
        assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
        assert.match(headers.get("cache-control")!, path.includes("room") ? /^no-store$/ : /max-age=300$/);
      }
      const page = await open(`/?room=${room}`);
      const hosts = new Set<string>();
      page.on("request", (request) => hosts.add(new URL(request.url()).host));
      await page.reload();
      await untilLive(page);
      assert.deepEqual([...hosts], [new URL(t.url).host]);
      const script = await page.locator("script").getAttribute("src");
      const kept = await t.get(script!);
      assert.match(kept.headers.get("cache-control")!, /immutable/);
      const other = await t.get(script!.replace(/assets\/\w+/, "assets/000000000000"));
      assert.deepEqual([other.status, other.headers.get("cache-control")], [200, "no-store"]);
      assert.equal((await t.get("/assets/x/../main.ts")).status, 404);
      assert.equal((await t.get("/assets/x/constructor")).status, 404);
    }),
);
