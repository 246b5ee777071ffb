import assert from "node:assert/strict";
import { HtmlValidate, StaticConfigLoader } from "html-validate";
import { type TestApp, withApp } from "../support/app.ts";
import { bearer } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const validator = new HtmlValidate(
  new StaticConfigLoader({ root: true, extends: ["html-validate:standard"] }),
);

const ODD = `<i>"it's" & so on</i>`;
const NAMES = ["api", "access", "cel", "errors", "integrations", "patterns", "waits"];
const DOCUMENTS = ["/", "/guide", "/docs", ...NAMES.map((name) => `/docs/${name}`), "/llms-full.txt"];
const PIECES = [
  "messages",
  "entries?scope=_shared",
  "evaluation?expr=state",
  "evaluation?expr=stat.x",
  "evaluation",
];

/** What is wrong with a page or a piece of one, by line. */
async function faultsOf({ request }: TestApp, path: string, headers = {}): Promise<string[]> {
  const html = await (await request("GET", path, undefined, { accept: "text/html", ...headers })).text();
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) =>
    messages.map(({ line, ruleId, message }) =>
      `${path}:${line} ${ruleId}: ${message} | ${html.split("\n")[line - 1]?.slice(0, 200)}`
    )
  );
}

async function fill({ json }: TestApp, room: string): Promise<void> {
  const path = `/rooms/${encodeURIComponent(room)}`;
  const done = async (method: string, at: string, body: unknown) => {
    const reply = await json(method, `${path}${at}`, body);
    assert.ok(reply.status < 300, JSON.stringify(reply.body));
    return reply.body;
  };
  for (const id of ["ann", "bob", ODD]) await done("POST", "/agents", { id, name: id, role: ODD });
  const { id } = await done("POST", "/messages", { from: "ann", to: ODD, kind: "task", body: { text: ODD } });
  await done("POST", "/messages", { from: ODD, body: `${ODD}\n\nA long text. `.repeat(100), reply_to: id });
  await done("POST", `/messages/${id}/claim`, { agent: "bob" });
  const task = async (members: Record<string, unknown> = {}) =>
    (await done("POST", "/messages", { from: "ann", kind: "task", body: ODD, ...members })).id;
  const failed = await task({ max_attempts: 1 });
  const { fence } = await done("POST", `/messages/${failed}/claim`, { agent: ODD, ttl: 60 });
  await done("POST", `/messages/${failed}/release`, { agent: ODD, fence, error: { [ODD]: [ODD] } });
  await task({ needs: [failed] });
  const given = await task();
  await done("POST", `/messages/${given}/claim`, { agent: ODD });
  await done("POST", `/messages/${given}/fail`, { agent: ODD, error: `${ODD} `.repeat(100) });
  const open = await task();
  await task({ needs: [open, id] });
  for (const note of [ODD, { [ODD]: [ODD] }]) {
    await done("POST", "/reservations", {
      agent: ODD,
      paths: [`<i>"it's" & so`, "a/**"],
      note,
      mode: "shared",
    });
  }
  await done("PUT", "/state", { key: `${ODD} ends`, value: 1, ttl: 60 });
  const over = await task();
  await done("POST", `/messages/${over}/claim`, { agent: ODD });
  await done("POST", `/messages/${over}/complete`, { agent: ODD, result: ODD });
  await done("PUT", "/state", { key: ODD, value: { list: [1, ODD, null, { deep: true }] }, agent: "ann" });
  await done("PUT", "/state", { scope: ODD, key: "k", value: ODD.repeat(500) });
  await done("PUT", "/state", { scope: "_view", key: "good", expr: "1 + 1" });
  await done("PUT", "/state", { scope: "_view", key: "bad", expr: "state._shared.none" });
}

/** Shows bob as waiting until `end` is called. */
async function waiting({ json, services }: TestApp, room: string) {
  const path = `/rooms/${encodeURIComponent(room)}`;
  const condition = `state._shared.phase == "go" && messages.count > 9 || has(state["${"a".repeat(40)}"].x)`;
  const wait = json("POST", `${path}/wait`, { agent: "bob", condition });
  await until(() => json("GET", `${path}/agents/bob`), ({ body }) => body.status === "waiting");
  return {
    async end() {
      await services.watch.drain();
      assert.equal((await wait).body.triggered, false);
    },
  };
}

Deno.test("every page is valid HTML, and says what it is about", () =>
  withApp(async (app) => {
    const full = `full ${ODD}`;
    for (const id of [full, "empty"]) await app.json("POST", "/rooms", { id });
    await fill(app, full);
    const { end } = await waiting(app, full);
    const room = `/?room=${encodeURIComponent(full)}`;
    const pages = [
      ...DOCUMENTS,
      room,
      `${room}&expr=state&agent=ann`,
      `${room}&expr=stat.x`,
      "/?room=empty",
      "/?room=none",
      ...PIECES.map((piece) => `/rooms/${encodeURIComponent(full)}/live/${piece}`),
    ];
    const faults: string[] = [];
    for (const path of pages) faults.push(...await faultsOf(app, path));
    assert.deepEqual(faults, []);
    const [described, titled] = [new Set<string>(), new Set<string>()];
    for (const path of pages.slice(0, -PIECES.length)) {
      const html = await (await app.request("GET", path, undefined, { accept: "text/html" })).text();
      const [description] = /<meta name="description" content="[^"]{20,300}"\/>/.exec(html) ?? [];
      assert.ok(description, `${path} has no description`);
      described.add(description);
      titled.add(/<title>([^<]+)<\/title>/.exec(html)![1]!);
    }
    assert.ok(described.size >= DOCUMENTS.length + 3);
    assert.ok(titled.size >= DOCUMENTS.length + 3, [...titled].join(", "));
    await end();
  }));

Deno.test("pages under a token, and those of codes, are valid HTML", () =>
  withApp(async (app) => {
    const { body: { token: admin } } = await app.json("POST", "/rooms", { id: ODD, locked: true });
    const room = `/rooms/${encodeURIComponent(ODD)}`;
    const made = async (path: string, body: object) => {
      const reply = await app.request("POST", room + path, body, bearer(admin));
      assert.equal(reply.status, 201);
      return await reply.json();
    };
    const { token: ann } = await made("/agents", { id: ODD, name: ODD, secure: true, private: true });
    const { token: reader } = await made("/tokens", { role: "reader", note: ODD });
    const codes = [
      await made("/invites", { role: "member", note: ODD, uses: 2 }),
      await made("/invites", { role: "reader", agent: `${ODD} 2` }),
    ];
    const faults: string[] = [];
    for (const token of [admin, ann, reader]) {
      faults.push(...await faultsOf(app, `/?room=${encodeURIComponent(ODD)}`, bearer(token)));
    }
    for (const code of ["none", ...codes.map(({ code }) => code)]) {
      faults.push(...await faultsOf(app, `/join/${code}`));
    }
    assert.deepEqual(faults, []);
  }));
