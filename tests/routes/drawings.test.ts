import assert from "node:assert/strict";
import type { Changes } from "../../db/snapshots/changes.ts";
import { EVERYBODY } from "../../db/viewer.ts";
import { createDrawings, type Drawn } from "../../routes/pages/drawings.ts";
import type { Pieces } from "../../routes/http/outbox.ts";

const textOf = (pieces: Pieces) => pieces.map((piece) => new TextDecoder().decode(piece)).join("");

/** A page whose fragments are those of `drawn`, which a test may change. */
function openPage() {
  const drawn: Drawn[] = [];
  const page = createDrawings(() => Promise.resolve([...drawn])).open(EVERYBODY, "r");
  let revision = 0;
  const changes = (): Changes => ({
    revision: ++revision,
    state: [],
    agents: [],
    messages: [],
    reservations: [],
    more: false,
  });
  return { drawn, next: async () => textOf(await page.changed(changes())) };
}

Deno.test("a fragment is sent when it is another than before, whatever the time says", async () => {
  const { drawn, next } = openPage();
  drawn.push({ id: "a", html: "<li id=a><time>1 s</time></li>" }, { id: "b", html: "<li id=b></li>" });
  assert.match(await next(), /id=a.*\n.*id=b/);
  drawn[0] = { id: "a", html: "<li id=a><time>2 s</time></li>" };
  assert.doesNotMatch(await next(), /<li/);
  drawn[0] = { id: "a", html: "<li id=a>new</li>" };
  assert.match(await next(), /id: 3\ndata: <li id=a>new<\/li>\n/);
});

Deno.test("what is taken away is sent again when it comes back as it was", async () => {
  const { drawn, next } = openPage();
  const card = { id: "a", html: "<li id=a>ann</li>" };
  const gone = { id: "a", html: '<li id=a data-gone=""></li>', once: true };
  drawn.push(card);
  assert.match(await next(), /ann/);
  drawn[0] = gone;
  assert.match(await next(), /data-gone/);
  drawn[0] = card;
  assert.match(await next(), /ann/);
});
