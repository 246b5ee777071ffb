/** Sixteen clients that increment one counter behind a gate, through one instance and through two. */
import { startService } from "../tests/support/service.ts";
import { startCountingProxy } from "./support/counting_proxy.ts";
import { type LoadClient, startLoadClient } from "./support/load_client.ts";
import { openDatabase, type Place, withCleanup } from "./support/places.ts";
import { quick, Report } from "./support/report.ts";
import { ask, connected, roundTrip } from "./support/requests.ts";
import { alternate, medians, sum } from "./support/statistics.ts";

const CLIENTS = 16;
const ROUNDS = quick ? 1 : 5;
const ROUND_MS = quick ? 500 : 3_000;
const GATE = "state._shared.count < 1000000000";

const report = new Report("contention");
await withCleanup(async (stack) => {
  const load = startLoadClient();
  stack.defer(() => load.stop());
  for (const place of ["libsql", "libsql + 10 ms"] as const) await measure(load, place);
});
await report.finish();

function measure(load: LoadClient, place: Place): Promise<void> {
  return withCleanup(async (stack) => {
    const proxy = startCountingProxy(stack, await openDatabase(stack, place));
    const urls: string[] = [];
    for (let n = 0; n < 2; n++) {
      const service = await startService({ database: proxy.url });
      stack.defer(() => service.stop());
      urls.push(service.url);
    }
    const connection = await connected(stack, urls[0]!);
    const trip = await roundTrip(connection);
    const subjects = {
      "one client": urls.slice(0, 1),
      "one instance": urls.slice(0, 1),
      "two instances": urls,
    };
    type Subject = keyof typeof subjects;

    const samples = await alternate(Object.keys(subjects) as Subject[], ROUNDS, async (subject, round) => {
      const room = `${subject.replace(" ", "-")}-${round}`;
      await ask(connection, "POST", "/rooms", { id: room });
      await ask(connection, "PUT", `/rooms/${room}/state`, { key: "count", value: 0 });
      const before = proxy.counts().requests;
      const request = { key: "count", increment: true, if: GATE };
      const { statuses, p50, p99 } = await load.run({
        urls: subjects[subject],
        connections: subject === "one client" ? 1 : CLIENTS,
        ms: ROUND_MS,
        requests: [["PUT", `/rooms/${room}/state`, request]],
      });
      const requests = proxy.counts().requests - before;
      const { value: count } = await ask(connection, "GET", `/rooms/${room}/state?key=count`);
      return { ...figures(statuses, count, requests, trip), "p50 ms": p50, "p99 ms": p99 };
    });
    const rows = Object.entries(samples).map(([subject, rounds]) => ({ subject, ...medians(rounds) }));
    report.table(`${place}: medians of ${ROUNDS} rounds; a round trip takes ${trip.toFixed(1)} ms`, rows);

    judge(place, samples["one instance"], samples["two instances"]);
  });
}

type Round = ReturnType<typeof figures>;

function judge(place: Place, one: Round[], two: Round[]): void {
  const worst = (rounds: Round[], value: (round: Round) => number) => Math.max(...rounds.map(value));
  const lost = (round: Round) => round["answered, not landed"];
  const refused = (round: Round) => round["refused by 503"] + round.other;
  report.target(`${place}, one instance: answered, not landed`, worst(one, lost), { most: 0 });
  report.target(`${place}, one instance: refused by 503 or lost`, worst(one, refused), { most: 0 });
  const landed = medians(one)["landed per 2 requests"];
  report.target(`${place}, one instance: landed per two round trips`, landed, { least: 1 });
  report.target(`${place}, two instances: answered, not landed`, worst(two, lost), { most: 0 });
}

/** The figures of one round, in which the counter came to `count`. */
function figures(statuses: Record<string, number>, count: number, requests: number, trip: number) {
  const { 200: succeeded = 0, 503: refused = 0, ...others } = statuses;
  const perSecond = count / ROUND_MS * 1_000;
  return {
    "landed/s": perSecond,
    "landed per 2 requests": count / requests * 2,
    "landed in 2 round trips": perSecond / 1_000 * trip * 2,
    "answered, not landed": succeeded - count,
    "refused by 503": refused,
    other: sum(Object.values(others)),
  };
}
