import assert from "node:assert/strict";

/** Stands for whatever there is. */
export const ANY = Symbol("any");

/** Members that must be there and no others; elsewhere others may be. */
export class Only {
  constructor(readonly members: Record<string, unknown>) {}
}

/** Items whose order is not determined where `rank` does not tell them apart. */
export class Ranked<Item> {
  constructor(readonly items: Item[], readonly rank: (item: Item) => string) {}
}

/** Fails unless `actual` has all that is expected of it; lists must be of one length. */
export function assertHas(actual: unknown, expected: unknown): void {
  if (expected === ANY) return assert.notEqual(actual, undefined);
  if (expected instanceof Ranked) {
    assert.ok(Array.isArray(actual));
    return assertHas(sorted(actual, expected.rank), sorted(expected.items, expected.rank));
  }
  if (expected instanceof Only) {
    assert.deepEqual(Object.keys(Object(actual)).sort(), Object.keys(expected.members).sort());
    return assertHas(actual, expected.members);
  }
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual) && actual.length === expected.length);
    expected.forEach((item, index) => assertHas(actual[index], item));
  } else if (expected !== null && typeof expected === "object") {
    assert.ok(actual !== null && typeof actual === "object");
    for (const [name, value] of Object.entries(expected)) {
      assertHas((actual as Record<string, unknown>)[name], value);
    }
  } else assert.deepEqual(actual, expected);
}

function sorted<Item>(items: Item[], rank: (item: Item) => string): Item[] {
  return items.toSorted((a, b) => rank(a) < rank(b) ? -1 : 1);
}
