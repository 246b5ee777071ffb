import assert from "node:assert/strict";
import { invitation } from "../views/room/invitation.tsx";
import { withApp } from "./support/app.ts";

const ORIGIN = "http://[::1]:8000";
const ROOM = `it's "a" & b?c=(d)*[e]$(false)!~\`f\``;
const HTML = { headers: { accept: "text/html" } };

/**
 * The addresses that a shell hands to curl and others. What is no file's name for a pattern ends it, as in zsh; the
 * programs themselves are not run.
 */
async function addressesOf(script: string): Promise<string[]> {
  const stub = `shopt -s failglob
    told() { for word; do case $word in http*) echo "$word" >&3;; esac; done; }
    curl() { told "$@"; }; claude() { told "$@"; }; export -f told curl claude
    exec 3>&1`;
  const command = new Deno.Command("bash", { args: ["-c", `${stub}\n${script}`], stdin: "null" });
  const { stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  assert.equal(text(stderr), "", script);
  return text(stdout).split("\n").filter((line) => line.startsWith("http"));
}

function assertAt(addresses: string[], path: string): void {
  assert.ok(addresses.length > 0);
  for (const address of addresses) {
    assert.ok(address.startsWith(`${ORIGIN}${path}`), address);
    assert.ok(URL.canParse(address), address);
  }
}

Deno.test("a shell takes each address of the guide and the documents as one word", () =>
  withApp(async ({ app }) => {
    for (const path of ["/", "/SKILL.md", "/llms-full.txt", "/docs/patterns", "/docs/integrations"]) {
      const text = await (await app.request(`${ORIGIN}${path}`)).text();
      const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!);
      const inline = [...text.matchAll(/`(curl [^`\n]*)`/g)].map(([, command]) => command!);
      for (const script of [...blocks, ...inline.filter((command) => command.includes(ORIGIN))]) {
        if (script.includes(ORIGIN)) assertAt(await addressesOf(script), "/");
      }
    }
  }));

Deno.test("the guide's addresses stay bare where a shell reads nothing in them", () =>
  withApp(async ({ app }) => {
    const guide = await (await app.request("http://localhost:8000/")).text();
    assert.ok(guide.includes("curl -s http://localhost:8000/rooms -d "));
  }));

Deno.test("a shell takes each address of the pages as one word, whatever the room is called", () =>
  withApp(async ({ app, request }) => {
    const segment = encodeURIComponent(ROOM);
    const query = `room=${segment}`;
    const commands = async (path: string) => {
      const html = await (await app.request(`${ORIGIN}${path}`, HTML)).text();
      const found = [...html.matchAll(/>\s*(curl [^<\n]*)/g)].map(([, command]) => plain(command!));
      assert.ok(found.length > 0, path);
      return found;
    };
    const unknown = await commands(`/?${query}`);
    assertAt(await addressesOf(unknown.join("\n")), "/rooms");
    assert.equal((await request("POST", "/rooms", { id: ROOM })).status, 201);
    const known = [...await commands(`/?${query}&expr=state`), ...await commands("/")];
    for (const command of known) assertAt(await addressesOf(command), "/");
    const invited = invitation(ORIGIN, ROOM).split("\n").flatMap((line) => /\bcurl .*/.exec(line) ?? []);
    assert.ok(invited.length > 6);
    for (const command of invited) assertAt(await addressesOf(command), "/");
  }));

function plain(html: string): string {
  return html.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll(
    "&gt;",
    ">",
  )
    .replaceAll("&amp;", "&");
}
