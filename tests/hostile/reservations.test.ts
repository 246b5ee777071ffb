import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** As many as may wait of one caller. */
const WAITING = 1_000;
/** They begin in groups: a flood of requests is what all endpoints have to bear. */
const AT_ONCE = 50;
/** Long enough to begin all of them and to change something meanwhile. */
const TIMEOUT_MS = 25_000;
/** Changes of other reservations, after each of which all are tried again. */
const CHANGES = 5;

/** Nearly as many characters as a request may ask for, of the kind that takes longest to make ready. */
const costly = (n: number) =>
  Array.from({ length: 4 }, (_, glob) => {
    const set = Array.from({ length: 480 }, (_, k) => String.fromCharCode(200 + 3 * k + glob)).join("");
    return `${n}/[${set}]`;
  });

for (const backend of backends.slice(0, 2)) {
  Deno.test(`${backend.name}: ${WAITING} requests that wait for paths hold up no other room`, async () => {
    const service = await backend.open({ RATE_LIMIT: "0", ROOM_RATE_LIMIT: "0" });
    const waits: Array<Promise<unknown>> = [];
    try {
      const t = new Subject(service.url);
      const other = await t.room();
      let room: string;
      const reserve = (body: object) => t.post(`/rooms/${room}/reservations`, body);
      await assertOthersServed(
        "requests that wait for paths",
        { url: service.url, path: `/rooms/${other}` },
        async () => {
          for (let n = 0; n < CHANGES; n++) {
            assert.equal((await reserve({ agent: "ann", paths: [`own ${n}`] })).status, 201);
          }
        },
        async () => {
          room = await t.room();
          await reserve({ agent: "ann", paths: ["**"] });
          for (let n = 0; n < WAITING; n++) {
            const wait = reserve({ agent: `a${n}`, paths: costly(n), timeout: TIMEOUT_MS });
            waits.push(wait.catch(() => undefined)); // it may end with the service
            // This one is refused in its turn, behind those that wait.
            if (n % AT_ONCE === AT_ONCE - 1) await reserve({ agent: "bob", paths: ["x"] });
          }
        },
      );
    } finally {
      await service.stop();
      await Promise.all(waits);
    }
  });
}
