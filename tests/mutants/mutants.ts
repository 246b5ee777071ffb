/** A known bug, as replacements of pieces of a source, and the test that must catch it. */
export interface Mutant {
  name: string;
  file: string;
  edits: Array<[search: string, replace: string]>;
  test: string;
  filter: string;
}

export const MUTANTS: Mutant[] = [
  {
    name: "no revision guard",
    file: "cel/gate.ts",
    edits: [["write(guardFor(data))", "write({ ...guardFor(data), seen: 2 ** 50 })"]],
    test: "tests/cel/gate.test.ts",
    filter: "a gate holds in the very state",
  },
  {
    name: "notified before the commit, and not after it",
    file: "db/state_writes.ts",
    edits: [[`  database.announce({ room, part: "state", revision: result.revision });\n`, ""]],
    test: "tests/cel/watch.test.ts",
    filter: "a write of the same instance wakes the wait without the poll",
  },
  {
    name: "checked before it is subscribed",
    file: "cel/rounds.ts",
    edits: [[
      "          waiter.begun = true;\n",
      "          waiter.begun = true;\n          waiter.revision = Math.max(...Object.values(watch.latest));\n",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "a write between the first read and what follows is not missed",
  },
  {
    name: "no last read at the deadline",
    file: "cel/watch.ts",
    edits: [[
      "        waiter.final = true;\n        advance(watch);\n",
      "        waiter.settle({ triggered: false, elapsed_ms: 0, included: {}, revision: 0 });\n",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "the last read at the deadline finds what no poll has seen",
  },
  {
    name: "no evaluation at the deadline, whatever has changed",
    file: "cel/waiter.ts",
    edits: [[
      "  return changed ? undefined : waiter.untrue;\n",
      "  return changed && !waiter.final ? undefined : waiter.untrue;\n",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "the last read at the deadline finds what no poll has seen",
  },
  {
    name: "claim without nobody has it",
    file: "db/message_writes.ts",
    edits: [[" AND claimed_by IS NULL)", ")"]],
    test: "tests/contract/claims.test.ts",
    filter: "file: of many claims at once",
  },
  {
    name: "claim without the room",
    file: "db/message_writes.ts",
    edits: [[
      "   WHERE room_id = :room AND id = :message AND ${ADMITTED}`",
      "   WHERE id = :message AND ${ADMITTED}`",
    ]],
    test: "tests/contract/claims.test.ts",
    filter: "file: a claim reaches its own room only",
  },
  {
    name: "clearing waits without the token",
    file: "db/presence.ts",
    edits: [[
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND token = :token`",
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent`",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "a wait that ends clears its own mark",
  },
  {
    name: "clearing waits without the token, in a drawn order",
    file: "db/presence.ts",
    edits: [[
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent AND token = :token`",
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent`",
    ]],
    test: "tests/model/schedules.test.ts",
    filter: "an agent shows waiting while a wait of its goes on",
  },
  {
    name: "a mark that outlives its lease",
    file: "db/endings.ts",
    edits: [["CASE WHEN due <= ${NOW} AND ${SERVED} THEN ${NOW} END AS due_at", "NULL AS due_at"]],
    test: "tests/model/schedules.test.ts",
    filter: "a mark ends with its lease",
  },
  {
    name: "increment as read and write",
    file: "db/state_writes.ts",
    edits: [
      [
        `whole ? await tryPut(database, room, put) : "fraction"`,
        `whole && put.writes[0]!.delta === undefined ? await tryPut(database, room, put) : "fraction"`,
      ],
      [
        "return { ...write, value, ifVersion: found.live ? found.version : 0 };",
        "return { ...write, value, ifVersion: found && undefined };",
      ],
    ],
    test: "tests/contract/races.test.ts",
    filter: "increment",
  },
  {
    name: "a batch as separate writes",
    file: "db/state_writes.ts",
    edits: [[
      "  const plain = await putPlain(database, room, put);\n",
      `  if (put.writes.length > 1) {
    const all = [];
    for (const write of put.writes) all.push((await putEntries(database, room, { ...put, writes: [write] }))!);
    return { entries: all.flatMap(({ entries }) => entries), revision: all.at(-1)!.revision };
  }
  const plain = await putPlain(database, room, put);\n`,
    ]],
    test: "tests/contract/state_batch.test.ts",
    filter: "file",
  },
  {
    name: "retry without evaluating again",
    file: "cel/gate.ts",
    edits: [[
      "          judge(data, gate);\n",
      "          if (attempt === 1) judge(data, gate);\n",
    ]],
    test: "tests/cel/gate.test.ts",
    filter: "a gate holds in the very state",
  },
  {
    name: "view cycle unchecked",
    file: "cel/context.ts",
    edits: [
      ["new Set(circular(definitions))", "new Set<string>()"],
      ["    if (began >= 0) underWay.slice(began).forEach((member) => inCycle.add(member));\n", ""],
    ],
    test: "tests/cel/context.test.ts",
    filter: "each member of a cycle fails",
  },
  {
    name: "the bytes of a room's views unbounded",
    file: "db/state_admission.ts",
    edits: [[", VIEWS_WITHIN]", "]"]],
    test: "tests/contract/limits.test.ts",
    filter: "file: the views of a room have at most 64 KiB",
  },
  {
    name: "definitions remembered however large they are",
    file: "cel/definitions_memory.ts",
    edits: [["taken <= mostBytes", "rooms.size <= 1_000"]],
    test: "tests/cel/definitions.test.ts",
    filter: "definitions are forgotten by their size",
  },
  {
    name: "poll off",
    file: "cel/watch.ts",
    edits: [["          changes.forEach(hear);\n", ""]],
    test: "tests/contract/wake_ups.test.ts",
    filter: "two instances: a wait in one ends soon",
  },
  {
    name: "a key found whatever its age",
    file: "db/idempotency.ts",
    edits: [["key = :once_key AND created_at > :expired`", "key = :once_key AND :expired < 'z'`"]],
    test: "tests/routes/idempotency.test.ts",
    filter: "what is refused under a key that is over",
  },
  {
    name: "a key never free again",
    file: "db/idempotency.ts",
    edits: [
      ["   WHERE idempotency.created_at <= :expired`", "   WHERE FALSE`"],
      [
        "    SELECT rowid FROM idempotency WHERE created_at <= :expired",
        "    SELECT rowid FROM idempotency WHERE :expired < ''",
      ],
    ],
    test: "tests/routes/idempotency.test.ts",
    filter: "a key counts for 24 hours",
  },
  {
    name: "the fingerprint of a key not compared",
    file: "db/idempotency.ts",
    edits: [["    if (row.fingerprint !== request.fingerprint) throw mismatch(request.key);\n", ""]],
    test: "tests/contract/idempotency.test.ts",
    filter: "file: a key belongs to one method, path and body",
  },
  {
    name: "a key looked up before the batch of its write, and kept in one after it",
    file: "db/write.ts",
    edits: [
      [
        "  const batch = takeKey(once);\n",
        `  const [found] = await database.read([find(once)]);
  checkTaken(once, found!);
  const batch: Statement[] = [];
  const after = takeKey(once);\n`,
      ],
      ["batch.push(whileTaken(once, withoutReturning(admission), RETURNING))", "batch.push(admission)"],
      [
        "batch.push(step, ...keepRows(once, step)) - 1 - (step.kept ? 1 : 0));",
        "(after.push(...keepRows(once, step)), batch.push(step) - 1));",
      ],
      ["  batch.push(\n    keepRevision", "  after.push(\n    keepRevision"],
      [
        "  checkTaken(once, rows.at(-1)!);\n",
        "  checkTaken(once, (await database.commit(after)).at(-1)!);\n",
      ],
    ],
    test: "tests/contract/lost_replies.test.ts",
    filter: "replies lost between service and database: each request counts once",
  },
  {
    name: "a block of a sender's messages without its last",
    file: "db/messages.ts",
    edits: [["(block << 8) + 255", "(block << 8) + 254"]],
    test: "tests/contract/messages.test.ts",
    filter: "file: messages of a sender are listed however far they lie apart",
  },
  {
    name: "the block in which a page of a sender's messages ends passed over",
    file: "db/listing.ts",
    edits: [["${through.order} ${on}= ", "${through.order} ${on} "]],
    test: "tests/db/whole_reads.test.ts",
    filter: "messages that are posted and claimed while they are read in pages",
  },
  {
    name: "blocks of senders of before the migration left out",
    file: "db/schema.ts",
    edits: [["id >> 8 FROM messages WHERE from_agent IS NOT NULL`", "id >> 8 FROM messages WHERE FALSE`"]],
    test: "tests/faults/migrations.test.ts",
    filter: "messages of before and after a migration are listed by sender",
  },
  {
    name: "a share of a sender's messages without a match taken for their end",
    file: "db/whole_reads.ts",
    edits: [["exhausted = !full && reached === null;", "exhausted = !full;"]],
    test: "tests/db/whole_reads.test.ts",
    filter: "a page passes many messages at the most",
  },
  {
    name: "an Origin that equals Host taken for the instance's own",
    file: "routes/browsers.ts",
    edits: [[
      "    if (allowed.has(origin)) return true;\n",
      "    if (allowed.has(origin) || hosts.includes(new URL(origin).hostname)) return true;\n",
    ]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a private address is no foreign origin where the request names the same",
  },
  {
    name: "a developer's instance under any name",
    file: "routes/browsers.ts",
    edits: [["      throw foreignHost();\n", ""]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a name that was bound anew to this address is refused",
  },
  {
    name: "private addresses taken for public ones",
    file: "routes/browsers.ts",
    edits: [["(isLoopback(address) || isPrivate(address));", "isLoopback(address);"]],
    test: "tests/routes/browsers.test.ts",
    filter: "called from 10.0.0.1 an instance is a developer's",
  },
  {
    name: "a Host taken for what a URL makes of it",
    file: "routes/hosts.ts",
    edits: [["AUTHORITY.test(authority) ? ", 'authority !== "" ? ']],
    test: "tests/hostile/hosts.test.ts",
    filter: "file: no Host or target chooses a path that its request does not name",
  },
  {
    name: "the place of a stalled reader given back while its connection lives",
    file: "routes/stream.ts",
    edits: [["    outbox.reportStalled();\n", "    outbox.reportStalled();\n    leave();\n"]],
    test: "tests/routes/stream_places.test.ts",
    filter: "a reader that stalls holds its place for as long as its connection, and closes",
  },
  {
    name: "the memory for an event not given back",
    file: "routes/outbox.ts",
    edits: [[
      "          if (held !== undefined) count(held, -1);\n          if (holders",
      "          if (holders",
    ]],
    test: "tests/routes/outbox.test.ts",
    filter: "all of the memory for events comes back",
  },
  {
    name: "a reader's next event made before it took the last one",
    file: "routes/stream.ts",
    edits: [["{ highWaterMark: 0 }", "{ highWaterMark: 1_000 }"]],
    test: "tests/contract/events.test.ts",
    filter: "what a slow reader does not take is not kept for it",
  },
  {
    name: "a key that lives again not named among many tombstones",
    file: "db/schema.ts",
    edits: [[
      "NEW.key FROM rooms WHERE id = NEW.room_id AND tombstone_count >= 1000;",
      "NEW.key FROM rooms WHERE FALSE;",
    ]],
    test: "tests/db/living.test.ts",
    filter: "lists show what lives before and after",
  },
  {
    name: "tombstones of before the migration left out",
    file: "db/schema.ts",
    edits: [["`UPDATE rooms SET tombstone_count = 1000\n", "`UPDATE rooms SET tombstone_count = 1001\n"]],
    test: "tests/db/living.test.ts",
    filter: "of a room that had many tombstones before",
  },
  {
    name: "replies that come while a thread is walked left out",
    file: "db/thread.ts",
    edits: [["      if (placeIn(known, parent) < 0) continue;", "      if (parent > 0) continue;"]],
    test: "tests/db/whole_reads.test.ts",
    filter: "a thread that grows while it is walked",
  },
  {
    name: "a stream begun with what a reader before it was told",
    file: "cel/follow.ts",
    edits: [["known?.followed === followed", "known"]],
    test: "tests/contract/events.test.ts",
    filter: "file: a stream begins with all that has changed",
  },
  {
    name: "members that are not understood dropped",
    file: "routes/schemas.ts",
    edits: [["stateBody = z.strictObject({", "stateBody = z.object({"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a wrong name of a guard never writes unguarded",
  },
  {
    name: "a version to be guarded by that is null taken as absent",
    file: "routes/schemas.ts",
    edits: [[
      'if it does not exist")).optional();',
      'if it does not exist")).nullish() as unknown as z.ZodOptional<z.ZodInt>;',
    ]],
    test: "tests/contract/understood.test.ts",
    filter: "file: null for an optional member",
  },
  {
    name: "parameters that are not understood dropped",
    file: "routes/queries.ts",
    edits: [["refuseUnknown(c, name, known, page);", "continue;"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a condition that a query cuts",
  },
  {
    name: "a guard that is empty in the query taken as absent",
    file: "routes/queries.ts",
    edits: [["GUARDS.includes(name)", "false"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: an empty parameter is as if absent",
  },
  {
    name: "integers rounded to doubles",
    file: "routes/json_text.ts",
    edits: [["return fraction !== undefined && ", "return fraction === undefined || "]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a number that a double does not hold",
  },
  {
    name: "if_new decided by nobody",
    file: "db/agents.ts",
    edits: [["THEN NOT :if_new ELSE", "THEN :if_new IS NOT NULL ELSE"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: of many that register one id with if_new",
  },
  {
    name: "a key that does not know queries apart",
    file: "routes/idempotency.ts",
    edits: [["c.req.path + query", "c.req.path"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: an Idempotency-Key knows two deletes apart",
  },
  {
    name: "a key of a room without an id counted for each address",
    file: "routes/idempotency.ts",
    edits: [["  if (await taken(own)) return own;\n", ""], ["? former : own;", "? former : former;"]],
    test: "tests/contract/idempotency.test.ts",
    filter: "file: the key of a room without an id",
  },
  {
    name: "a second signal ends the process, however soon",
    file: "routes/ending.ts",
    edits: [["performance.now() - told > SAME_SIGNAL_MS", "performance.now() >= told"]],
    test: "tests/faults/endings.test.ts",
    filter: "a second signal within a second is the same one",
  },
  {
    name: "the log is not moved into the file at the end",
    file: "db/file.ts",
    edits: [["        emptyLog(session);\n", ""]],
    test: "tests/faults/endings.test.ts",
    filter: "a file database that was closed at the end is whole without its log",
  },
  {
    name: "a database of a newer release is taken up",
    file: "db/migrate.ts",
    edits: [["    if (Number(requires) > RELEASE) throw new NewerDatabase(Number(requires));\n", ""]],
    test: "tests/faults/migrations.test.ts",
    filter: "a database that needs a newer release is refused at the start, with a line: one file",
  },
  {
    name: "a room of a later release shown",
    file: "db/release.ts",
    edits: [["`CASE WHEN ${SERVED} THEN rooms.revision END`", "`rooms.revision`"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a plain value written to a room of a later release",
    file: "db/plain_puts.ts",
    edits: [[" AND ${SERVED} AND", " AND"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a room of a later release among all",
    file: "db/rooms.ts",
    edits: [[" AND ${SERVED} ORDER BY", " ORDER BY"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a refusal kept under its key as an answer",
    file: "db/write.ts",
    edits: [[" AND EXISTS (SELECT 1 FROM rooms WHERE id = :room AND ${SERVED})`", "`"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a room raised by a write that was refused",
    file: "db/write.ts",
    edits: [[
      "MAX(requires, :requires) WHERE id = :room AND admitted = :nonce`",
      "MAX(requires, :requires) WHERE id = :room AND :nonce <> ''`",
    ]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: what is asked of a room raises nothing",
  },
  {
    name: "what older instances delete not counted",
    file: "db/schema.ts",
    edits: [[
      "UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE id = NEW.room_id AND tombstone_count < 1000;",
      "UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE FALSE;",
    ]],
    test: "tests/upgrade/migrations.test.ts",
    filter: "file: the release of",
  },
  {
    name: "healthz looks at no table",
    file: "db/rooms.ts",
    edits: [["`SELECT id FROM rooms WHERE id = ''`", "`SELECT 1`"]],
    test: "tests/faults/migrations.test.ts",
    filter: "a database whose tables are gone is not well: one file",
  },
  {
    name: "nothing is said to a reader that knows more than there is",
    file: "db/changes.ts",
    edits: [["WHEN :after > revision THEN 0 ELSE", "WHEN :after < 0 THEN 0 ELSE"]],
    test: "tests/contract/resets.test.ts",
    filter: "file: changes after a revision that the room does not have",
  },
  {
    name: "streams and waits under way not told that a room has gone back",
    file: "cel/watch.ts",
    edits: [[
      "revision > changes[n]!.revision)) turn(room, true);",
      "revision > changes[n]!.revision)) void room;",
    ]],
    test: "tests/faults/restored.test.ts",
    filter: "file: streams and waits under way hear of a room that has gone back",
  },
  {
    name: "a wait that nobody sees any more when its room has gone back",
    file: "cel/watch.ts",
    edits: [["if (isThere) marks.get(waiter)?.renew();", ""]],
    test: "tests/faults/restored.test.ts",
    filter: "file: a wait under way in a room that has gone back is shown again",
  },
  {
    name: "a gated write that goes on reading where what is due cannot be ended",
    file: "cel/gate.ts",
    edits: [["if (data.snapshot.overdue) throw", "if (false) throw"]],
    test: "tests/db/endings.test.ts",
    filter: "a gated write is refused at once",
  },
  {
    name: "views remembered of a room that was before",
    file: "cel/reader.ts",
    edits: [[" || known.createdAt !== snapshot.createdAt;", ";"]],
    test: "tests/faults/restored.test.ts",
    filter: "file: views, waits and followers of a database that was emptied",
  },
  {
    name: "the log of migrations forgotten while tables are there",
    file: "db/migrate.ts",
    edits: [[
      "name IN (SELECT value FROM json_each(:tables)))`",
      "name IN (SELECT value FROM json_each(:tables) WHERE FALSE))`",
    ]],
    test: "tests/faults/restored.test.ts",
    filter: "file: where some tables are gone",
  },
  {
    name: "a file that was removed written on",
    file: "db/file.ts",
    edits: [["return identityOf(path) !== known;", "return false;"]],
    test: "tests/faults/restored.test.ts",
    filter: "file: a file that is removed while it runs",
  },
  {
    name: "a wait by an agent that is not registered says nothing of it",
    file: "cel/rounds.ts",
    edits: [["agent !== undefined && !there.has(agent)", "false"]],
    test: "tests/contract/wait.test.ts",
    filter: "file: an agent that is not registered waits without a mark",
  },
  {
    name: "a scope of the system that the document allows in a write",
    file: "routes/openapi/state_bodies.ts",
    edits: [["z.union([z.enum(names), TEXTS.ownId])", "z.union([z.enum(names), TEXTS.id])"]],
    test: "tests/openapi/requests.test.ts",
    filter: "a body is taken if and only if",
  },
  {
    name: "an include that the document allows and no wait takes",
    file: "routes/include.ts",
    edits: [[
      "const IN_TEXT = fields(String.raw`[^,]*[^,\\s]`);",
      "const IN_TEXT = fields(String.raw`[^,]*`);",
    ]],
    test: "tests/openapi/requests.test.ts",
    filter: "a parameter is refused if and only if",
  },
  {
    name: "a wait of MCP that its agent's next call leaves",
    file: "routes/mcp/endings.ts",
    edits: [[`          end(nameOf("agent", room, callerOf(params?.name, given)));\n`, ""]],
    test: "tests/mcp/endings.test.ts",
    filter: "file: a wait ends with its agent's next call",
  },
  {
    name: "a wait of MCP whose answer begins when it ends",
    file: "routes/mcp/server.ts",
    edits: [[`isWait(message) ? "sse" : "auto"`, `"auto"`]],
    test: "tests/mcp/endings.test.ts",
    filter: "2026-07-28: a client that leaves ends its wait",
  },
  {
    name: "an argument of MCP that can be no id put into a path",
    file: "routes/mcp/api.ts",
    edits: [["existingId(String(part)) || NOTHING", "String(part).toWellFormed()"]],
    test: "tests/mcp/words.test.ts",
    filter: "file: what can be no id leads nowhere else",
  },
  {
    name: "times told by the instance's clock",
    file: "db/clock.ts",
    edits: [["new Date(elapsed() + (bounds.least + bounds.most) / 2)", "new Date()"]],
    test: "tests/contract/clocks.test.ts",
    filter: "file: instances whose clocks are hours apart tell one time",
  },
  {
    name: "now of expressions told by the instance's clock",
    file: "cel/context.ts",
    edits: [["now: snapshot.now }", "now: new Date() }"]],
    test: "tests/contract/clocks.test.ts",
    filter: "file: instances whose clocks are hours apart tell one time",
  },
  {
    name: "what has elapsed measured by the time of day",
    file: "db/database.ts",
    edits: [["elapsed: () => performance.now()", "elapsed: () => Date.now()"]],
    test: "tests/contract/clocks.test.ts",
    filter: "file: a wait on time ends on time",
  },
  {
    name: "time that passed while the machine slept not seen",
    file: "db/clock.ts",
    edits: [["Math.abs(timeOfDay() - elapsed() - apart) < UNSEEN_MS", "!Number.isNaN(apart)"]],
    test: "tests/db/endings.test.ts",
    filter: "a day that passes while the machine sleeps",
  },
  {
    name: "a mark's end written by the instance's clock",
    file: "db/presence.ts",
    edits: [["${NOW} + :lasts", "${Date.now()} + :lasts"]],
    test: "tests/contract/clocks.test.ts",
    filter: "file: the mark of an instance that dies",
  },
  {
    name: "what ends by itself ended early",
    file: "db/endings.ts",
    edits: [[
      'import { NOW } from "./clock.ts";\n',
      'import { NOW as EXACT } from "./clock.ts";\nconst NOW = `(${EXACT} + 1)`;\n',
    ]],
    test: "tests/db/endings.test.ts",
    filter: "a mark shows until its time and no longer",
  },
  {
    name: "what is due ended by each that meets it",
    file: "db/endings.ts",
    edits: [['AND EXISTS (${isDue(ending, ":room", ":moment")})', "AND :moment > 0"]],
    test: "tests/db/endings.test.ts",
    filter: "of two instances that meet what is due",
  },
  {
    name: "what is due ended by each that meets it, in a drawn order",
    file: "db/endings.ts",
    edits: [['AND EXISTS (${isDue(ending, ":room", ":moment")})', "AND :moment > 0"]],
    test: "tests/model/schedules.test.ts",
    filter: "a mark ends with its lease",
  },
  {
    name: "what is due ended without bound",
    file: "db/endings.ts",
    edits: [["[THINGS, REVISIONS] = [100, 10]", "[THINGS, REVISIONS] = [1_000, 1]"]],
    test: "tests/db/endings.test.ts",
    filter: "what is due ends in revisions of a hundred things",
  },
  {
    name: "what is due ended by readers alone",
    file: "cel/watch.ts",
    edits: [["        due.push(...there.due);\n", ""]],
    test: "tests/db/endings.test.ts",
    filter: "a stream and a wait are told of what ends",
  },
  {
    name: "a gate that holds over what has ended since",
    file: "db/guard.ts",
    edits: [['[":seen >= 0", NOTHING_DUE]', '[":seen >= 0"]']],
    test: "tests/db/endings.test.ts",
    filter: "a gate does not hold over a mark that ended",
  },
  {
    name: "a room due for a mark that was cleared",
    file: "db/schema.ts",
    edits: [["WHERE id = OLD.room_id AND due = OLD.until;", "WHERE id = OLD.room_id AND FALSE;"]],
    test: "tests/db/endings.test.ts",
    filter: "a room in which nothing ends has nothing due",
  },
  {
    name: "marks of before the migration left out",
    file: "db/schema.ts",
    edits: [["      WHERE id IN (SELECT room_id FROM waits)`", "      WHERE FALSE`"]],
    test: "tests/db/endings.test.ts",
    filter: "marks of before the migration end",
  },
];

export const root = new URL("../../", import.meta.url);

/** The source with the bug in it. Throws where a text to replace does not occur exactly once. */
export async function mutated({ name, file, edits }: Mutant): Promise<string> {
  let source = await Deno.readTextFile(new URL(file, root));
  for (const [search, replace] of edits) {
    const parts = source.split(search);
    if (parts.length !== 2) throw new Error(`${name}: its text occurs ${parts.length - 1} times in ${file}`);
    source = parts.join(replace);
  }
  return source;
}
