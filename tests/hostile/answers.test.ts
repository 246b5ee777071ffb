import { type Service, startService } from "../support/service.ts";
import { DATABASES } from "../support/databases.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { fillRooms, MADE, READ, ROOMS, take } from "./large_answers.ts";

/** So many ask for the same at once. */
const AT_ONCE = 30;

for (const [name, open] of Object.entries(DATABASES)) {
  Deno.test(`${name}: ${AT_ONCE} large answers of each kind at once hold up no other room`, async () => {
    const database = await open();
    let service: Service | undefined;
    try {
      const { url } = service = await startService({ database: database.url });
      await take(url, { method: "GET", path: "/rooms" }); // the tables are made
      await fillRooms(database.url);
      for (const [answer, asked] of Object.entries(name === "file" ? { ...READ, ...MADE } : READ)) {
        await take(url, asked);
        await assertOthersServed(answer, { url, path: `/rooms/${ROOMS.other}` }, async () => {
          await Promise.all(Array.from({ length: AT_ONCE }, () => take(url, asked)));
        });
      }
    } finally {
      await service?.stop();
      await database.stop();
    }
  });
}
