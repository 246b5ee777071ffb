import assert from "node:assert/strict";
import { PLACES } from "../../views/panels/panel.ts";
import { PANELS, TABS } from "../../views/panels/panels.ts";
import style from "../../views/room/room.css" with { type: "text" };
import { withApp } from "../support/app.ts";

const isOnce = (names: string[]) => assert.equal(new Set(names).size, names.length, String(names));

Deno.test("panels share no id and no name of a script, and each has a tab", () => {
  isOnce(PANELS.map(({ id }) => id));
  isOnce(PANELS.flatMap(({ scripts = {} }) => Object.keys(scripts)));
  assert.deepEqual(new Set(TABS), new Set(PANELS));
});

Deno.test("each place has a panel, and every arrangement of the page has each place", () => {
  assert.deepEqual(new Set(PANELS.map(({ place }) => place)), new Set(PLACES));
  const arrangements = [...style.matchAll(/grid-template-areas: (.*);/g)].map(([, areas]) =>
    areas!.match(/\w+/g)
  );
  assert.equal(arrangements.length, 2);
  for (const areas of arrangements) assert.deepEqual(new Set(areas), new Set(PLACES));
});

Deno.test("a panel's section, style and scripts are served with the page", () =>
  withApp(async ({ request, json }) => {
    await json("POST", "/rooms", { id: "r" });
    const text = async (path: string) =>
      await (await request("GET", path, undefined, { accept: "text/html" })).text();
    const html = await text("/?room=r");
    const [, assets] = /href="(\/assets\/\w+)\/page.css"/.exec(html)!;
    const [style, room] = [await text(`${assets}/page.css`), await text(`${assets}/room.js`)];
    for (const panel of PANELS) {
      assert.ok(html.includes(`<section id="${panel.id}"`), panel.id);
      assert.ok(html.includes(`<a href="#${panel.id}" data-tab="${panel.id}">${panel.name}</a>`), panel.name);
      assert.ok(style.includes(panel.style), panel.id);
      for (const [name, source] of Object.entries(panel.scripts ?? {})) {
        assert.ok(room.includes(`import "./${name}.js";`), name);
        const served = await text(`${assets}/${name}.js`);
        assert.equal(served.split("\n").length, source.split("\n").length, name);
      }
    }
  }));
