import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { send } from "../support/raw.ts";
import { startService } from "../support/service.ts";

for (const backend of backends.slice(0, 2)) {
  Deno.test(`${backend.name}: a long Host costs others nothing`, async () => {
    const service = await backend.open({ RATE_LIMIT: "0" });
    try {
      const { url } = service;
      const path = `/rooms/${await new Subject(url).room()}`;
      await assertOthersServed("Hosts that are patterns of a replacement", { url, path }, async () => {
        for (const host of ["$'".repeat(400), "$`".repeat(1_000), "$&".repeat(20_000)]) {
          const { status } = await send(url, "GET /llms-full.txt HTTP/1.1", `Host: ${host}`);
          assert.ok(status >= 400 && status < 500, `${status}`);
        }
      });
    } finally {
      await service.stop();
    }
  });
}

Deno.test("documents that are each read at an address of their own hold up nobody", async () => {
  const service = await startService();
  try {
    const { url } = service;
    const path = `/rooms/${await new Subject(url).room()}`;
    let host = 0;
    await assertOthersServed("documents at 30 addresses at once", { url, path }, async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => {
        const lines = ["Accept: text/html", "Accept-Encoding: gzip"];
        return send(url, "GET /llms-full.txt HTTP/1.1", `Host: h${host++}.localhost`, ...lines);
      }));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    });
  } finally {
    await service.stop();
  }
});
