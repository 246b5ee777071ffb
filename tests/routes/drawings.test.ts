import assert from "node:assert/strict";
import { raw } from "hono/html";
import type { Changes } from "../../db/snapshots/changes.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import type { Fragment } from "../../views/panels/panel.ts";
import { createDrawings } from "../../routes/pages/drawings.ts";
import type { Pieces } from "../../routes/http/outbox.ts";

const textOf = (pieces: Pieces) => pieces.map((piece) => new TextDecoder().decode(piece)).join("");

const fragment = (id: string, html: string, more: Partial<Fragment> = {}): Fragment => ({
  id,
  draw: () => raw(html) as ReturnType<Fragment["draw"]>,
  ...more,
});

/** A room whose fragments are those of `drawn`, which a test may change. */
function room() {
  const drawn: Fragment[] = [];
  const drawings = createDrawings(() => Promise.resolve([...drawn]));
  let revision = 0;
  const changes = (): Changes => ({
    revision: ++revision,
    state: [],
    agents: [],
    messages: [],
    reservations: [],
    more: false,
  });
  const open = () => drawings.open(EVERYBODY, "r");
  const page = open();
  return { drawn, open, changes, next: async () => textOf(await page.changed(changes())) };
}

Deno.test("a fragment is sent when it is another than before, whatever the time says", async () => {
  const { drawn, next } = room();
  drawn.push(fragment("a", "<li id=a><time>1 s</time></li>"), fragment("b", "<li id=b></li>"));
  assert.match(await next(), /id=a.*\n.*id=b/);
  drawn[0] = fragment("a", "<li id=a><time>2 s</time></li>");
  assert.doesNotMatch(await next(), /<li/);
  drawn[0] = fragment("a", "<li id=a>new</li>");
  assert.match(await next(), /id: 3\ndata: <li id=a>new<\/li>\n/);
});

Deno.test("what is taken away is sent again when it comes back as it was", async () => {
  const { drawn, next } = room();
  const card = fragment("a", "<li id=a>ann</li>");
  drawn.push(card);
  assert.match(await next(), /ann/);
  drawn[0] = fragment("a", '<li id=a data-gone=""></li>', { once: true });
  assert.match(await next(), /data-gone/);
  drawn[0] = card;
  assert.match(await next(), /ann/);
});

Deno.test("a page gets a whole once, then its parts that are new, and which are there no more", async () => {
  const { drawn, next, open, changes } = room();
  const whole = (...names: string[]) => {
    const parts = names.map((name) => fragment(name[0]!, `<i>${name}</i>`, { mark: name }));
    drawn[0] = fragment("whole", `<b>${names}</b>`, { parts });
  };
  whole("a1", "b1");
  assert.match(await next(), /data: <b>a1,b1<\/b>\n\n$/);
  whole("a1", "b2", "c1");
  assert.match(await next(), /data: <i>b2<\/i>\ndata: <i>c1<\/i>\n\n$/);
  const other = open();
  const both = changes();
  whole("a1", "c1");
  assert.match(textOf(await other.changed(both)), /data: <b>a1,c1<\/b>\n\n$/, "a page that comes later");
  assert.match(await next(), /data: <li id="b" data-gone=""><\/li>\n\n$/);
  drawn[0] = fragment("whole", "<p>empty</p>");
  assert.match(await next(), /empty/);
  whole("a1");
  assert.match(await next(), /data: <b>a1<\/b>\n\n$/);
  drawn[0] = fragment("whole", "<p>empty</p>");
  assert.match(await next(), /empty/, "it is empty once more");
});

Deno.test("what is marked as drawn already is not drawn again", async () => {
  const { drawn, next } = room();
  let times = 0;
  const draw = () => (times++, raw("<i></i>")) as ReturnType<Fragment["draw"]>;
  drawn.push({ id: "whole", draw: fragment("", "").draw, parts: [{ id: "a", mark: "1", draw }] });
  for (let n = 0; n < 3; n++) await next();
  assert.equal(times, 1);
});
