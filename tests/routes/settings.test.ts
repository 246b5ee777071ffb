import assert from "node:assert/strict";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { databaseOf, hostOf, portOf, settingsOf } from "../../routes/process/settings.ts";

const set = (name: string, value?: string) => (asked: string) => asked === name ? value : undefined;

const COUNT = { may: ["0", "7"], not: ["1.5", "-1"] };

/** Each variable that is a number: how it is read, what it is when nothing is said, what it may and may not be. */
const NUMBERS: Record<
  string,
  {
    of: (env: (name: string) => string | undefined) => number | undefined;
    unset?: number;
    may: string[];
    not: string[];
  }
> = {
  PORT: { of: portOf, unset: 8000, may: ["0", "65535"], not: ["65536", "80.5", "-1", "http"] },
  WAIT_POLL_MS: { of: (env) => settingsOf(env).poll, may: ["1", "3600000"], not: ["0", "3600001", "0.5"] },
  RATE_LIMIT: {
    of: (env) => settingsOf(env).fairUse!.callerPerSecond,
    may: ["0", "0.5", "1e3", "0.001", "1e6"],
    not: ["-0.1", "1e-320", "0.0009", "1e308", "1000001"],
  },
  ROOM_RATE_LIMIT: {
    of: (env) => settingsOf(env).fairUse!.roomPerSecond,
    unset: FAIR_USE.roomPerSecond,
    may: ["0", "2.5"],
    not: ["-1", "1e-9", "1e9"],
  },
  WAITS_PER_CALLER: {
    of: (env) => settingsOf(env).fairUse!.waitsOfCaller,
    unset: FAIR_USE.waitsOfCaller,
    ...COUNT,
  },
  WAITS_PER_ROOM: {
    of: (env) => settingsOf(env).fairUse!.waitsOfRoom,
    unset: FAIR_USE.waitsOfRoom,
    ...COUNT,
  },
  STREAMS_PER_CALLER: {
    of: (env) => settingsOf(env).fairUse!.streamsOfCaller,
    unset: FAIR_USE.streamsOfCaller,
    ...COUNT,
  },
  TRUSTED_PROXIES: {
    of: (env) => settingsOf(env).fairUse!.trustedProxies,
    unset: 0,
    may: ["0", "7", "100"],
    not: ["1.5", "-1", "101"],
  },
};

for (const [name, { of, unset, may, not }] of Object.entries(NUMBERS)) {
  Deno.test(`${name} is taken as it is written, and stops the start where it cannot be`, () => {
    for (const nothing of [undefined, "", "  "]) assert.equal(of(set(name, nothing)), unset);
    for (const value of may) assert.equal(of(set(name, ` ${value} `)), Number(value));
    for (const value of [...not, "many", "1,5", "Infinity", "NaN"]) {
      assert.throws(() => of(set(name, value)), {
        message: new RegExp(`^${name} must be a .*number.* is "${value}"`),
      });
    }
  });
}

Deno.test("TURSO_DATABASE_URL is an address of a kind that there is, and is not repeated where it is none", () => {
  const database = (value?: string) => databaseOf(set("TURSO_DATABASE_URL", value));
  for (const nothing of [undefined, "", " "]) assert.equal(database(nothing), "file:data/convene.db");
  for (
    const url of [
      "file:x.db",
      ":memory:",
      "file:/tmp/x.db",
      "libsql://a.example",
      "https://a.example",
      "http://[::1]:8080",
    ]
  ) {
    assert.equal(database(url), url);
  }
  for (
    const url of [
      "secret",
      "file:",
      "libsql://",
      "https:///x",
      "wss://secret",
      "libsql:secret",
      "http://[secret",
    ]
  ) {
    assert.throws(() => database(url), (error: Error) => {
      assert.match(error.message, /^TURSO_DATABASE_URL must be file:<path> or :memory:, or begin with/);
      return !error.message.includes("secret");
    });
  }
});

Deno.test("HOST is an address or a name, this machine's own where nothing is said", () => {
  const host = (value?: string) => hostOf(set("HOST", value));
  for (const nothing of [undefined, "", " "]) assert.equal(host(nothing), "127.0.0.1");
  for (const address of ["0.0.0.0", "::", "::1", "192.168.1.2", "fd00::1", "localhost", "box.example"]) {
    assert.equal(host(` ${address} `), address);
  }
  assert.equal(host("[::1]"), "::1");
  for (const wrong of ["http://localhost", "localhost:8000", "a b", "*", "1.2.3.256", "::x", "[", "a/b"]) {
    assert.throws(() => host(wrong), { message: /^HOST must be an address or a name .*, and is "/ });
  }
});

Deno.test("PUBLIC_URL is an address without more, and makes the instance public", () => {
  const settings = (value?: string) => settingsOf(set("PUBLIC_URL", value));
  for (const nothing of [undefined, "", " "]) {
    const { publicUrl, browsers } = settings(nothing);
    assert.deepEqual([publicUrl, browsers], [undefined, { public: false, allowedOrigins: [] }]);
  }
  for (
    const [text, url] of [
      ["https://convene.example", "https://convene.example"],
      [" HTTPS://Convene.example:443/ ", "https://convene.example"],
      ["http://b\u00fccher.example:8080", "http://xn--bcher-kva.example:8080"],
      ["http://[::1]:8000", "http://[::1]:8000"],
    ]
  ) {
    const { publicUrl, browsers } = settings(text);
    assert.deepEqual([publicUrl, browsers?.public], [url, true]);
  }
  for (
    const wrong of [
      "convene.example",
      "ftp://a.example",
      "https:a.example",
      "https://",
      "https://u:p@a.example",
      "https://a.example?x",
      "https://a.example#x",
      "https://example.org/convene/",
      "https://$'.example",
      "true",
    ]
  ) {
    assert.throws(() => settings(wrong), {
      message: /^PUBLIC_URL must be an address such as https:.*, and is "/,
    });
  }
  assert.throws(() => settings("https://example.org/convene"), { message: /leave the path out\.$/ });
});

Deno.test("ALLOWED_ORIGINS is a list of origins, or all of them", () => {
  const origins = (value?: string) => settingsOf(set("ALLOWED_ORIGINS", value)).browsers!.allowedOrigins;
  for (const nothing of [undefined, "", " , "]) assert.deepEqual(origins(nothing), []);
  assert.equal(origins(" * "), "*");
  assert.deepEqual(
    origins("https://A.example:443, http://b.example:80,http://[::1]:3000  http://b\u00fccher.example"),
    [
      "https://a.example",
      "http://b.example",
      "http://[::1]:3000",
      "http://xn--bcher-kva.example",
    ],
  );
  assert.deepEqual(origins("chrome-extension://abc vscode-webview://ABC"), [
    "chrome-extension://abc",
    "vscode-webview://abc",
  ]);
  for (
    const wrong of [
      "a.example",
      "https://a.example/",
      "https://a.example/x",
      "https://*.a.example",
      "https://u@a.example",
      "null",
      "*, https://a.example",
      "https://a.example;https://b.example",
      "file://",
    ]
  ) {
    assert.throws(() => origins(wrong), {
      message: /^ALLOWED_ORIGINS must be \*, or origins such as .* has "/,
    });
  }
});
