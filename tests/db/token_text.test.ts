import assert from "node:assert/strict";
import fc from "fast-check";
import { looksLikeToken, makeToken, readToken, ROLES } from "../../db/access/token_text.ts";

const drawn = fc.record({
  role: fc.constantFrom(...ROLES),
  locked: fc.boolean(),
  bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

Deno.test("a token says its role and whether its room is locked, and is found by a scanner", () => {
  fc.assert(fc.property(drawn, ({ role, locked, bytes }) => {
    const token = makeToken(role, locked, bytes);
    assert.match(token, /^cvn_[amr]_[0-9A-Za-z]{49}$/);
    assert.equal(token[4], role[0]);
    const read = readToken(token);
    assert.deepEqual([read?.role, read?.locked], [role, locked]);
    assert.match(read!.hash, /^[0-9a-f]{64}$/);
  }));
});

Deno.test("a slip in a token is told without the database", () => {
  const slip = fc.record({ at: fc.nat(), by: fc.constantFrom(..."0aZ_- ") });
  fc.assert(fc.property(drawn, slip, ({ role, locked, bytes }, { at, by }) => {
    const token = makeToken(role, locked, bytes);
    const place = at % token.length;
    const slipped = token.slice(0, place) + by + token.slice(place + 1);
    assert.equal(readToken(slipped) === undefined, slipped !== token);
    assert.equal(readToken(token.slice(0, -1)), undefined);
    assert.equal(readToken(`${token}0`), undefined);
  }));
});

Deno.test("a token of more than 32 bytes is malformed, though its check is right", () => {
  const least = makeToken("admin", false, new Uint8Array(32));
  assert.notEqual(readToken(least), undefined);
  assert.notEqual(readToken(makeToken("reader", true, new Uint8Array(32).fill(255))), undefined);
  assert.equal(readToken(least.replace("_0", "_z")), undefined);
});

Deno.test("what does not begin as a token is none", () => {
  assert.equal(looksLikeToken("cvn_"), true);
  for (const other of ["", "Cvn_a_", "eyJhbGciOi", "operator"]) assert.equal(looksLikeToken(other), false);
});
