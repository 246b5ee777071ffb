import assert from "node:assert/strict";
import { contract, type Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { assertError, assertInvalid, assertMembers, assertStatus, members } from "../support/shapes.ts";

const KIB = 1024;

const put = (t: Subject, room: string, body: Json) => t.put(`/rooms/${room}/state`, { key: "k", ...body });
const putWith = (t: Subject, path: string, body: Json, headers: Record<string, string>) =>
  t.request("PUT", path, { body, headers });
const batch = (t: Subject, room: string, writes: Json[], more: Json = {}) =>
  t.put(`/rooms/${room}/state/batch`, {
    writes: writes.map((write) => ({ key: "k", ...write })),
    ...more,
  });

/** Edits the value that stands there; what comes of it, which is read again too. */
async function edited(t: Subject, room: string, value: Json, edit: Json): Promise<Json> {
  if (value === undefined) await t.delete(`/rooms/${room}/state`, { key: "k" });
  else await t.write(room, "k", value);
  const reply = await put(t, room, edit);
  assertStatus(reply, 200);
  assert.deepEqual(await t.entry(room, "k"), reply.body);
  return reply.body.value;
}

/** Tries an edit that the value does not take; the pointer at which it fails. */
async function refused(t: Subject, room: string, value: Json, edit: Json): Promise<string> {
  if (value !== undefined) await t.write(room, "k", value);
  const before = await t.entry(room, "k");
  const revision = await t.revision(room);
  const reply = await put(t, room, edit);
  assertError(reply, 409, "not_editable", ["current", "path"]);
  assert.deepEqual(reply.body.current, before ?? null);
  assert.equal(await t.revision(room), revision);
  return reply.body.path;
}

contract("merge is a JSON merge patch, as in its standard's table", async (t) => {
  const room = await t.room();
  const table: Array<[value: Json, patch: Json, result: Json]> = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1, null] }, { a: [1, null] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [undefined, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    [undefined, {}, {}],
  ];
  for (const [value, merge, result] of table) {
    assert.deepEqual(await edited(t, room, value, { merge }), result, JSON.stringify(merge));
  }
});

contract("names are data in an edit, whatever they look like", async (t) => {
  const names = [
    "",
    "a.b",
    "[0]",
    "$",
    "#",
    "-",
    "0",
    'a"b',
    "a\\b",
    "\\u0022",
    "a/b",
    "~",
    "é",
    "\n",
    "'",
  ];
  const escaped = (name: string) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  await Promise.all([...names, "__proto__", "constructor", "a\u0000b", "\ud800"].map(async (name) => {
    const room = await t.room();
    const holding = (value: Json) =>
      JSON.parse(`{"other":1,${JSON.stringify(name)}:${JSON.stringify(value)}}`);
    const merge = JSON.parse(`{${JSON.stringify(name)}:2}`);
    assert.deepEqual(await edited(t, room, holding(1), { merge }), holding(2), name);
    assert.deepEqual(await edited(t, room, { other: 1 }, { merge }), holding(2), name);
    const set = JSON.parse(`{${JSON.stringify(escaped(name))}:[2]}`);
    assert.deepEqual(await edited(t, room, holding(1), { set }), holding([2]), name);
    assert.deepEqual(await edited(t, room, { other: 1 }, { set }), holding([2]), name);
    const inside = JSON.parse(`{${JSON.stringify(`${escaped(name)}/1`)}:3}`);
    assert.deepEqual(await edited(t, room, holding([2]), { set: inside }), holding([2, 3]), name);
    assert.deepEqual(await edited(t, room, holding([2]), { unset: [escaped(name)] }), { other: 1 }, name);
    assert.deepEqual(await edited(t, room, [holding(1), 1], { remove: holding(1) }), [1], name);
  }));
});

