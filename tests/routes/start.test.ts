import assert from "node:assert/strict";
import { type Service, startService } from "../support/service.ts";

async function withHost(host: string, test: (service: Service) => Promise<void>): Promise<void> {
  const service = await startService({ env: { HOST: host } });
  try {
    await test(service);
  } finally {
    await service.stop();
  }
}

async function answersAt(url: string, host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}:${new URL(url).port}/healthz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

Deno.test("the service listens on this machine's own address unless it is told otherwise", () =>
  withHost("", async ({ url, printed }) => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(await answersAt(url, "127.0.0.1") && await answersAt(url, "localhost"));
    assert.ok(!await answersAt(url, "127.0.0.2"));
    assert.doesNotMatch(printed.join("\n"), /Whoever can reach it/);
  }));

Deno.test("HOST=0.0.0.0 listens on every address, and warns of what that means", () =>
  withHost("0.0.0.0", async ({ url, printed }) => {
    assert.ok(await answersAt(url, "127.0.0.1") && await answersAt(url, "127.0.0.2"));
    assert.match(
      printed.join("\n"),
      /every address of this machine\nWhoever can reach it can read and write every room\./,
    );
  }));

const hasIpv6 = Deno.networkInterfaces().some(({ address }) => address === "::1");
for (const [host, others] of [["::1", false], ["::", true]] as const) {
  Deno.test({
    name: `HOST=${host} is printed as an address to call`,
    ignore: !hasIpv6,
    fn: () =>
      withHost(host, async ({ url }) => {
        assert.match(url, /^http:\/\/\[::1\]:\d+$/);
        assert.ok(await answersAt(url, "[::1]"));
        assert.equal(await answersAt(url, "127.0.0.1"), others);
      }),
  });
}
