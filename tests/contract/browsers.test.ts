import assert from "node:assert/strict";
import { contract, Subject } from "../support/backends.ts";
import type { Reply } from "../support/client.ts";
import { DATABASES } from "../support/databases.ts";
import { startHere } from "../support/here.ts";
import { send } from "../support/raw.ts";
import { assertError, assertStatus } from "../support/shapes.ts";

const FOREIGN = [
  "https://evil.example",
  "http://evil.example:8000",
  "http://localhost.evil.example",
  "http://evil.example.",
  "http://93.184.216.34",
  "http://10.0.0.1:8000",
  "http://[fd00::1]",
  "http://user@localhost",
  "http://localhost, http://localhost",
  "http://localhost http://evil.example",
  "chrome-extension://abcdefghijklmnop",
  "moz-extension://localhost",
  "vscode-webview://localhost",
  "tauri://localhost",
  "file://",
  "null",
  "localhost",
  "*",
  "",
];
const OWN = [
  "http://localhost:6274",
  "https://localhost",
  "http://LOCALHOST:3000",
  "http://app.localhost:3000",
  "http://127.0.0.1:6274",
  "http://127.9.9.9",
  "http://[::1]:6274",
  "http://devbox:3000",
  "http://printer.local",
  "http://a.b.internal",
  "http://nas.lan:8080",
  "http://nas.home.arpa",
];
const FOREIGN_HOSTS = [
  "evil.example",
  "localhost.evil.example:8000",
  "evil.example.",
  "devbox.",
  "local.example",
];
const OWN_HOSTS = [
  "devbox",
  "LOCALHOST:80",
  "localhost.",
  "x.localhost",
  "x.local",
  "nas.lan",
  "8.8.8.8",
  "[2001:db8::1]",
];

/** Requests of every kind, with the status where they are let in. */
const requests = (room: string): Array<[method: string, path: string, body: unknown, status: number]> => [
  ["GET", "/rooms", undefined, 200],
  ["GET", `/rooms/${room}/messages`, undefined, 200],
  ["POST", `/rooms/${room}/messages`, { body: "planted" }, 201],
  ["PUT", `/rooms/${room}/state`, { key: "planted", value: 1 }, 200],
  ["GET", `/?room=${room}`, undefined, 200],
  ["GET", "/openapi.json", undefined, 200],
  ["GET", "/nothing", undefined, 404],
];

const asking = (method: string) => ({
  "access-control-request-method": method,
  "access-control-request-headers": "content-type",
});

/** Says what to set, and may be read: who wrote the page learns of it. */
function assertForbidden(reply: Reply): void {
  assertError(reply, 403, "forbidden");
  assert.match(reply.body.hint, /ALLOWED_ORIGINS/);
  assert.match(reply.body.hint, /PUBLIC_URL/);
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
}

contract("a page of another origin neither reads nor writes a developer's instance", async (t) => {
  const room = await t.room();
  for (const origin of FOREIGN) {
    for (const [method, path, body] of requests(room)) {
      const headers = { origin, "content-type": "text/plain" };
      const options = { headers, raw: body === undefined ? undefined : JSON.stringify(body) };
      assertForbidden(await t.request(method, path, options));
    }
  }
  assert.deepEqual((await t.get(`/rooms/${room}/messages`)).body, []);
  assert.deepEqual((await t.get(`/rooms/${room}/state`)).body, []);
});

contract("a preflight of another origin's page grants nothing", async (t) => {
  const room = await t.room();
  for (const path of [`/rooms/${room}/state`, "/rooms", "/mcp"]) {
    for (const origin of FOREIGN) {
      const reply = await t.request("OPTIONS", path, { headers: { origin, ...asking("PUT") } });
      assertForbidden(reply);
      for (const name of ["methods", "headers", "private-network"]) {
        assert.equal(reply.headers.get(`access-control-allow-${name}`), null, name);
      }
    }
  }
});

