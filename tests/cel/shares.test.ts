import assert from "node:assert/strict";
import { type Account, createShares } from "../../cel/waits/conditions/shares.ts";

/** So long that what comes next has to give way. */
const BUSY_MS = 5;

const account = (): Account => ({ spent: 0, at: 0 });

Deno.test("a room that has cost much comes after one that has not, but not for ever", async () => {
  let now = 0;
  const shares = createShares(() => now);
  const [costly, cheap] = [account(), account()];
  const order: string[] = [];
  const piece = (who: string, account: Account, takes: number) =>
    shares.work(account, () => {
      order.push(who);
      now += takes;
      for (const until = performance.now() + BUSY_MS; performance.now() < until;);
    });
  await piece("costly", costly, 1_000);
  order.length = 0;
  await Promise.all([
    piece("first", account(), 0), // it is at work when the others come
    piece("costly", costly, 20),
    piece("cheap", cheap, 1),
    piece("cheap", cheap, 1),
  ]);
  assert.deepEqual(order, ["first", "cheap", "cheap", "costly"]);

  order.length = 0;
  const waiting = [piece("first", account(), 0), piece("costly", costly, 20)];
  now += 1_000;
  await Promise.all([...waiting, piece("cheap", cheap, 1)]);
  assert.deepEqual(order, ["first", "costly", "cheap"]);
});

Deno.test("a piece that fails fails alone", async () => {
  const shares = createShares();
  await assert.rejects(shares.work(account(), () => assert.fail("broken")), { message: "broken" });
  assert.equal(await shares.work(account(), () => 1), 1);
});

Deno.test("reads are under way up to a weight, what can be later comes after what comes now", async () => {
  const shares = createShares();
  const order: string[] = [];
  const ends: Array<() => void> = [];
  const load = (name: string, weight: number, later?: number) =>
    shares.load(account(), weight, () => {
      order.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    }, later);
  const settled = () => new Promise((resolve) => setTimeout(resolve));

  const all = [load("heavy", 128), load("later", 2, 50), load("now", 2), load("heavy again", 128)];
  await settled();
  assert.deepEqual(order, ["heavy"]);
  ends.shift()!();
  await settled();
  assert.deepEqual(
    order,
    ["heavy", "now"],
    "two that are light, and a heavy one that finds no place before the last",
  );
  ends.shift()!();
  await settled();
  assert.deepEqual(order, ["heavy", "now", "heavy again"]);
  ends.shift()!();
  await settled();
  assert.deepEqual(order, ["heavy", "now", "heavy again", "later"]);
  ends.shift()!();
  await Promise.all(all);
});

Deno.test("a read that fails makes way", async () => {
  const shares = createShares();
  await assert.rejects(shares.load(account(), 128, () => Promise.reject(new Error("away"))), {
    message: "away",
  });
  assert.equal(await shares.load(account(), 128, () => Promise.resolve(1)), 1);
});
