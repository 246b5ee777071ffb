import assert from "node:assert/strict";
import {
  type Account,
  createAccounts,
  createShares,
  type Length,
} from "../../cel/waits/conditions/shares.ts";
import { EVERYBODY, holderOf } from "../../db/viewer.ts";

/** So long that what comes next has to give way. */
const BUSY_MS = 5;

const account = (): Account => ({ spent: 0, at: 0, steps: new WeakMap(), isLarge: false });

Deno.test("a room that has cost much comes after one that has not, but not for ever", async () => {
  let now = 0;
  const shares = createShares(() => now);
  const [costly, cheap] = [account(), account()];
  const order: string[] = [];
  const piece = (who: string, account: Account, takes: number) =>
    shares.work(account, "short", () => {
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

Deno.test("long work, however much waits, delays short work by a piece at a time", async () => {
  let now = 0;
  const shares = createShares(() => now);
  const order: string[] = [];
  const piece = (length: Length, takes: number) =>
    shares.work(account(), length, () => {
      order.push(length);
      now += takes;
    });
  const long = Array.from({ length: 20 }, () => piece("long", 20));
  await long[3];
  await Promise.all(Array.from({ length: 50 }, () => piece("short", 1)));
  assert.equal(Map.groupBy(order, (length) => length).get("short")!.length, 50);
  assert.ok(order.length <= 50 + 5, `${order.length - 50} long ones came before the short ones`);
  await Promise.all(long);
});

Deno.test("a piece that fails fails alone", async () => {
  const shares = createShares();
  await assert.rejects(shares.work(account(), "short", () => assert.fail("broken")), { message: "broken" });
  assert.equal(await shares.work(account(), "short", () => 1), 1);
});

Deno.test("reads are under way up to a weight, what can be later comes after what comes now", async () => {
  const shares = createShares();
  const order: string[] = [];
  const ends: Array<() => void> = [];
  const load = (name: string, weight: number, later?: number) =>
    shares.load(account(), { weight, lists: 1 }, () => {
      order.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    }, later);
  const settled = () => new Promise((resolve) => setTimeout(resolve));

  const all = [load("heavy", 128), load("later", 16, 50), load("now", 16), load("heavy again", 128)];
  await settled();
  assert.deepEqual(order, ["heavy"]);
  ends.shift()!();
  await settled();
  assert.deepEqual(
    order,
    ["heavy", "now"],
    "two that are short, and a heavy one that finds no place before the last",
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

Deno.test("reads without lists wait for none with lists, and those for none of rooms whose lists are large", async () => {
  const shares = createShares();
  const order: string[] = [];
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const load = (name: string, weight: number, lists: number, isLarge = false) =>
    shares.load({ ...account(), isLarge }, { weight, lists }, () => {
      order.push(name);
      return end;
    });
  const all = [
    load("large", 128, 1, true),
    load("large too", 128, 1, true),
    load("lists", 128, 1),
    load("lists too", 128, 1),
    load("key", 128, 0),
  ];
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(order, ["large", "lists", "key"]);
  resolve();
  await Promise.all(all);
});

Deno.test("a viewer of a room keeps its account, which is no other viewer's", () => {
  const accountOf = createAccounts();
  const [own, other] = [accountOf(EVERYBODY, "r"), accountOf(holderOf("hash", "r"), "r")];
  assert.notEqual(own, other);
  assert.equal(accountOf(EVERYBODY, "r"), own);
  assert.equal(accountOf(holderOf("hash", "r"), "r"), other);
});

Deno.test("a read that fails makes way", async () => {
  const shares = createShares();
  await assert.rejects(
    shares.load(account(), { weight: 128, lists: 1 }, () => Promise.reject(new Error("away"))),
    {
      message: "away",
    },
  );
  assert.equal(await shares.load(account(), { weight: 128, lists: 1 }, () => Promise.resolve(1)), 1);
});