contract("pages on this machine and in its networks go on working, programs too", async (t) => {
  const room = await t.room();
  for (const origin of [...OWN, t.url]) {
    for (const [method, path, body, status] of requests(room)) {
      const reply = await t.request(method, path, { headers: { origin }, body });
      assertStatus(reply, status);
      assert.equal(reply.headers.get("access-control-allow-origin"), "*");
    }
    const preflight = await t.request("OPTIONS", `/rooms/${room}/state`, {
      headers: { origin, ...asking("PUT") },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get("access-control-allow-methods")!, /PUT/);
  }
});

contract("a name that was bound anew to this address is refused, whatever Origin says", async (t) => {
  const room = await t.room();
  const path = `/rooms/${room}/messages`;
  for (const host of FOREIGN_HOSTS) {
    for (
      const more of [[], [`Origin: http://${host}`], ["Origin: http://localhost"], [
        "Sec-Fetch-Site: same-origin",
      ]]
    ) {
      for (
        const line of [
          `GET ${path} HTTP/1.1`,
          "POST /mcp HTTP/1.1",
          `OPTIONS ${path} HTTP/1.1`,
          "GET / HTTP/1.1",
        ]
      ) {
        const { status, text } = await send(t.url, line, `Host: ${host}`, ...more);
        assert.deepEqual([status, JSON.parse(text).error], [403, "forbidden"], `${line} ${host} ${more}`);
      }
    }
  }
  for (const host of OWN_HOSTS) {
    assert.deepEqual(
      await send(t.url, `GET ${path} HTTP/1.1`, `Host: ${host}`),
      { status: 200, text: "[]" },
      host,
    );
  }
});

contract("a private address is no foreign origin where the request names the same", async (t) => {
  const from = async (host: string, origin: string) =>
    (await send(t.url, "GET /rooms?limit=1 HTTP/1.1", `Host: ${host}`, `Origin: ${origin}`)).status;
  for (
    const address of [
      "10.1.2.3",
      "172.16.0.1",
      "172.31.9.9",
      "192.168.1.2",
      "169.254.1.1",
      "100.64.0.1",
      "0.0.0.0",
      "[fd12::1]",
      "[fe80::1]",
      "[::ffff:10.0.0.1]",
    ]
  ) {
    assert.equal(await from(`${address}:8000`, `http://${address}:3000`), 200, address);
    assert.equal(await from("127.0.0.1", `http://${address}:3000`), 403, address);
  }
  for (
    const address of [
      "172.15.0.1",
      "172.32.0.1",
      "192.169.0.1",
      "100.128.0.1",
      "11.0.0.1",
      "[2001:db8::1]",
      "[fec0::1]",
      "[::ffff:8.8.8.8]",
    ]
  ) {
    assert.equal(await from(`${address}:8000`, `http://${address}:8000`), 403, address);
  }
});

contract("health is told to anybody who asks in words that are right", async (t) => {
  for (const [host, origin] of [["evil.example", "https://evil.example"], ["localhost", "null"]]) {
    const { status } = await send(t.url, "GET /healthz HTTP/1.1", `Host: ${host}`, `Origin: ${origin}`);
    assert.equal(status, 200);
  }
});

/** How Chromium asks for a page that another site's speculation rules name. */
const LOADED_IN_ADVANCE = {
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-purpose": "prefetch",
};

contract("a link of another site opens a room's page, and sets no agent waiting", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const before = (await t.get(`/rooms/${room}/agents/ann`)).body;
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  for (const path of [`/?room=${room}`, "/", `/rooms/${room}/messages`, "/healthz"]) {
    assertStatus(await t.request("GET", path, { headers: link }), 200);
  }
  for (const how of [link, { ...link, "sec-fetch-mode": "no-cors" }, LOADED_IN_ADVANCE]) {
    const path = `/rooms/${room}/wait?agent=ann&condition=false&timeout=0`;
    assertForbidden(await t.request("GET", path, { headers: how }));
  }
  assert.deepEqual((await t.get(`/rooms/${room}/agents/ann`)).body, before);
});

