import assert from "node:assert/strict";
import { DatabaseUnavailable } from "../../db/driver/faults.ts";
import { VERSION } from "../../version.ts";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { bearer, OPERATOR } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== "";) {
    const [all, name, value] = LABEL.exec(rest) ?? assert.fail(`no label: ${rest}`);
    assert.ok(!(name! in labels), `${name} twice`);
    labels[name!] = value!;
    rest = rest.slice(all.length);
  }
  return labels;
}

/** A family's samples by their labels, as `le=0.1,mode=read`; what has a suffix stands under its whole name. */
type Figures = Map<string, Map<string, number>>;

/** Reads the text format by its specification, which has a family's lines stand together, below its HELP and TYPE. */
function figuresIn(text: string): Figures {
  assert.ok(text.endsWith("\n"));
  const figures: Figures = new Map();
  const seen = new Set<string>();
  let [family, type] = ["", ""];
  for (const line of text.slice(0, -1).split("\n")) {
    const [, word, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? [];
    if (word === "HELP") {
      assert.ok(!seen.has(name!), `${name} twice`);
      seen.add(family = name!);
    } else if (word === "TYPE") {
      assert.equal(name, family);
      assert.match(type = rest!, /^(counter|gauge|histogram)$/);
      assert.equal(type === "counter", family.endsWith("_total"), family);
    } else {
      const [, sample, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ??
        assert.fail(`no sample: ${line}`);
      const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      assert.ok(suffixes.some((suffix) => sample === family + suffix), `${line} in ${family}`);
      assert.match(value!, /^(\d+(\.\d+)?(e[+-]?\d+)?|\+Inf|NaN)$/);
      const own = figures.get(sample!) ?? new Map<string, number>();
      const key = Object.entries(labelsOf(labels)).map((pair) => pair.join("=")).sort().join();
      assert.ok(!own.has(key), `${line} twice`);
      figures.set(sample!, own.set(key, Number(value)));
    }
  }
  for (const [name, samples] of figures) {
    if (name.endsWith("_bucket")) assertHistogram(name.replace("_bucket", ""), samples, figures);
  }
  return figures;
}

/** Buckets are cumulative, in order, and end with all that were counted. */
function assertHistogram(name: string, buckets: Map<string, number>, figures: Figures): void {
  const series = Map.groupBy(buckets, ([labels]) => labels.replace(/le=[^,]*,?/, "").replace(/,$/, ""));
  for (const [labels, own] of series) {
    const bounds = own.map(([text]) => Number(/le=([^,]*)/.exec(text)![1]!.replace("+Inf", "Infinity")));
    assert.deepEqual(bounds, bounds.toSorted((a, b) => a - b));
    const counts = own.map(([, count]) => count);
    assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
    assert.equal(bounds.at(-1), Infinity);
    assert.equal(counts.at(-1), figures.get(`${name}_count`)!.get(labels));
    assert.ok(figures.get(`${name}_sum`)!.get(labels)! >= 0);
  }
}

const readMetrics = async ({ request }: Pick<TestApp, "request">): Promise<Figures> => {
  const response = await request("GET", "/metrics", undefined, bearer(OPERATOR));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return figuresIn(await response.text());
};

Deno.test("the figures of an instance are in the text format, and count what it has answered", () =>
  withApp(async (t) => {
    const before = await readMetrics(t);
    const answered = (figures: Figures, status: number) =>
      figures.get("convene_requests_total")?.get(`status=${status}`) ?? 0;
    assert.deepEqual(
      [...before.keys()],
      [
        "convene_limited_total",
        "convene_waits_open",
        "convene_streams_open",
        "convene_rooms",
        ...["_bucket", "_sum", "_count"].map((suffix) => `convene_database_seconds${suffix}`),
        "convene_database_failures_total",
        "convene_database_queued",
        "convene_build_info",
        "process_resident_memory_bytes",
        "process_heap_bytes",
        "process_start_time_seconds",
      ],
    );
    await t.json("POST", "/rooms", { id: "secret" });
    await t.json("POST", "/rooms/secret/agents", { id: "ann", name: "Ann" });
    await t.json("GET", "/rooms/secret");
    await t.app.request("http://localhost//rooms/secret//"); // answered at its plain path, and counted there
    await t.json("GET", "/rooms/none");
    await t.json("POST", "/rooms/secret/messages", {});
    await t.request("GET", "/nothing/here");
    const after = await readMetrics(t);
    assert.deepEqual(
      [200, 201, 400, 404].map((status) => answered(after, status) - answered(before, status)),
      [3, 2, 1, 2],
    );
    const trips = (mode: string) => after.get("convene_database_seconds_count")!.get(`mode=${mode}`)!;
    assert.ok(trips("read") >= 2 && trips("write") >= 2, `${trips("read")}, ${trips("write")}`);
    assert.deepEqual([...after.get("convene_database_queued")!], [["mode=read", 0], ["mode=write", 0]]);
    assert.deepEqual([...after.get("convene_build_info")!], [[`version=${VERSION}`, 1]]);
    const labels = [...after.values()].flatMap((samples) => [...samples.keys()]).join();
    assert.doesNotMatch(labels, /secret|ann|none|127/);
  }, { operatorToken: OPERATOR }));

Deno.test("refusals with 429 are counted by what there was too much of", () =>
  withApp(async (t) => {
    const ask = (path: string, hostname = "203.0.113.7") =>
      t.app.request(path, {}, { remoteAddr: { hostname } });
    await t.json("POST", "/rooms", { id: "r" });
    await t.json("POST", "/rooms", { id: "s" });
    const wait = ask("/rooms/s/wait?condition=has(state._shared.k)");
    assert.equal((await ask("/rooms/s/wait?condition=has(state._shared.k)")).status, 429);
    const stream = await ask("/rooms/s/events");
    assert.equal((await ask("/rooms/s/events")).status, 429);
    await stream.body!.cancel();
    for (let n = 0; n < 10; n++) await t.request("GET", `/join/00000-0000${n}`);
    assert.equal((await t.request("GET", "/join/00000-00000")).status, 429);
    // Ten at once, and then none for a while, neither of the room nor of a caller.
    const all = async (path: (n: number) => string, from: (n: number) => string) => {
      const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(path(n), from(n))));
      return replies.filter(({ status }) => status === 429).length;
    };
    const ofRoom = await all(() => "/rooms/r", (n) => `198.51.100.${n}`);
    const ofCaller = await all((n) => `/rooms/${n}`, () => "198.51.100.99");
    assert.ok(ofRoom > 0 && ofCaller > 0, `${ofRoom}, ${ofCaller}`);
    await t.json("PUT", "/rooms/s/state", { key: "k", value: 1 });
    const refused = (await readMetrics(t)).get("convene_limited_total")!;
    assert.deepEqual(Object.fromEntries(refused), {
      "limit=caller": ofCaller,
      "limit=room": ofRoom,
      "limit=waits": 1,
      "limit=streams": 1,
      "limit=codes": 1,
    });
    await wait;
  }, {
    operatorToken: OPERATOR,
    fairUse: { ...FAIR_USE, callerPerSecond: 1, roomPerSecond: 1, waitsOfCaller: 1, streamsOfCaller: 1 },
  }));

Deno.test("the figures are shown while the database refuses, and while it hangs", () => {
  let state: "well" | "refusing" | "hanging" = "well";
  const hanging = Promise.withResolvers<never>();
  return withApp(async (t) => {
    state = "refusing";
    const none = await readMetrics(t);
    assert.equal(none.has("convene_rooms"), false);
    assert.equal((await t.json("GET", "/rooms/r")).status, 503);
    const figures = await readMetrics(t);
    assert.equal(figures.get("convene_requests_total")!.get("status=503"), 1);
    assert.ok(figures.get("convene_database_failures_total")!.get("mode=read")! >= 2);
    state = "hanging";
    assert.equal((await readMetrics(t)).has("convene_rooms"), false);
    state = "well";
    hanging.reject(new DatabaseUnavailable("It was lost.", false));
    await until(() => readMetrics(t), (figures) => figures.has("convene_rooms"));
  }, {
    operatorToken: OPERATOR,
    wrap: (connection) => ({
      send(statements, mode) {
        if (state === "hanging") return hanging.promise;
        if (state === "refusing") throw new DatabaseUnavailable("It is away.", false);
        return connection.send(statements, mode);
      },
      close: () => connection.close(),
    }),
  });
});
