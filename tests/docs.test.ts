import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { ERRORS } from "../errors.ts";
import { LIMITS } from "../routes/http/limits.ts";
import { createPages } from "../routes/pages/pages.ts";
import { withApp } from "./support/app.ts";
import { assertValid, document, validatorOf } from "./support/documented.ts";

const HTML = "text/html,*/*;q=0.8";
const TEXTS = [
  "/",
  "/README.md",
  "/help",
  "/docs",
  "/api",
  "/llms.txt",
  "/llms-full.txt",
  "/docs/api",
  "/docs/errors",
  "/docs/cel",
  "/docs/waits",
  "/docs/patterns",
  "/docs/access",
  "/docs/integrations",
];

Deno.test("the document is OpenAPI 3.1, and what is served is that document", () =>
  withApp(async ({ json }) => {
    const { status, body } = await json("GET", "/openapi.json");
    assert.equal(status, 200);
    const result = await new Validator().validate(structuredClone(body));
    assert.ok(result.valid, JSON.stringify(result.errors));
    assert.deepEqual(body.paths, JSON.parse(JSON.stringify(document.paths)));
  }));

Deno.test("every path of the API is in the document", () =>
  withApp(({ app, services }) => {
    const pages = createPages(services, app);
    const ours = /^\/(docs|llms|assets|readme|help|api|skill|guide|openapi|robots|favicon|\*|mcp)|\/live/i;
    const served = new Set(
      [...app.routes, ...pages.routes].filter(({ method, path }) =>
        method !== "ALL" && method !== "OPTIONS" && !ours.test(path)
      )
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    );
    const known = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
    );
    assert.deepEqual([...served].sort(), known.sort());
    return Promise.resolve();
  }));

Deno.test("the page of operations names each member of their bodies, with its type and whether it is required", () =>
  withApp(async ({ request }) => {
    const page = await (await request("GET", "/docs/api")).text();
    const sections = new Map(
      page.split(/^## /m).slice(1).map((text) => [text.split("\n")[0], text]),
    );
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        const { content } = (requestBody ?? {}) as { content?: Record<string, { schema: { $ref: string } }> };
        const name = content?.["application/json"]?.schema.$ref.split("/").at(-1);
        const { properties = {} } = (name ? document.components.schemas[name]! : {}) as {
          properties?: object;
        };
        const section = sections.get(`${method.toUpperCase()} ${path}`)!;
        for (const member of Object.keys(properties)) {
          assert.match(
            section,
            new RegExp(`^- \`${member}\` \\([\\w" ]+(, required)?\\)`, "m"),
            `${path} ${member}`,
          );
        }
      }
    }
    const put = sections.get("PUT /rooms/{room}/state")!;
    for (
      const line of [
        "- `key` (string, required): ",
        "- `increment` (false or true or number): ",
        "- `merge` (object): ",
        "- `unset` (array): ",
        "- `value` (any JSON): ",
      ]
    ) assert.ok(put.includes(`\n${line}`), line);
    assert.match(
      sections.get("PUT /rooms/{room}/state/batch")!,
      /\n- `writes` \(array, required\)\n {2}- `scope`/,
    );
    assert.match(
      sections.get("POST /rooms/{room}/messages/claim")!,
      /`ttl` \(integer\): .*; `300` unless said\n/,
    );
  }));

Deno.test("every example fits its schema", () => {
  let examples = 0;
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { requestBody, responses }] of Object.entries(methods)) {
      const parts = { requestBody, ...Object.fromEntries(Object.entries(responses)) };
      for (const [part, value] of Object.entries(parts)) {
        const media = (value as { content?: Record<string, { example?: unknown }> })?.content
          ?.["application/json"];
        if (media?.example === undefined) continue;
        const place = part === "requestBody" ? [part] : ["responses", part];
        const schema = validatorOf([
          "paths",
          path,
          method,
          ...place,
          "content",
          "application/json",
          "schema",
        ]);
        assertValid(schema, media.example, `${method} ${path} ${part}`);
        examples++;
      }
    }
  }
  assert.ok(examples > 25, `${examples} examples`);
});

