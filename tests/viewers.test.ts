import assert from "node:assert/strict";
import { readSource, sourcesIn } from "./support/sources.ts";

const OF_ONE_LOOK = "made of what one viewer was shown, and gone with it";
const OF_ITS_CALL = "of one call";

/**
 * What is kept by name, by file: those that hold what a viewer may see are keyed by `keyFor` (db/viewer.ts), or by what
 * was read for a viewer; of each other one why it is the same for all.
 */
const KEPT: Record<string, Record<string, string>> = {
  "cel/rooms/context.ts": { looks: OF_ONE_LOOK, plain: OF_ONE_LOOK },
  "cel/rooms/view_root.ts": { results: OF_ONE_LOOK },
  "cel/rooms/expression.ts": { cache: "what an expression is, over any room" },
  "cel/rooms/definitions.ts": {
    completed: "by definitions, which are the same for all",
    cycles: "by definitions, which are the same for all",
  },
  "cel/rooms/definitions_memory.ts": { rooms: "views are defined in the open" },
  "cel/rooms/changing.ts": { left: "of the loaded data of one viewer" },
  "cel/rooms/chains.ts": { waiting: "keyFor" },
  "cel/rooms/tails.ts": { tails: "keyFor" },
  "cel/rooms/reader.ts": { defining: "views are defined in the open" },
  "cel/waits/departures.ts": { rooms: "revisions, and who is there" },
  "cel/waits/follow/follow.ts": { rooms: "revisions, and who is to be woken" },
  "cel/waits/follow/followed_room.ts": { shared: "keyFor" },
  "cel/waits/looks/look.ts": { found: "revisions" },
  "cel/waits/looks/pace.ts": { conversations: "revisions" },
  "cel/waits/conditions/condition_waits.ts": {
    rooms: "revisions, and waits that are judged by viewer (rounds.ts)",
    marks: "by wait",
  },
  "cel/waits/conditions/include.ts": { answers: OF_ONE_LOOK, records: OF_ONE_LOOK },
  "cel/waits/conditions/shares.ts": { accounts: "keyFor" },
  "cel/waits/queues/judging.ts": {
    going: "rooms in which others are judged",
    ended: "rooms in which others were judged",
  },
  "cel/waits/queues/serve_reservations.ts": { blockers: "by wait" },
  "cel/waits/holders.ts": { byToken: "by token and room" },
  "db/access/guarded.ts": { known: "rooms, whose writes are judged one by one" },
  "db/access/private.ts": { known: "scopes, whose writes go alone", seeing: "viewers" },
  "db/access/token.ts": { known: "by token" },
  "db/batching/groups.ts": { made: "statements, by what they read" },
  "db/batching/shared_items.ts": { waiting: "keyFor" },
  "db/batching/verbatim.ts": { waiting: "keyFor" },
  "db/consistent_read/read.ts": { rows: OF_ITS_CALL },
  "db/consistent_read/thread.ts": { rows: OF_ITS_CALL },
  "db/driver/file.ts": {
    singles: "statements, without what they bring",
    others: "statements, without what they bring",
    runOnce: "statements, without what they bring",
  },
  "db/lru.ts": { entries: "whatever its owner, who is named here, keeps in it" },
  "db/snapshots/changes_sql.ts": { known: "statements, by what they show" },
  "db/state/effects.ts": { kinds: "statements, without what they write" },
  "db/state/sources.ts": { known: "statements, by what they show" },
  "db/reservations/automaton.ts": {
    begun: "globs, which say the same to all",
    closed: "globs, which say the same to all",
  },
  "db/serialize.ts": { queues: "who is next", waiting: "who is next" },
  "db/write/current.ts": { underWay: "rooms in which something ends" },
  "routes/events.ts": { made: "by what was read for a viewer" },
  "routes/http/callers/credentials.ts": { read: "by what shows a token" },
  "routes/http/callers/buckets.ts": { buckets: "counts by caller", held: "counts by caller" },
  "routes/http/callers/wrong_codes.ts": { callers: "counts by caller" },
  "routes/http/gzip.ts": { known: "by the very bytes that are packed" },
  "routes/http/large_bodies.ts": { once: "by what was read for a viewer" },
  "routes/http/outbox.ts": {
    holders: "by reader",
    counted: "by names that routes/events.ts makes with keyFor",
  },
  "routes/mcp/endings.ts": { byName: "how waits are ended" },
  "routes/pages/drawings.ts": {
    rooms: "keyFor",
    drawn: "by what was read for a viewer",
    said: "of one page",
    shown: "of one page",
  },
  "routes/pages/cached_text.ts": { cache: "documents, which are of no room" },
  "routes/pages/wait_log.ts": { rooms: "keyFor" },
};

/** A name to which a map is given that begins empty, at the top of a file or of a function that makes things. */
const HOLDER = /^( {2})?(?:const|let) ([a-z]\w*)(?:: [^=]+)? = (?:new (?:Weak)?Map(?:<.*>)?\(\)|createLru\b)/;
const FUNCTION = /^(?:export )?(?:default )?(?:async )?function (\w+)/;

function holdersIn(file: string): string[] {
  let maker = "";
  return readSource(file).split("\n").flatMap((line) => {
    maker = FUNCTION.exec(line)?.[1] ?? maker;
    const [, inner, name] = HOLDER.exec(line) ?? [];
    return name && (inner === undefined || /^(create|mount)/.test(maker)) ? [name] : [];
  });
}

Deno.test("whatever is kept by name is kept by viewer, or says why it is the same for all", () => {
  const files = ["cel/rooms", "cel/waits", "db", "routes"].flatMap(sourcesIn);
  const found = files.map((file) => [file, holdersIn(file)] as const).filter(([, names]) => names.length > 0);
  const listed = Object.entries(KEPT).map(([file, names]) => [file, Object.keys(names)]);
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(listed));
  for (const [file, names] of Object.entries(KEPT)) {
    if (Object.values(names).includes("keyFor")) assert.match(readSource(file), /\bkeyFor\(/, file);
  }
});