contract("a NUL in a name of the value leaves other names what they are", async (t) => {
  const room = await t.room();
  const value = { "a\u0000b": 1 };
  assert.deepEqual(await edited(t, room, value, { merge: { a: 2 } }), { ...value, a: 2 });
  assert.deepEqual(await edited(t, room, value, { set: { "/a": 2 } }), { ...value, a: 2 });
  assert.equal(await refused(t, room, value, { unset: ["/a"] }), "/a");
  assert.equal(await refused(t, room, value, { set: { "/a/b": 1 } }), "/a/b");
});

contract("append and append_all add to the end of a list", async (t) => {
  const room = await t.room();
  assert.deepEqual(await edited(t, room, undefined, { append: 1 }), [1]);
  assert.deepEqual(await edited(t, room, [], { append: [] }), [[]]);
  assert.deepEqual(await edited(t, room, [[], "]"], { append: "é😀]" }), [[], "]", "é😀]"]);
  assert.deepEqual(await edited(t, room, ["é"], { append: null }), ["é", null]);
  assert.deepEqual(await edited(t, room, undefined, { append_all: [1, { a: [2] }] }), [1, { a: [2] }]);
  assert.deepEqual(await edited(t, room, [0], { append_all: [1, 2] }), [0, 1, 2]);
  assert.deepEqual(await edited(t, room, [0], { append_all: [] }), [0]);
  assert.deepEqual(await edited(t, room, undefined, { append_all: [] }), []);
});

contract("remove takes every equal member of a list", async (t) => {
  const room = await t.room();
  const cases: Array<[value: Json, remove: Json, left: Json]> = [
    [[1, 2, 1, "1", [1], true], 1, [2, "1", [1], true]],
    [["a", "A", "a"], "a", ["A"]],
    [[null, 0, false, ""], null, [0, false, ""]],
    [[null, 0, false, true, ""], false, [null, 0, true, ""]],
    [[0.1, 0.5, 1e-7, 1e21], 1e-7, [0.1, 0.5, 1e21]],
    [[[1, 2], [2, 1], [1, 2]], [1, 2], [[2, 1]]],
    [[{ a: 1, b: { c: 2, d: 3 } }, { a: 1 }], { b: { d: 3, c: 2 }, a: 1 }, [{ a: 1 }]],
    [[{ a: 1, b: 22 }, { b: 1, a: 22 }], { b: 22, a: 1 }, [{ b: 1, a: 22 }]],
    [[{ a: 0.1, b: 1 }, { b: 1, a: 0.2 }], { b: 1, a: 0.1 }, [{ b: 1, a: 0.2 }]],
    [[{ a: "é\n", b: "" }, 1], { b: "", a: "é\n" }, [1]],
    [[{}, [], ""], {}, [[], ""]],
    [[["x", 1], { a: "x" }, "x"], "x", [["x", 1], { a: "x" }]],
    [Array.from({ length: 100 }, (_, n) => n % 2), 1, Array.from({ length: 50 }, () => 0)],
    [Array.from({ length: 8 }, () => 1), 1, []],
    [Array.from({ length: 9 }, () => 1), 1, []],
  ];
  for (const [value, remove, left] of cases) {
    assert.deepEqual(await edited(t, room, value, { remove }), left, JSON.stringify([value, remove]));
  }
  await t.write(room, "k", [1]);
  const raw = '{"key":"k","remove":1.0}';
  assert.deepEqual((await t.request("PUT", `/rooms/${room}/state`, { raw })).body.value, []);
});

contract("to remove what is not in the list changes nothing and is no write", async (t) => {
  const room = await t.room();
  await t.agent(room, "ann");
  for (const value of [[], [1, 2], [{ a: 1 }]]) {
    const written = await t.write(room, "k", value, { agent: "bob" });
    const revision = await t.revision(room);
    for (const remove of [3, { a: 2 }, { a: 1, b: 1.5 }, null, "\u0000"]) {
      const reply = await put(t, room, { remove, agent: "ann", if_version: written.version });
      assertStatus(reply, 200);
      assert.deepEqual(reply.body, written);
      assert.equal(reply.revision, revision);
    }
    assert.deepEqual(await t.entry(room, "k"), written);
    assert.equal(await t.revision(room), revision);
  }
  const stale = await put(t, room, { remove: 3, if_version: 1 });
  assertError(stale, 409, "version_conflict", ["current"]);
  const gate = { remove: 3, if: "state._shared.k == []" };
  assertError(await put(t, room, gate), 409, "precondition_failed", ["expression", "evaluated"]);
  assertStatus(await put(t, room, { remove: 3, if: "size(state._shared.k) == 1" }), 200);
});