/** How browsers ask for what a page of another site embeds, or has them load in advance. */
const EMBEDDED: Record<string, Record<string, string>> = {
  "an image": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
  "a frame": { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  "an object": { "sec-fetch-mode": "navigate", "sec-fetch-dest": "object" },
  "a prefetch": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty", "sec-purpose": "prefetch" },
  "a page that is loaded in advance": LOADED_IN_ADVANCE,
};

contract(
  "what another site embeds uses up no wrong codes, and a link to a code opens its page",
  async (t) => {
    const cross = { "sec-fetch-site": "cross-site" };
    for (const [what, own] of Object.entries(EMBEDDED)) {
      for (let n = 0; n < 12; n++) {
        const { status } = await t.request("GET", "/join/AAAAA-AAAAA", { headers: { ...cross, ...own } });
        assert.equal(status, 403, what);
      }
    }
    const headers = { ...cross, "sec-fetch-mode": "navigate" };
    assertError(await t.request("GET", "/join/AAAAA-AAAAA", { headers }), 404, "invite_not_found");
  },
);

/** What browsers tell over plain HTTP, but to this machine: for whose page they ask only by Referer, which pages may forbid. */
const OVER_HTTP = {
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
  "accept-language": "en-GB,en;q=0.9",
};
const FOREIGN_REFERERS = [
  undefined,
  "",
  "http://evil.example/",
  "http://localhost.evil.example/page?x=1",
  "http://localhost@evil.example/",
  "nonsense",
];
/** The headers of programs that send one of those of browsers. */
const PROGRAMS = [
  ["User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.1"],
  ["User-Agent: node", "Accept-Language: *", "Sec-Fetch-Mode: cors"],
];

contract("a browser that does not say for whose page it asks sets no agent waiting", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  const before = (await t.get(`/rooms/${room}/agents/ann`)).body;
  const query = "condition=false&timeout=0";
  const wait = (headers: Record<string, string>, more = "&agent=ann", path = `/rooms/${room}/wait`) =>
    t.request("GET", `${path}?${query}${more}`, { headers });
  for (const referer of FOREIGN_REFERERS) {
    const headers = { ...OVER_HTTP, ...referer !== undefined && { referer } };
    assertForbidden(await wait(headers));
    assertForbidden(await wait(headers, "&%61gent=ann"));
    assertForbidden(await wait(headers, "&agent=ann", `${t.url}//rooms/${room}/wait/`));
    // It shows nobody as waiting, or says for whose page.
    assertStatus(await wait(headers, ""), 200);
    assertStatus(await wait({ ...headers, "sec-fetch-site": "none" }), 200);
    const body = { condition: "false", timeout: 0 };
    assertStatus(await t.request("POST", `/rooms/${room}/wait`, { headers, body }), 200);
  }
  assertForbidden(await wait({ referer: "http://evil.example/" }));
  const { last_heartbeat, status } = (await t.get(`/rooms/${room}/agents/ann`)).body;
  assert.equal(status, before.status);
  assert.ok(last_heartbeat >= before.last_heartbeat);
  for (const referer of [`${t.url}/?room=${room}`, "http://localhost:3000/", "http://devbox/app"]) {
    assertStatus(await wait({ ...OVER_HTTP, referer }), 200);
  }
  for (const headers of PROGRAMS) {
    const line = `GET /rooms/${room}/wait?${query}&agent=ann HTTP/1.1`;
    assert.equal((await send(t.url, line, "Host: localhost", ...headers)).status, 200);
  }
});

contract("a browser that does not say for whose page uses up no codes but by asking for pages", async (t) => {
  const room = await t.room();
  const { body: { code } } = await t.post(`/rooms/${room}/invites`, { role: "member" });
  for (const method of ["GET", "HEAD"]) {
    for (const accept of ["image/avif,image/webp,*/*;q=0.8", "*/*", "text/css,*/*;q=0.1"]) {
      for (const path of ["/join/AAAAA-AAAAA", `${t.url}//join//AAAAA-AAAAA`, "/%6aoin/AAAAA-AAAAA"]) {
        assert.equal((await t.request(method, path, { headers: { ...OVER_HTTP, accept } })).status, 403);
      }
    }
  }
  const headers = { ...OVER_HTTP, accept: "text/html,application/xhtml+xml" };
  assertStatus(await t.request("GET", `/join/${code}`, { headers }), 200);
  for (const headers of PROGRAMS) {
    assert.equal(
      (await send(t.url, `GET /join/${code} HTTP/1.1`, "Host: localhost", ...headers)).status,
      200,
    );
  }
});

const MCP = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};
const HELLO = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "page", version: "1" } },
};

contract(
  "MCP takes what the rest of the API takes: pages on this machine, not those of strangers",
  async (t) => {
    const hello = (origin: string) => t.request("POST", "/mcp", { body: HELLO, headers: { ...MCP, origin } });
    for (const origin of FOREIGN) assertForbidden(await hello(origin));
    for (const origin of OWN) assertStatus(await hello(origin), 200);
  },
);

const databases = new Map<string, ReturnType<(typeof DATABASES)[string]>>();

Deno.test.afterAll(async () => {
  for (const opening of databases.values()) await (await opening.catch(() => undefined))?.stop();
});

/** Runs a test of the contract with instances that are set up otherwise, over the databases of the file. */
function set(name: string, env: Record<string, string>, test: (t: Subject) => Promise<void>): void {
  for (const kind of [...Object.keys(DATABASES), "memory"]) {
    Deno.test({
      name: `${kind}: ${name}`,
      // The database is opened by the first test that needs it and outlives it.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        if (kind !== "memory" && !databases.has(kind)) databases.set(kind, DATABASES[kind]!());
        const service = await startHere((await databases.get(kind))?.url ?? ":memory:", env);
        try {
          await test(new Subject(service.url));
        } finally {
          await service.stop();
        }
      },
    });
  }
}

