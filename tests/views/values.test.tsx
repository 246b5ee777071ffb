import assert from "node:assert/strict";
import { hue, isOfThisMachine, quoted } from "../../views/shared/addresses.ts";
import { ago, Left } from "../../views/shared/times.tsx";
import { preview, Short, Source, Value } from "../../views/shared/values.tsx";

const PREVIEWS: Array<[unknown, string]> = [
  [null, "null"],
  ["text", '"text"'],
  [[], "[]"],
  [{}, "{}"],
  [[1, [2, 3], {}], "[ 1, [2 items], {} ]"],
  [{ lines: [1, 2, 3], one: [3] }, "{ lines: [3 items], one: [1 item] }"],
  [{ a: 1, b: { c: 2 }, d: [] }, "{ a: 1, b: {…}, d: [] }"],
];

for (const [value, line] of PREVIEWS) {
  Deno.test(`one line of ${JSON.stringify(value)}`, () => assert.equal(preview(value), line));
}

Deno.test("a preview that is cut says how much more there is", () => {
  const members = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`member-${n}`, n]));
  assert.match(preview(members), /^\{ member-0: 0, .*, … 3\d more \}$/);
  assert.ok(preview({ ["x".repeat(500)]: 1 }).length < 100);
});

Deno.test("a value that was cut says how long it is and where all of it is", () => {
  const html = String(<Value shown={{ cut: "[1,2", size: 70_000 }} source="/there" />);
  assert.match(html, /69,996 more characters/);
  assert.match(html, /href="\/there"/);
});

Deno.test("a long name is cut with a sign of how much more there is, the whole in its title", () => {
  const html = String(<Short text={"<b>" + "😀".repeat(247)} />);
  assert.match(
    html,
    /^<span title="&lt;b&gt;(😀){247}">&lt;b&gt;(😀){57}…<span[^>]*> 190 more<\/span><\/span>$/u,
  );
  assert.equal(String(<Short text={"x".repeat(60)} />), `<span>${"x".repeat(60)}</span>`);
});

Deno.test("the place of an error is marked, at the end too", () => {
  assert.match(
    String(<Source text="1 + nothing" position={4} />),
    /1 \+ <mark class="fault">nothing<\/mark>/,
  );
  assert.match(String(<Source text="1 +" position={3} />), /<mark class="fault"> <\/mark>/);
  assert.equal(String(<Source text="<b>" />), '<code class="source">&lt;b&gt;</code>');
});

Deno.test("addresses of this machine are told from those that others can reach", () => {
  const own = ["http://localhost:8000", "http://a.localhost", "http://127.0.0.1:8000", "http://[::1]:8000"];
  for (const address of own) assert.ok(isOfThisMachine(address), address);
  const others = [
    "https://convene.example",
    "http://192.168.1.7:8000",
    "http://127.example",
    "http://[fd00::1]",
  ];
  for (const address of others) assert.ok(!isOfThisMachine(address), address);
});

Deno.test("a shell sees a quoted text as it is", async () => {
  const text = `it's "quoted" $HOME \`id\` \\`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `printf %s ${quoted(text)}`] }).output();
  assert.equal(new TextDecoder().decode(stdout), text);
});

Deno.test("distances in time have one unit and are never negative", () => {
  const now = new Date("2026-11-22T12:00:00.000Z");
  const before = (seconds: number) => ago(new Date(now.getTime() - seconds * 1_000).toISOString(), now);
  assert.deepEqual([-5, 0, 59.9, 60, 3_599, 3_600, 86_400, 1e6].map(before), [
    "0 s",
    "0 s",
    "59 s",
    "1 min",
    "59 min",
    "1 h",
    "1 d",
    "11 d",
  ]);
});

Deno.test("a time that is none is drawn all the same, since a page must not fail for what is stored", () => {
  assert.equal(ago("", new Date()), "NaN d");
});

Deno.test("an agent's hue is always the same, and nobody's is none", () => {
  assert.equal(hue("ann"), hue("ann"));
  assert.match(hue("ann"), /^hue-([0-9]|[12][0-9]|3[0-5])$/);
  assert.equal(hue(null), "hue-none");
});

Deno.test("what is left of a time is rounded up, and never negative", () => {
  const now = new Date("2026-11-22T04:20:00.000Z");
  const left = (ms: number) => {
    const [, text] = />([^<]*)<\/time> left</.exec(
      String(Left({ at: new Date(now.getTime() + ms).toISOString(), now })),
    )!;
    return text;
  };
  assert.deepEqual([-5_000, 0, 1, 59_000, 59_001, 3_600_000].map(left), [
    "0 s",
    "0 s",
    "1 s",
    "59 s",
    "1 min",
    "1 h",
  ]);
});
