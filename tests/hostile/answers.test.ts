import { onFilled } from "../support/filled.ts";
import { assertOthersServed } from "../support/held_up.ts";
import { fillRooms, MADE, READ, ROOMS, take } from "./large_answers.ts";

/** So many ask for the same at once. */
const AT_ONCE = 30;

onFilled(fillRooms, {
  [`${AT_ONCE} large answers of each kind at once hold up no other room`]: async ({ kind, url }) => {
    for (const [answer, asked] of Object.entries(kind === "file" ? { ...READ, ...MADE } : READ)) {
      await take(url, asked);
      await assertOthersServed(answer, { url, path: `/rooms/${ROOMS.other}` }, async () => {
        await Promise.all(Array.from({ length: AT_ONCE }, () => take(url, asked)));
      });
    }
  },
});