const LISTED = "https://app.example, http://dev.example:8000 chrome-extension://ABCdef";
set("ALLOWED_ORIGINS lets in the origins that it lists, and their hosts, and nobody else", {
  ALLOWED_ORIGINS: LISTED,
}, async (t) => {
  const room = await t.room();
  const from = (origin: string) => t.request("GET", `/rooms/${room}`, { headers: { origin } });
  for (
    const origin of [
      "https://app.example",
      "HTTPS://app.example:443",
      "http://dev.example:8000",
      "chrome-extension://abcdef",
      "http://localhost",
    ]
  ) {
    assertStatus(await from(origin), 200);
  }
  for (
    const origin of [
      "http://app.example",
      "https://app.example:8443",
      "https://x.app.example",
      "http://dev.example",
      "chrome-extension://abc",
      "null",
    ]
  ) {
    assertForbidden(await from(origin));
  }
  const named = async (host: string) => (await send(t.url, "GET /rooms HTTP/1.1", `Host: ${host}`)).status;
  for (const host of ["app.example", "APP.example:8000", "dev.example:1", "localhost"]) {
    assert.equal(await named(host), 200, host);
  }
  for (const host of ["x.app.example", "abcdef.example", "evil.example"]) {
    assert.equal(await named(host), 403, host);
  }
});

set("pages of the same site as a name that is listed are foreign", {
  ALLOWED_ORIGINS: "https://app.corp.example",
}, async (t) => {
  const room = await t.room();
  const wait = async (host: string, site: string) => {
    const line = `GET /rooms/${room}/wait?condition=false&timeout=0&agent=ann HTTP/1.1`;
    return (await send(t.url, line, `Host: ${host}`, `Sec-Fetch-Site: ${site}`, "Sec-Fetch-Mode: no-cors"))
      .status;
  };
  assert.equal(await wait("app.corp.example", "same-site"), 403);
  assert.equal(await wait("app.corp.example", "same-origin"), 200);
  for (const host of ["localhost", "127.0.0.1", "devbox"]) assert.equal(await wait(host, "same-site"), 200);
});

const OPEN: Array<[name: string, env: Record<string, string>]> = [
  ["ALLOWED_ORIGINS=* lets in every origin and name", { ALLOWED_ORIGINS: "*" }],
  ["an instance with a PUBLIC_URL answers any origin", { PUBLIC_URL: "https://convene.example/" }],
  ["an instance behind TRUSTED_PROXIES answers any origin", { TRUSTED_PROXIES: "1" }],
];
for (const [name, env] of OPEN) {
  set(name, env, async (t) => {
    const room = await t.room();
    const headers = { origin: "https://anywhere.example" };
    const paths = ["/rooms", `/rooms/${room}`, "/rooms/no-such-room", "/nothing", "/rooms?limit=x"];
    for (const path of paths) {
      const reply = await t.request("GET", path, { headers });
      assert.notEqual(reply.status, 403);
      assert.equal(reply.headers.get("access-control-allow-origin"), "*", path);
      assert.equal(reply.headers.get("access-control-allow-credentials"), null, path);
      const exposed = (reply.headers.get("access-control-expose-headers") ?? "").toLowerCase();
      for (const name of ["convene-revision", "link", "retry-after"]) {
        assert.ok(exposed.includes(name), exposed);
      }
    }
    for (const method of ["PUT", "DELETE"]) {
      const preflight = await t.request("OPTIONS", `/rooms/${room}/state`, {
        headers: { ...headers, ...asking(method) },
      });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
      assert.ok(preflight.headers.get("access-control-allow-methods")!.includes(method));
      assert.match(preflight.headers.get("access-control-allow-headers")!, /content-type/i);
    }
    assertStatus(await t.request("POST", "/mcp", { body: HELLO, headers: { ...MCP, ...headers } }), 200);
    assert.equal((await send(t.url, "GET /rooms HTTP/1.1", "Host: convene.example")).status, 200);
    assert.equal((await send(t.url, "GET /rooms HTTP/1.1", "Host: x/rooms?")).status, 400);
  });
}

set(
  "PUBLIC_URL is the address that guide and pages name",
  { PUBLIC_URL: "https://convene.example/" },
  async (t) => {
    for (const path of ["/", "/docs", "/llms-full.txt", "/SKILL.md", "/openapi.json"]) {
      const { text } = await t.get(path);
      assert.match(text, /https:\/\/convene\.example[^/]?/, path);
      assert.ok(!text.includes(t.url), path);
    }
    const { text } = await t.request("GET", `/?room=${await t.room()}`);
    assert.ok(text.includes("https://convene.example"), text);
  },
);

