import assert from "node:assert/strict";
import { OPERATIONS } from "../../routes/openapi/operations.ts";
import type { Json, Reply } from "./client.ts";

/** A request to a room. */
export type Ask = {
  what: string;
  method: string;
  path: string;
  body?: Json;
  headers?: Record<string, string>;
};

const IDS: Record<string, string> = { agent: "alice", message: "3", reservation: "r", token: "t" };

/** Each operation on a room, with and without what it can carry; pages and tools too. */
function asksOf(room: string): Ask[] {
  const found: Ask[] = [];
  for (const [template, methods] of Object.entries(OPERATIONS)) {
    if (!template.includes("{room}")) continue;
    const path = template.replace(/\{(\w+)\}/g, (_, name) => name === "room" ? room : IDS[name] ?? "1");
    for (const [method, operation] of Object.entries(methods)) {
      const [ask, { example = {}, body, parameters = [] }] = [{
        method: method.toUpperCase(),
        path,
        what: operation.id,
      }, operation];
      const sent = body === undefined ? {} : { body: example };
      found.push({ ...ask, ...sent });
      if (body) found.push({ ...ask, body: {} }, { ...ask, body: { ...example as Json, unknown: 1 } });
      if (parameters.some(({ name }) => name === "Idempotency-Key")) {
        found.push({ ...ask, ...sent, headers: { "Idempotency-Key": "a key of nobody" } });
      }
      found.push({ ...ask, ...sent, headers: { "If-None-Match": '"0"' } });
      found.push({ ...ask, ...sent, path: `${path}?nothing=1` });
      for (const { name, in: place } of parameters) {
        if (place !== "query") continue;
        for (const value of ["1", "turn"]) found.push({ ...ask, ...sent, path: `${path}?${name}=${value}` });
      }
      found.push({ ...ask, method: "HEAD" }, { ...ask, method: "OPTIONS" });
    }
  }
  for (
    const at of ["live", "live/messages", "live/entries?scope=_shared", "live/evaluation?expr=1", "none"]
  ) {
    found.push({ what: at, method: "GET", path: `/rooms/${room}/${at}` });
  }
  for (const query of ["", "&expr=state", "&expr=1&agent=alice", "&nothing=1"]) {
    found.push({ what: "page", method: "GET", path: `/?room=${room}${query}` });
  }
  const tool = (name: string, more: Json) => ({
    ...{ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { room, ...more } } },
  });
  for (
    const [name, more] of [["read_room", {}], ["evaluate", { expr: "1" }], ["list_messages", {}]] as const
  ) {
    const headers = { Accept: "application/json, text/event-stream" };
    found.push({ what: name, method: "POST", path: "/mcp", body: tool(name, more), headers });
  }
  return found;
}

/** Frames strangers' text, at random. */
const FRAME = /(<\/?data )[0-9a-f]+/g;

/** What of an answer everybody sees, with the room's id and what is random left out. */
function seen({ status, headers, text }: Reply, room: string): string {
  const shown = [...headers].filter(([name]) => name !== "date");
  return JSON.stringify([status, shown, text]).replaceAll(room, "ROOM").replaceAll(FRAME, "$1N");
}

/** Asks of two rooms the same, some at a time, and asserts that the answers differ by the rooms' ids alone. */
export async function assertSameAnswers(
  rooms: [one: string, other: string],
  meet: (ask: Ask) => Promise<Reply>,
  { who, skip = () => false }: { who: string; skip?: (ask: Ask, before: Ask | undefined) => boolean },
): Promise<Reply[]> {
  const [all, others] = rooms.map(asksOf) as [Ask[], Ask[]];
  const left = all.map((ask, n) => ({ ask, other: others[n]!, before: all[n - 1] }))
    .filter(({ ask, before }) => !skip(ask, before));
  const answers: Reply[] = [];
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const [one, two] = await Promise.all([meet(next.ask), meet(next.other)]);
      const { what, method, path } = next.ask;
      assert.equal(seen(one, rooms[0]), seen(two, rooms[1]), `${who}: ${what} ${method} ${path}`);
      answers.push(one);
    }
  }));
  return answers;
}
