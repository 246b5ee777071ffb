import assert from "node:assert/strict";
import { browserTest, untilLive, type Visit, withBrowser } from "../support/browser.ts";
import { asker } from "./asker.ts";

/** What a page without https lacks. */
const NO_HTTPS = `
  delete Crypto.prototype.randomUUID;
  Object.defineProperty(navigator, "clipboard", { value: undefined });`;
/** What browsers have had for a short time alone. */
const NO_ITERATION = "delete ReadableStream.prototype[Symbol.asyncIterator];";
/** What a person may forbid. */
const NO_STORAGE = `
  for (const name of ["getItem", "setItem", "removeItem"]) {
    Storage.prototype[name] = () => { throw new DOMException("Access is denied.", "SecurityError"); };
  }`;

/** Joins a locked room by a code, in a browser that lacks something, and says something there. */
async function joins({ t, browser, service }: Visit, lack: string): Promise<void> {
  const { body: { id: room, token: admin } } = await t.post("/rooms", { locked: true });
  const { code } = await asker(t, room)(admin, "POST", "/invites", { role: "member" });
  const page = await browser.newPage();
  await page.addInitScript(lack);
  await page.goto(`${service.url}/join/${code}`);
  await page.getByRole("button", { name: "Copy the line" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("copied").waitFor();
  assert.equal(await page.evaluate("document.activeElement.textContent"), "copied");
  await page.locator("#join [name=agent]").fill("pat");
  await page.keyboard.press("Enter");
  await untilLive(page);
  assert.equal(page.url(), `${service.url}/?room=${room}`);
  await page.locator("#say-body").fill("hello");
  await page.keyboard.press("Enter");
  await page.locator("#messages > li", { hasText: "hello" }).locator(".verified").waitFor();
  await page.close();
}

for (
  const [what, lack] of [
    ["is of a service without https", NO_HTTPS],
    ["iterates over no stream", NO_ITERATION],
    ["keeps nothing", NO_STORAGE],
  ] as const
) {
  browserTest(
    `browser: a person joins on a page that ${what}`,
    () => withBrowser((visit) => joins(visit, lack)),
  );
}