contract("set and unset go by pointers, set first and unset from the last", async (t) => {
  const room = await t.room();
  const value = { a: { b: [1, 2, 3] }, list: [{ x: 1 }], none: null };
  const cases: Array<[edit: Json, result: Json]> = [
    [{ set: { "/a/b/0": 9 } }, { ...value, a: { b: [9, 2, 3] } }],
    [{ set: { "/a/b/3": 4, "/a/b/-": 5 } }, { ...value, a: { b: [1, 2, 3, 4, 5] } }],
    [{ set: { "/new": {}, "/new/x": [], "/new/x/0": null } }, { ...value, new: { x: [null] } }],
    [{ set: { "/a": 1 } }, { ...value, a: 1 }],
    [{ set: { "/none": [null, { a: null }] } }, { ...value, none: [null, { a: null }] }],
    [{ set: { "/list/0/x": { y: 1 } } }, { ...value, list: [{ x: { y: 1 } }] }],
    [{ set: { "/a/0": 1, "/a/-": 2, "/a/01": 3 } }, { ...value, a: { ...value.a, 0: 1, "-": 2, "01": 3 } }],
    [{ unset: ["/a/b/0", "/a/b/2", "/none"] }, { a: { b: [2] }, list: [{ x: 1 }] }],
    [{ unset: ["/a", "/a/b"] }, { list: [{ x: 1 }], none: null }],
    [{ set: { "/t": 1 }, unset: ["/t", "/none"] }, { a: value.a, list: value.list }],
  ];
  for (const [edit, result] of cases) {
    assert.deepEqual(await edited(t, room, value, edit), result, JSON.stringify(edit));
  }
  assert.deepEqual(await edited(t, room, [1, [2]], { set: { "/1/0": 3, "/-": 4 }, unset: ["/0"] }), [[3], 4]);
  assert.deepEqual(await edited(t, room, [], { set: { "/0": 1, "/1": 2 } }), [1, 2]);
});

contract("a pointer to nothing is refused with its path, and nothing is changed", async (t) => {
  const room = await t.room();
  const value = { a: { b: [1] }, n: 1 };
  const edits: Array<[edit: Json, path: string]> = [
    [{ set: { "/x/y": 1 } }, "/x/y"],
    [{ set: { "/n/y": 1 } }, "/n/y"],
    [{ set: { "/a/c": 1, "/a/b/2": 1 } }, "/a/b/2"],
    [{ set: { "/a/b/01": 1 } }, "/a/b/01"],
    [{ set: { "/a/b/x": 1 } }, "/a/b/x"],
    [{ set: { "/a/b/-1": 1 } }, "/a/b/-1"],
    [{ set: { "/a/b/-/x": 1 } }, "/a/b/-/x"],
    [{ set: { "/a/b/99999999999999999999": 1 } }, "/a/b/99999999999999999999"],
    [{ set: { "/a/b/4294967296": 1 } }, "/a/b/4294967296"],
    [{ set: { "/a/b/0/c": 1 } }, "/a/b/0/c"],
    [{ unset: ["/x"] }, "/x"],
    [{ unset: ["/a/b/1"] }, "/a/b/1"],
    [{ unset: ["/a/b/-"] }, "/a/b/-"],
    [{ unset: ["/n", "/n"] }, "/n"],
    [{ unset: ["/a/b", "/a"] }, "/a/b"],
    [{ set: { "/new": 1 }, unset: ["/other"] }, "/other"],
    [{ set: { "/a~1b": 1, "/n/~0~1": 1 } }, "/n/~0~1"],
  ];
  for (const [edit, path] of edits) {
    assert.equal(await refused(t, room, value, edit), path, JSON.stringify(edit));
  }
});

