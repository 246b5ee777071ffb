import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import type { Statement } from "../../db/driver/statement.ts";
import { Refusal } from "../../db/refusal.ts";
import { createRoom } from "../../db/rooms/create.ts";
import { applyEdit, type Edit } from "../../db/state/edit.ts";
import type { StateWrite } from "../../db/state/put.ts";
import { areForDatabase } from "../../db/state/edit_sql.ts";
import { getEntry } from "../../db/state/read.ts";
import { putEntries } from "../../db/state/write.ts";
import { SERVICE } from "../../db/viewer.ts";
import { LIMITS } from "../../routes/http/limits.ts";
import { editOf } from "../../routes/state/edits.ts";
import { type Edit as Sent, edit, type Edited, type Json, same } from "../model/reference/edits.ts";
import { DATABASES } from "../support/databases.ts";
import { perform } from "../support/perform.ts";

/*
 * Drawn edits of drawn values, singly and in batches, against the reference implementation. What the database cannot
 * hold or compare exactly is computed by the service, in further round trips; all else is to take one.
 */

const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000);
const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 150);

// The runtime's JSON.parse reads some names that end in an escape as \\u0001 does as another (V8 15.0).
const NAMES = [
  ...[
    "a",
    "b",
    "c",
    "ab",
    "",
    "__proto__",
    "constructor",
    'a"b',
    "a\\b",
    '"',
    "a.b",
    "[0]",
    "$",
    "0",
    "1",
    "-",
  ],
  ...[
    "01",
    "a/b",
    "m~n",
    "\n",
    "\u007f",
    "é",
    "😀",
    "toString",
    "u0022",
    "\\u0022",
    "#",
    "a'b",
    "\t",
    " ",
  ],
  ...["\u2028", "ﬀ", "$.a", "null"],
];
const ODD_NAMES = ["\ud800x", "a\u0000b"];
const SCALARS = [
  ...[null, true, false, 0, 1, -1, 2, 0.5, 1e21, 1e20, 0.1, 0.30000000000000004, 1e-7, 123456.789],
  ...[Number.MAX_SAFE_INTEGER, "", "a", "1", "null", 'a"b', "a\\b", "\n", "é😀", "\u0001", "[]", "a", 1],
];
const ODD_SCALARS = ["\ud800", "a\u0000b"];