Deno.test("documents are where agents look, as Markdown, and as pages to browsers", () =>
  withApp(async ({ app }) => {
    for (const path of TEXTS) {
      const text = await app.request(path);
      assert.equal(text.status, 200, path);
      assert.match(text.headers.get("content-type")!, /^text\/markdown/, path);
      assert.match(text.headers.get("vary")!, /accept/i);
      const markdown = await text.text();
      assert.match(markdown, /^# /, path);
      assert.doesNotMatch(markdown, /\$CONVENE|\$limits|undefined/, path);
      const page = await app.request(path, { headers: { accept: HTML } });
      assert.match(page.headers.get("content-type")!, /^text\/html/, path);
      assert.doesNotMatch(page.headers.get("content-security-policy")!, /unsafe/);
      assert.doesNotMatch(await page.text(), /<script(?![^>]*\bsrc=)|\sstyle=/, path);
    }
  }));

/** Numbers in words for people: 1,000 and 1000 are the same. */
const numbersOf = (text: string) =>
  text.replaceAll(/(\d),(?=\d{3})/g, "$1").match(/\d+(?:\.\d+)?/g)?.map(Number) ?? [];

Deno.test("the numbers of the README are those of the limits", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const defaults = new Map<string, number[]>();
  for (const [, names, value] of readme.matchAll(/^\| (`[^|]*?) +\|[^|]*\| ([^|]*?) +\|$/gm)) {
    defaults.set(names!, numbersOf(value!));
  }
  const { pollMs, callerPerSecond, roomPerSecond, waitsOfCaller, waitsOfRoom, streamsOfCaller } = LIMITS;
  assert.deepEqual(defaults.get("`WAIT_POLL_MS`"), [pollMs]);
  assert.deepEqual(defaults.get("`RATE_LIMIT`"), [callerPerSecond]);
  assert.deepEqual(defaults.get("`ROOM_RATE_LIMIT`"), [roomPerSecond]);
  assert.deepEqual(defaults.get("`WAITS_PER_CALLER`, `WAITS_PER_ROOM`, `STREAMS_PER_CALLER`"), [
    waitsOfCaller,
    waitsOfRoom,
    streamsOfCaller,
  ]);
  assert.equal(LIMITS.burstSeconds, 10);
  assert.match(readme, /ten seconds' worth at once/);
  assert.match(readme, new RegExp(`stays open, for ${LIMITS.waitMs / 1_000} seconds at most`));
  assert.match(readme, new RegExp(`takes effect once in ${LIMITS.idempotencyMs / 3_600_000} hours`));
});

Deno.test("no limit stands as a number in the guide's source, or in the pages beside it", async () => {
  const large = Object.values(LIMITS).flatMap((limit) => [limit, limit / 1_000, limit / 1_024]).filter((n) =>
    n >= 20 && ![60, 200].includes(n) && Number.isInteger(n) // `alive` takes 60 s, and 200 is a status there
  );
  for (
    const file of [
      "guide.md",
      "docs/cel.md",
      "docs/waits.md",
      "docs/patterns.md",
      "docs/access.md",
      "docs/integrations.md",
    ]
  ) {
    const text = await Deno.readTextFile(new URL(`../views/${file}`, import.meta.url));
    for (const [, name] of text.matchAll(/\$limits\.(\w+)/g)) assert.ok(name! in LIMITS, `${file}: ${name}`);
    const prose = text.replaceAll(/```.*?```|`[^`]*`|\$limits\S*|^\|.*\|$/gms, "");
    const typed = numbersOf(prose).filter((n) => large.includes(n));
    assert.deepEqual(typed, [], file);
  }
});

Deno.test("what a document links to on this server is there", () =>
  withApp(async ({ app }) => {
    const links = new Set<string>();
    for (const path of TEXTS) {
      const text = await (await app.request(path)).text();
      for (const [, link] of text.matchAll(/\]\((?:http:\/\/localhost)?(\/[^)#]*)/g)) links.add(link!);
    }
    assert.ok(links.size >= 4, `${[...links]}`);
    for (const link of links) assert.equal((await app.request(link)).status, 200, link);
  }));

Deno.test("every error code is explained at the anchor that its answers name", () =>
  withApp(async ({ app, json }) => {
    const page = await (await app.request("/docs/errors", { headers: { accept: HTML } })).text();
    for (const code of Object.keys(ERRORS)) assert.ok(page.includes(`<h2 id="${code}">`), code);
    const { body } = await json("GET", "/rooms/none");
    assert.equal(body.docs, "/docs/errors#room_not_found");
  }));

Deno.test("the skill has its front matter and fits in 5,000 tokens", () =>
  withApp(async ({ app }) => {
    const skill = await (await app.request("/SKILL.md")).text();
    const [, matter, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(skill)!;
    assert.match(matter!, /^name: convene\ndescription: .{50,1024}$/);
    // Three characters a token is less than tokenizers need for such text.
    assert.ok(body!.length / 3 < 5_000, `${body!.length} characters`);
  }));
