import assert from "node:assert/strict";
import { newCode, readCode } from "../../db/access/join_code.ts";
import { hashOf } from "../../db/access/token_text.ts";

const made = (...bytes: number[]) => newCode({ randomBytes: () => Uint8Array.from(bytes) });

Deno.test("a code has 50 bits, five of each byte", () => {
  assert.equal(made(0, 1, 31, 32, 255, 7, 8, 9, 10, 11, 99).text, "01Z0Z-789AB");
  const texts = Array.from({ length: 32 }, (_, n) => made(...Array(10).fill(n)).text[0]);
  assert.equal(texts.join(""), "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
});

Deno.test("a code is kept as the SHA-256 of its digits, and read as people write it", () => {
  const { text, hash } = made(0, 1, 20, 21, 30, 5, 6, 7, 8, 9);
  assert.equal(text, "01MNY-56789");
  assert.equal(hash, hashOf("01MNY56789"));
  for (
    const written of [
      "01MNY-56789",
      "01mny56789",
      "oImny-56789",
      "OLMNY--5678-9-",
      "0-i-m-n-y-56789",
      " 01MNY-56789\n",
    ]
  ) {
    assert.equal(readCode(written), hash, written);
  }
  for (const none of ["", "01MNY-5678", "01MNY-567890", "01MNU-56789", "01MNY 56789", "01MNY-5678é"]) {
    assert.equal(readCode(none), undefined, none);
  }
});