contract("a value of another type and a missing key are refused at the path of all", async (t) => {
  const room = await t.room();
  const edits = {
    merge: { merge: {} },
    append: { append: 1 },
    append_all: { append_all: [] },
    remove: { remove: 1 },
    set: { set: { "/0": 1 } },
    unset: { unset: ["/0"] },
  };
  for (const [name, edit] of Object.entries(edits)) {
    const others = name === "merge" ? [[], [{}]] : name.endsWith("set") ? [] : [{}, { 0: 1 }];
    for (const value of [null, true, 0, 1.5, "text", "[]", "{}", ...others]) {
      assert.equal(await refused(t, room, value, edit), "", `${name} ${JSON.stringify(value)}`);
    }
    await t.delete(`/rooms/${room}/state`, { key: "k" });
    if (["remove", "set", "unset"].includes(name)) assert.equal(await refused(t, room, undefined, edit), "");
  }
  const reply = await put(t, room, { append: 1, key: "m" });
  assertMembers(reply.body, members.entry);
});

contract("what makes no edit is refused, and named", async (t) => {
  const room = await t.room();
  await t.write(room, "k", { a: [] });
  for (
    const edit of [{ merge: [] }, { merge: "a" }, { append_all: {} }, { append_all: 1 }, { set: [] }, {
      set: 1,
    }]
  ) {
    assertInvalid(await put(t, room, edit), Object.keys(edit));
  }
  assertInvalid(await put(t, room, { unset: "/a" }), ["unset"]);
  assertInvalid(await put(t, room, { unset: [1] }), ["unset", 0]);
  assertInvalid(await put(t, room, { unset: [] }), ["unset"]);
  assertInvalid(await put(t, room, { set: {} }), ["set"]);
  for (const pointer of ["", "a", "a/b", "/a~", "/~2", "#/a"]) {
    assertInvalid(await put(t, room, { set: { [pointer]: 1 } }), ["set", pointer]);
    assertInvalid(await put(t, room, { unset: ["/a", pointer] }), ["unset", 1]);
  }
  const edits: Json = { merge: {}, append: 1, append_all: [1], remove: 1, set: { "/a": 1 }, unset: ["/a"] };
  for (const [n, one] of Object.keys(edits).entries()) {
    for (const other of Object.keys(edits).slice(n + 1)) {
      if (one === "set" && other === "unset") continue;
      assertInvalid(await put(t, room, { [one]: edits[one], [other]: edits[other] }), [other]);
    }
    assertInvalid(await put(t, room, { [one]: edits[one], value: 1 }), ["value"]);
    assertInvalid(await put(t, room, { [one]: edits[one], increment: true }), ["increment"]);
    assertInvalid(await put(t, room, { [one]: edits[one], scope: "_view", expr: "1" }), [one]);
    assertInvalid(await put(t, room, { [one]: edits[one], scope: "_view" }), ["expr"]);
    assertInvalid(await batch(t, room, [{ value: 1 }, { [one]: edits[one], value: 1 }]), [
      "writes",
      1,
      "value",
    ]);
  }
  assert.deepEqual((await t.entry(room, "k")).value, { a: [] });
  const absent = {
    merge: null,
    append_all: null,
    set: null,
    unset: null,
    value: null,
    increment: false,
    expr: null,
  };
  assert.deepEqual(await edited(t, room, [1], { ...absent, append: 2 }), [1, 2]);
  assert.deepEqual(await edited(t, room, [1], { ...absent, increment: undefined, append: undefined }), null);
});