function createDraw(seed: number) {
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const int = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: T[]): T => list[int(list.length)]!;
  const many = <T>(most: number, draw: () => T) => Array.from({ length: int(most) }, draw);
  const name = () => random() < 0.02 ? pick(ODD_NAMES) : pick(NAMES);
  const scalar = () => random() < 0.02 ? pick(ODD_SCALARS) : pick<Json>(SCALARS);
  const members = (depth: number) => Object.fromEntries(many(5, () => [name(), value(depth)]));
  function value(depth: number): Json {
    const kind = depth <= 0 ? 0 : random();
    return kind < 0.4 ? scalar() : kind < 0.65 ? many(5, () => value(depth - 1)) : members(depth - 1);
  }
  const shuffled = (of: Json): Json =>
    of === null || typeof of !== "object" ? of : Array.isArray(of) ? of.map(shuffled) : Object.fromEntries(
      Object.entries(of).map(([name, member]) => [random(), name, shuffled(member)] as const)
        .sort(([one], [other]) => one - other).map(([, name, member]) => [name, member]),
    );

  /** Leads mostly to something that is there. */
  function pointer(of: Json): string {
    let path = "";
    for (let at = of, depth = 0; depth < 4; depth++) {
      const odd = random() < 0.15;
      let token: string;
      if (Array.isArray(at)) {
        token = odd || at.length === 0
          ? pick(["-", String(at.length), String(at.length + 1), "01", "a", "-1", "99999999999999999999"])
          : String(int(at.length));
      } else if (at !== null && typeof at === "object") {
        token = odd || Object.keys(at).length === 0 ? name() : pick(Object.keys(at));
      } else if (depth === 0 || odd) token = name();
      else break;
      path += `/${token.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      at = at !== null && typeof at === "object" && Object.hasOwn(at, token) ? at[token] : undefined;
      if (random() < 0.4) break;
    }
    return path;
  }

  /** Draws an edit, mostly one that a value takes. */
  function edit(of: Json): Sent {
    const kind = random() < 0.8 && of !== null && typeof of === "object"
      ? pick(
        Array.isArray(of) ? ["append", "append_all", "remove", "set", "unset"] : ["merge", "set", "unset"],
      )
      : pick(["merge", "append", "append_all", "remove", "set", "unset"]);
    switch (kind) {
      case "merge": {
        const known = isObject(of) ? Object.entries(of).filter(() => random() < 0.5) : [];
        const changed = known.map((
          [name, member],
        ) => [name, random() < 0.3 ? null : pick([member, value(2)])]);
        return { merge: Object.fromEntries([...changed, ...Object.entries(members(2))]) };
      }
      case "append":
        return { append: value(3) };
      case "append_all":
        return { append_all: many(3, () => value(2)) };
      case "remove":
        return {
          remove: Array.isArray(of) && of.length > 0 && random() < 0.8 ? shuffled(pick(of)) : value(2),
        };
      case "set":
        return {
          set: Object.fromEntries(
            [pointer(of), ...many(2, () => pointer(of))].map((path) => [path, value(2)]),
          ),
          ...(random() < 0.3 && { unset: [pointer(of)] }),
        };
      default:
        return { unset: [pointer(of), ...many(2, () => pointer(of))] };
    }
  }
  return { value, edit, random, int };
}

const isObject = (value: Json) => value !== null && typeof value === "object" && !Array.isArray(value);
const toEdit = (sent: Sent) => editOf({ key: "k", ...sent } as never, (member) => [member]) as Edit;
/** What SQL does not hold, or compares as doubles that it does not read exactly. */
const isOdd = (...values: Json[]) => /\\u0000|\\ud8|\d\.\d|e[-+]\d|\d{17}/.test(JSON.stringify(values));

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

Deno.test(`drawn edits leave what the reference leaves, and what they find as it was (seed ${SEED})`, () => {
  const draw = createDraw(SEED + 1);
  for (let round = 0; round < 20 * ROUNDS; round++) {
    let value = frozen(draw.value(4));
    for (let n = 0; n < 3; n++) {
      const sent = draw.edit(value);
      const wanted = edit(value, sent);
      const told = JSON.stringify({ value, sent });
      const result = applyEdit(value, frozen(toEdit(sent)));
      assert.equal(
        "path" in result ? result.path : undefined,
        "path" in wanted ? wanted.path : undefined,
        told,
      );
      if ("path" in result || "path" in wanted) break;
      assert.ok(same(result.value, wanted.value), told);
      value = frozen(result.value);
    }
  }
});

for (const [name, open] of Object.entries(DATABASES)) {
  Deno.test(`${name}: drawn edits leave what the reference leaves, in one round trip (seed ${SEED})`, async () => {
    const draw = createDraw(SEED + 1);
    const { url, stop } = await open();
    let trips = 0;
    const database = createDatabase({
      async connect() {
        const connection = await connect(url);
        const send = (statements: Statement[], mode: "read" | "write") => {
          trips++;
          return connection.send(statements, mode);
        };
        return { ...connection, send, close: () => connection.close() };
      },
    });
    const write = (writes: Array<Omit<StateWrite, "scope">>) => {
      const all = writes.map((write) => ({ scope: "_shared", ...write }));
      return perform(database, putEntries(database, "r", { writes: all, limits: LIMITS, batch: true }));
    };
    try {
      await perform(database, createRoom(database, { id: "r", meta: {} }));
      let version = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const value = draw.value(4);
        await write([{ key: "k", value }]);
        version++;
        const sent: Sent[] = [];
        const wanted: Edited[] = [];
        let last = value;
        do {
          const by = draw.edit(last);
          const result = edit(last, by);
          sent.push(by);
          wanted.push(result);
          if ("path" in result) break;
          last = result.value;
        } while (draw.random() < 0.4);
        const before = trips;
        const told = JSON.stringify({ value, sent });
        const edits = sent.map(toEdit);
        const found = await write(edits.map((edit) => ({ key: "k", edit }))).catch((error) => error);
        // Of several the database makes as many as do not keep it from others for long.
        const isOne = edits.length === 1 || areForDatabase(edits);
        if (isOne && !isOdd(value, sent)) {
          assert.equal(trips - before, 1, `${trips - before} round trips for ${told}`);
        }
        const failed = wanted.at(-1)!;
        if ("path" in failed) {
          assert.ok(found instanceof Refusal && found.code === "not_editable", `${told}: ${found}`);
          const { path, index } = found.facts as { path: string; index: number };
          assert.deepEqual([path, index], [failed.path, sent.length - 1], told);
        } else {
          assert.ok(!(found instanceof Error), `${told}: ${found}`);
          for (const [n, result] of wanted.entries()) {
            const left = JSON.parse(JSON.stringify(found.entries[n].value));
            assert.ok("value" in result && same(left, result.value), `${n}: ${told}`);
            if (result.written) version++;
            assert.equal(found.entries[n].version, version, told);
          }
        }
        const { entry } = await getEntry(database, SERVICE, "r", "_shared", "k");
        assert.ok(same(entry.value, "path" in failed ? value : failed.value), told);
        assert.equal(entry.version, version, told);
      }
    } finally {
      await database.close();
      await stop();
    }
  });
}
