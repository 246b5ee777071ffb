import assert from "node:assert/strict";
import { settingsOf } from "../../routes/process/settings.ts";
import { withApp } from "../support/app.ts";

const CASES: Array<[string | undefined, string[]]> = [
  ["https://source.example/convene", ["https://source.example/convene", "https://source.example/convene"]],
  [undefined, []],
  ["", []],
];

for (const [address, links] of CASES) {
  Deno.test(`SOURCE_URL ${JSON.stringify(address)} gives ${links.length} links to the source`, () =>
    withApp(async ({ request }) => {
      const page = await request("GET", "/", undefined, { accept: "text/html" });
      const found = [...(await page.text()).matchAll(/<a href="([^"]*)">Source<\/a>/g)].map(([, href]) =>
        href
      );
      assert.deepEqual(found, links);
    }, settingsOf((name) => name === "SOURCE_URL" ? address : undefined)));
}

Deno.test("SOURCE_URL stops the start where nobody could follow it, or not safely", () => {
  for (const wrong of ["nonsense", "-1", "https://", "http://source.example/", "javascript:alert(1)"]) {
    assert.throws(() => settingsOf((name) => name === "SOURCE_URL" ? wrong : undefined), {
      message: /^SOURCE_URL must be an address such as https:.*, and is "/,
    });
  }
});