contract("an edit sets and unsets at most 20 pointers each", async (t) => {
  const room = await t.room();
  const pointers = Array.from({ length: 21 }, (_, n) => `/k${n}`);
  const set = (count: number) => Object.fromEntries(pointers.slice(0, count).map((path) => [path, 1]));
  assert.deepEqual(await edited(t, room, { a: 1 }, { set: set(20), unset: pointers.slice(0, 20) }), { a: 1 });
  assertInvalid(await put(t, room, { set: set(21) }), ["set"]);
  assertInvalid(await put(t, room, { unset: pointers }), ["unset"]);
});

contract("the result of an edit keeps to the limits of values", async (t) => {
  const room = await t.room();
  const text = (bytes: number) => "é".repeat(bytes / 2 - 1);
  const full = [text(64 * KIB - 2 - 4)]; // the brackets, and room for ",1" twice
  const first = await t.write(room, "k", full);
  assertStatus(await put(t, room, { append: 1 }), 200);
  assertStatus(await put(t, room, { append: 1 }), 200);
  const before = await t.entry(room, "k");
  assert.equal(before.version, first.version + 2);
  for (
    const edit of [{ append: 1 }, { append_all: [1] }, { set: { "/-": 1 } }, {
      set: { "/0": text(64 * KIB) },
    }]
  ) {
    assertError(await put(t, room, edit), 413, "too_large");
    assertError(await batch(t, room, [{ key: "o", value: 1 }, edit]), 413, "too_large", ["index"]);
  }
  assert.deepEqual(await t.entry(room, "k"), before);
  assert.equal(await t.entry(room, "o"), undefined);
  await t.write(room, "k", { a: text(40 * KIB) });
  assertError(await put(t, room, { merge: { b: text(40 * KIB) } }), 413, "too_large");
  assertStatus(await put(t, room, { merge: { a: text(60 * KIB) } }), 200);
  assertError(await put(t, room, { append: text(80 * KIB) }), 413, "too_large");
  const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [n.toString(36), 1]));
  assertError(await put(t, room, { merge: many }), 413, "too_large");
});

contract("the result of an edit is nested at most as deep as a value", async (t) => {
  const room = await t.room();
  const nested = (depth: number): Json => depth === 0 ? 1 : [nested(depth - 1)];
  await t.write(room, "k", [nested(62)]);
  assertStatus(await put(t, room, { append: nested(62) }), 200);
  assertInvalid(await put(t, room, { append: nested(63) }), ["append"]);
  const path = `/0${"/0".repeat(59)}`;
  assertStatus(await put(t, room, { set: { [path]: nested(3) } }), 200);
  assertInvalid(await put(t, room, { set: { [path]: nested(4) } }), ["set", path]);
  assertInvalid(await batch(t, room, [{ append: 1 }, { append: nested(61) }, { append: nested(63) }]));
  assert.deepEqual((await t.entry(room, "k")).version, 3);
});

contract("an edit keeps to if_version and its gate, and bears its writer", async (t) => {
  const room = await t.room();
  const made = await put(t, room, { append: 1, if_version: 0, agent: "ann" });
  assert.deepEqual([made.body.version, made.body.updated_by], [1, "ann"]);
  assertError(await put(t, room, { append: 1, if_version: 0 }), 409, "version_conflict", ["current"]);
  const next = await put(t, room, {
    append: 2,
    if_version: 1,
    if: "size(state._shared.k) == 1 && self == 'bob'",
    agent: "bob",
  });
  assert.deepEqual([next.body.value, next.body.version, next.body.updated_by], [[1, 2], 2, "bob"]);
  const refusal = await put(t, room, { append: 2, if: "size(state._shared.k) == 1" });
  assertError(refusal, 409, "precondition_failed", ["expression", "evaluated"]);
  const etag = await putWith(t, `/rooms/${room}/state`, { key: "k", append: 3 }, { "If-Match": '"2"' });
  assertStatus(etag, 200);
  assert.equal(await t.value(room, "state._shared.k[2] + size(state._shared.k)"), 6);
});

