import assert from "node:assert/strict";
import { settingsOf } from "../../routes/process/settings.ts";
import { withApp } from "../support/app.ts";

/** Addresses from which a developer's instance is called. */
const NEAR = [
  "127.0.0.1",
  "127.255.0.1",
  "::1",
  "::ffff:127.0.0.1",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "169.254.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "::ffff:10.0.0.1",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "fe80::1%eth0",
  "febf::1",
];
const FAR = [
  "8.8.8.8",
  "172.15.255.255",
  "172.32.0.1",
  "192.167.0.1",
  "192.169.0.1",
  "169.253.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "1.10.0.1",
  "110.0.0.1",
  "::ffff:8.8.8.8",
  "2001:db8::1",
  "fb00::1",
  "fec0::1",
  "::2",
];

/** Under a name that was bound anew, and of a page of another origin. */
const REQUESTS: Array<Record<string, string>> = [{ host: "evil.example" }, {
  host: "x",
  origin: "https://evil.example",
}];
const UNSET = settingsOf(() => undefined);

function statusesFrom(address: string | undefined, options = UNSET): Promise<number[]> {
  const statuses: number[] = [];
  return withApp(async ({ app }) => {
    const env = address === undefined
      ? undefined
      : { remoteAddr: { transport: "tcp", hostname: address, port: 1 } };
    for (const headers of REQUESTS) {
      const response = await app.fetch(new Request("http://x/rooms", { headers }), env);
      await response.body?.cancel();
      statuses.push(response.status);
    }
  }, options).then(() => statuses);
}

for (const address of NEAR) {
  Deno.test(`called from ${address} an instance is a developer's`, async () => {
    assert.deepEqual(await statusesFrom(address), [403, 403]);
  });
}

for (const address of [...FAR, undefined]) {
  Deno.test(`called from ${address ?? "nobody knows where"} an instance answers any origin`, async () => {
    assert.deepEqual(await statusesFrom(address), [200, 200]);
  });
}

const OPENED = { PUBLIC_URL: "http://a.example", TRUSTED_PROXIES: "2", ALLOWED_ORIGINS: "*" };
for (const [name, value] of Object.entries(OPENED)) {
  Deno.test(`with ${name} an instance answers any origin, wherever it is called from`, async () => {
    const options = settingsOf((asked) => asked === name ? value : undefined);
    assert.deepEqual(await statusesFrom("127.0.0.1", options), [200, 200]);
  });
}

Deno.test("the operator is told of names that are not the instance's, once a minute", () =>
  withApp(async ({ app }) => {
    const { error: log } = console;
    const lines: string[] = [];
    console.error = (...what: unknown[]) => void lines.push(what.join(" "));
    try {
      const env = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } };
      for (const host of ["box.example:8000", "other.example", "localhost"]) {
        const response = await app.fetch(new Request(`http://${host}/rooms`, { headers: { host } }), env);
        await response.body?.cancel();
      }
    } finally {
      console.error = log;
    }
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0]!, /^Refused 1 requests by .* the last by box\.example\. .*ALLOWED_ORIGINS/);
  }, UNSET));