/** What proxies say of how they were called, and the address that is made of it behind one trusted proxy. */
const FORWARDED: Array<[headers: Record<string, string>, address?: string]> = [
  [{ "x-forwarded-proto": "https", "x-forwarded-host": "a.example" }, "https://a.example"],
  [{ "x-forwarded-proto": "HTTPS", "x-forwarded-host": "A.example:8443" }, "https://a.example:8443"],
  [{ "x-forwarded-host": "evil.example, a.example" }, "http://a.example"],
  [{ "x-forwarded-proto": "https", "x-forwarded-host": "a.example:443" }, "https://a.example"],
  [{ forwarded: "for=1.2.3.4;host=a.example;proto=https" }, "https://a.example"],
  [{ forwarded: 'host=evil.example, For="[::1]"; Host="a.example:81" ;proto=http' }, "http://a.example:81"],
  [{ forwarded: "host=b.example", "x-forwarded-host": "a.example" }, "http://a.example"],
  [{ "x-forwarded-host": "a.example/x?$'" }],
  [{ "x-forwarded-host": "", forwarded: "host=" }],
  [{ "x-forwarded-proto": "javascript" }],
];

const guideAt = async (t: Subject, headers: Record<string, string>) =>
  /curl -s (\S+)\/rooms -d/.exec((await t.request("GET", "/", { headers })).text)?.[1];

set("a trusted proxy says at which address documents and pages are", { TRUSTED_PROXIES: "1" }, async (t) => {
  const room = await t.room();
  for (const [headers, address = t.url] of FORWARDED) {
    assert.equal(await guideAt(t, headers), address, JSON.stringify(headers));
    const { text } = await t.request("GET", `/?room=${room}`, { headers });
    assert.ok(text.includes(`${address}/rooms/${room}`), text);
    const document = await t.request("GET", "/openapi.json", { headers });
    assert.equal(document.body.servers[0].url, address);
  }
});

/** Documents in each form, and pages whose text has the address in it. */
const ADDRESSED: Array<[path: string, accept: string]> = [
  ...["/", "/guide", "/docs", "/docs/api", "/llms-full.txt"].flatMap((path): Array<[string, string]> => [
    [path, "*/*"],
    [path, "text/html"],
  ]),
  ["/SKILL.md", "*/*"],
  ["/openapi.json", "*/*"],
  ["/?room=r", "text/html"],
  ["/?room=none", "text/html"],
  ["/rooms/r/live/evaluation?expr=1", "*/*"],
];

for (const env of [{}, { TRUSTED_PROXIES: "1" }] as Record<string, string>[]) {
  set(`no shared cache keeps what a caller's address is part of: ${JSON.stringify(env)}`, env, async (t) => {
    await t.post("/rooms", { id: "r" });
    for (const [path, accept] of ADDRESSED) {
      const { headers } = await t.request("GET", path, { headers: { accept } });
      assert.match(headers.get("cache-control")!, /^(?:private, max-age=300|no-store)$/, path);
      const tag = headers.get("etag");
      if (tag === null) continue;
      const again = await t.request("GET", path, { headers: { accept, "if-none-match": tag } });
      assert.deepEqual(
        [again.status, again.headers.get("cache-control")],
        [304, "private, max-age=300"],
        path,
      );
    }
  });
}

set("a shared cache may keep documents where the address is one for all", {
  PUBLIC_URL: "https://convene.example",
  TRUSTED_PROXIES: "1",
}, async (t) => {
  for (const [path, accept] of ADDRESSED.filter(([path]) => !/room/.test(path))) {
    const { headers } = await t.request("GET", path, { headers: { accept } });
    assert.equal(headers.get("cache-control"), "public, max-age=300", path);
  }
});

set("two trusted proxies: the outermost says it", { TRUSTED_PROXIES: "2" }, async (t) => {
  const headers = {
    "x-forwarded-host": "evil.example, a.example, inner",
    "x-forwarded-proto": "https, http",
  };
  assert.equal(await guideAt(t, headers), "https://a.example");
});

set("who is no trusted proxy says nothing of the address", {}, async (t) => {
  for (const [headers] of FORWARDED) assert.equal(await guideAt(t, headers), t.url);
});

set("a PUBLIC_URL stands above what proxies say", {
  PUBLIC_URL: "https://convene.example",
  TRUSTED_PROXIES: "1",
}, async (t) => {
  for (const [headers] of FORWARDED) assert.equal(await guideAt(t, headers), "https://convene.example");
});