contract("an edit of a deleted key begins anew, with the next version", async (t) => {
  const room = await t.room();
  await t.write(room, "k", [1]);
  await t.delete(`/rooms/${room}/state`, { key: "k" });
  assertError(await put(t, room, { remove: 1 }), 409, "not_editable", ["current", "path"]);
  const reply = await put(t, room, { append: 2 });
  assert.deepEqual([reply.body.value, reply.body.version], [[2], 3]);
});

contract("an edit wakes a wait and stands in what changed", async (t) => {
  const room = await t.room();
  const waiting = t.post(`/rooms/${room}/wait`, { condition: "'done' in state._shared.k", timeout: 20_000 });
  await put(t, room, { append: "done" });
  assert.equal((await waiting).body.triggered, true);
});

contract("edits of a batch see those before them, of the same key too", async (t) => {
  const room = await t.room();
  const reply = await batch(t, room, [
    { append: 1 },
    { append_all: [2, 3] },
    { remove: 2 },
    { set: { "/0": { a: 1 } } },
    { set: { "/0/b": 2 }, unset: ["/0/a"] },
    { key: "o", merge: { x: 1 } },
    { value: { fresh: [1] } },
    { merge: { more: true } },
    { unset: ["/fresh/0"], if_version: 7 },
    { value: 5 },
    { increment: 2 },
    { key: "o", merge: { x: null, y: 2 } },
  ]);
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.state.map(({ key, value, version }: Json) => [key, version, value]), [
    ["k", 1, [1]],
    ["k", 2, [1, 2, 3]],
    ["k", 3, [1, 3]],
    ["k", 4, [{ a: 1 }, 3]],
    ["k", 5, [{ b: 2 }, 3]],
    ["o", 1, { x: 1 }],
    ["k", 6, { fresh: [1] }],
    ["k", 7, { fresh: [1], more: true }],
    ["k", 8, { fresh: [], more: true }],
    ["k", 9, 5],
    ["k", 10, 7],
    ["o", 2, { y: 2 }],
  ]);
  assert.deepEqual(await t.entry(room, "k"), reply.body.state[10]);
  assert.deepEqual(await t.entry(room, "o"), reply.body.state[11]);
});

contract("of a batch with an edit that fails nothing is done, and its place is named", async (t) => {
  const room = await t.room();
  await t.write(room, "k", { list: [1] });
  const revision = await t.revision(room);
  const cases: Array<[writes: Json[], index: number, path: string]> = [
    [[{ merge: { a: 1 } }, { append: 1 }], 1, ""],
    [[{ key: "o", value: 1 }, { unset: ["/list"] }, { set: { "/list/0": 1 } }], 2, "/list/0"],
    [[{ key: "o", append: 1 }, { key: "o", merge: {} }], 1, ""],
    [[{ value: 1 }, { append: 1 }], 1, ""],
    [[{ key: "o", increment: 1 }, { key: "o", append: 1 }], 1, ""],
    [[{ key: "o", increment: 0.5 }, { key: "o", append: 1 }], 1, ""],
    [[{ key: "o", remove: 1 }, { key: "o", append: 1 }], 0, ""],
  ];
  for (const [writes, index, path] of cases) {
    const reply = await batch(t, room, writes);
    assertError(reply, 409, "not_editable", ["index", "current", "path"]);
    assert.deepEqual([reply.body.index, reply.body.path], [index, path], JSON.stringify(writes));
  }
  const sum = await batch(t, room, [{ merge: {} }, { increment: 1 }]);
  assertError(sum, 409, "not_a_number", ["index", "current"]);
  assert.equal(sum.body.index, 1);
  assert.equal(await t.revision(room), revision);
  assert.equal(await t.entry(room, "o"), undefined);
});

