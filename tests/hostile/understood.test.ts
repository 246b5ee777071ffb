import assert from "node:assert/strict";
import { backends, Subject } from "../support/backends.ts";
import { assertOthersServed } from "../support/held_up.ts";

/** Bodies of nearly 256 KiB that are refused for a name or a number, each where most is looked at before. */
const BODIES: Record<string, string> = {
  "names that there are not": `{"body":1,${list(15_000, (n) => `"name${n}":1`)}}`,
  "names near to one that there is": `{"body":1,${list(15_000, (n) => `"reply_t${n}":1`)}}`,
  "one long name": `{"body":1,"${"from".repeat(60_000)}":1}`,
  "numbers that are held, and a last one that is not": `{"body":[${list(60_000, () => "1e9")},1e400]}`,
  "numbers of many digits": `{"body":[${list(12_000, () => "9007199254740992.0")},9007199254740993]}`,
  "one number of many digits": `{"body":${"1".repeat(250_000)}}`,
  "texts of digits, and a number": `{"body":["${"1".repeat(240_000)}",9007199254740993]}`,
  "a number at the deepest place": `{"body":${"[".repeat(60)}${list(80_000, () => "1")},1e400${
    "]".repeat(60)
  }}`,
};

const QUERIES: Record<string, string> = {
  "many names": list(3_000, (n) => `name${n}=1`, "&"),
  "many names that pass": `${list(3_000, (n) => `_name${n}=1`, "&")}&kind=a&kind=b`,
  "one name many times": `${list(5_000, () => "kind=a", "&")}&kind=b`,
};

function list(count: number, item: (n: number) => string, between = ","): string {
  return Array.from({ length: count }, (_, n) => item(n)).join(between);
}

for (const backend of backends.slice(0, 2)) {
  Deno.test(`${backend.name}: what is not understood is refused, and holds up no other room`, async () => {
    const service = await backend.open({ RATE_LIMIT: "0", ROOM_RATE_LIMIT: "0" });
    try {
      const t = new Subject(service.url);
      const [room, other] = [await t.room(), await t.room()];
      const refused = async (method: string, path: string, raw?: string) => {
        for (let n = 0; n < 4; n++) {
          const replies = await Promise.all(
            Array.from({ length: 4 }, () => t.request(method, `/rooms/${room}/${path}`, { raw })),
          );
          for (const { status, text } of replies) assert.equal(status, 400, text.slice(0, 200));
        }
      };
      const place = { url: service.url, path: `/rooms/${other}` };
      for (const [name, raw] of Object.entries(BODIES)) {
        await assertOthersServed(name, place, () => refused("POST", "messages", raw));
      }
      for (const [name, query] of Object.entries(QUERIES)) {
        await assertOthersServed(name, place, () => refused("GET", `messages?${query}`));
      }
      assert.deepEqual((await t.get(`/rooms/${room}/messages`)).body, []);
    } finally {
      await service.stop();
    }
  });
}