contract("in a batch a removal of nothing is no write, and versions go on without it", async (t) => {
  const room = await t.room();
  await t.write(room, "k", [1]);
  const nothing = { remove: 9 };
  const one = await batch(t, room, [nothing, { remove: 1, if_version: 1 }, nothing, {
    append: 2,
    if_version: 2,
  }]);
  assertStatus(one, 200);
  assert.deepEqual(one.body.state.map(({ version, value }: Json) => [version, value]), [
    [1, [1]],
    [2, []],
    [2, []],
    [3, [2]],
  ]);
  const stale = await batch(t, room, [nothing, { append: 3, if_version: 4 }]);
  assertError(stale, 409, "version_conflict", ["index", "current"]);
  const revision = await t.revision(room);
  await t.write(room, "o", ["x"]);
  const all = await batch(t, room, [nothing, { key: "o", remove: "y", if_version: 1 }], { agent: "ann" });
  assertStatus(all, 200);
  assert.deepEqual(all.body.state, [await t.entry(room, "k"), await t.entry(room, "o")]);
  assert.equal(all.revision, revision + 1);
  assert.equal(await t.revision(room), revision + 1);
  const mixed = await batch(t, room, [{ remove: { a: 1, b: 1.5 } }, {
    key: "o",
    increment: 0,
    value: undefined,
  }]);
  assertError(mixed, 409, "not_a_number", ["index", "current"]);
  const odd = await batch(t, room, [{ remove: { a: 1, b: 1.5 } }, { key: "n", increment: 0.5 }]);
  assert.deepEqual(odd.body.state.map(({ version }: Json) => version), [3, 1]);
});

contract("edits behind a gate and in a batch with fractions are one write", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 0.25);
  const reply = await batch(t, room, [{ key: "n", increment: 0.5 }, { append: 1 }, { merge: {}, key: "o" }], {
    if: "state._shared.n < 1",
    agent: "ann",
  });
  assertStatus(reply, 200);
  assert.deepEqual(reply.body.state.map(({ value, updated_by }: Json) => [value, updated_by]), [
    [0.75, "ann"],
    [[1], "ann"],
    [{}, "ann"],
  ]);
  assert.equal(reply.revision, 2);
});

contract("an edit repeated under its key answers the same, and is made once", async (t) => {
  const room = await t.room();
  await t.write(room, "n", 0.5);
  await t.write(room, "list", [{ a: 1, b: 0.5 }]);
  const requests: Array<[path: string, body: Json]> = [
    ["state", { key: "k", append: { a: "é\n\u0001" } }],
    ["state", { key: "k", set: { "/0/b": 0.1 } }],
    ["state", { key: "k", remove: "nothing" }],
    ["state", { key: "list", remove: { b: 0.25, a: 1 } }],
    ["state", { key: "list", remove: { b: 0.5, a: 1 } }],
    ["state/batch", {
      writes: [{ key: "k", append: 1 }, { key: "k", remove: 2 }, { key: "n", increment: 1 }],
    }],
    ["state/batch", { writes: [{ key: "k", remove: 3 }, { key: "k", remove: 2 }] }],
  ];
  for (const [path, body] of requests) {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const send = () => putWith(t, `/rooms/${room}/${path}`, body, headers);
    const first = await send();
    assertStatus(first, 200);
    await t.write(room, "k", ["later"]);
    const again = await send();
    assert.deepEqual([again.status, again.body, again.revision], [200, first.body, first.revision]);
    await t.write(room, "k", [{ a: 1 }]);
  }
});

contract("many edits at once all count", async (t) => {
  const room = await t.room();
  const crowd = Array.from({ length: 60 }, (_, n) => n);
  const replies = await Promise.all(
    crowd.map((n) =>
      n % 3 === 0
        ? put(t, room, { append: n })
        : n % 3 === 1
        ? put(t, room, { key: "m", merge: { [n]: n } })
        : batch(t, room, [{ append: n }, { key: "m", merge: { [n]: n } }])
    ),
  );
  for (const reply of replies) assertStatus(reply, 200);
  const list = (await t.entry(room, "k")).value;
  assert.deepEqual(list.toSorted((a: number, b: number) => a - b), crowd.filter((n) => n % 3 !== 1));
  assert.deepEqual(Object.keys((await t.entry(room, "m")).value).length, 40);
});
