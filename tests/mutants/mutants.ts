import { PRODUCT, readSource, sourcesIn } from "../support/sources.ts";

/**
 * A known bug, as replacements of pieces of a source, and the test that must catch it. The source is the one file in
 * which each piece stands once: a bug outlives the renaming of its file, and holds no path.
 */
export interface Mutant {
  name: string;
  edits: Array<[search: string, replace: string]>;
  test: string;
  filter: string;
}

export const MUTANTS: Mutant[] = [
  {
    name: "an evaluation sees the agent of any room",
    edits: [[
      "        WHERE room_id = rooms.id AND id = ${arg(",
      "        WHERE id = ${arg(",
    ]],
    test: "tests/db/room_row.test.ts",
    filter: "each gets what its own room has",
  },
  {
    name: "a coalesced read joins one that is on its way",
    edits: [["    for (const { taken } of submissions) taken?.();\n", ""]],
    test: "tests/db/batch_queue.test.ts",
    filter: "no item joins one that is on its way",
  },
  {
    name: "equal reads of two viewers that are one",
    edits: [["keyFor(viewer, statements.map(nameOf)", 'keyFor({ key: "" }, statements.map(nameOf)']],
    test: "tests/db/batch_queue.test.ts",
    filter: "equal reads of a viewer that wait together",
  },
  {
    name: "equal coalesced reads of two viewers that are one",
    edits: [["keyFor(viewer, JSON.stringify(item))", "JSON.stringify(item)"]],
    test: "tests/db/batch_queue.test.ts",
    filter: "no item joins one that is on its way",
  },
  {
    name: "marks of waits in the order of their rows",
    edits: [["     WHERE position <= 2)\n  ${OLDEST_FIRST}`;", "     WHERE position <= 2)`;"]],
    test: "tests/db/newest_waits.test.ts",
    filter: "the latest revision",
  },
  {
    name: "marks of waits that no page of agents weighs",
    edits: [["    bytes: MARKS_BYTES,\n", ""]],
    test: "tests/hostile/large_marks.test.ts",
    filter: "libsql: a room shows all marks",
  },
  {
    name: "marks of waits that no page of changes weighs",
    edits: [["`octet_length(meta) + ${MARKS_BYTES}`", '"octet_length(meta)"']],
    test: "tests/hostile/large_marks.test.ts",
    filter: "libsql: a room shows all marks",
  },
  {
    name: "all waits of an agent read as it registers",
    edits: [["AND +until > ${NOW} ${NEWEST_FIRST}`", "AND +until > ${NOW} ${OLDEST_FIRST}`"]],
    test: "tests/hostile/large_marks.test.ts",
    filter: "libsql: an agent registers again",
  },
  {
    name: "the changes of a long revision read at once",
    edits: [[
      "           revision IS NOT NULL AND (SELECT SUM(size)",
      "           FALSE AND (SELECT SUM(size)",
    ]],
    test: "tests/hostile/long_revisions.test.ts",
    filter: "libsql: changes of one revision",
  },
  {
    name: "a page of changes that tells a long revision after it as read",
    edits: [["Number(room.edge) - Number(room.long)", "Number(room.edge)"]],
    test: "tests/hostile/long_revisions.test.ts",
    filter: "file: changes of one revision",
  },
  {
    name: "a long revision missing in what a wait includes",
    edits: [["if (alone) await completeInclude(", "if (!alone) await completeInclude("]],
    test: "tests/hostile/long_revisions.test.ts",
    filter: "file: a wait includes changes of one revision",
  },
  {
    name: "no revision guard",
    edits: [[": readSetAt(data);", ": { ...readSetAt(data), revision: 2 ** 50 };"]],
    test: "tests/cel/gate.test.ts",
    filter: "a gate holds in the very state",
  },
  {
    name: "an agent alive by a heartbeat of a time that is yet to come",
    edits: [[
      "Math.abs(now.getTime() - Date.parse(lastHeartbeat))",
      "now.getTime() - Date.parse(lastHeartbeat)",
    ]],
    test: "tests/db/heartbeats.test.ts",
    filter: "clock was set back by a day, an agent is alive when it posts",
  },
  {
    name: "a heartbeat that never moves back",
    edits: [[
      "IIF(last_heartbeat BETWEEN ${now} AND ${LATEST}, last_heartbeat, ${now})",
      "MAX(last_heartbeat, ${now})",
    ]],
    test: "tests/db/heartbeats.test.ts",
    filter: "clock was set back by a day, an agent is alive when it puts a key",
  },
  {
    name: "a gate on alive without its guard",
    edits: [["if (alive) conditions.push(ALIVE_UNCHANGED), args.alive = JSON.stringify(alive);", ""]],
    test: "tests/cel/gate.test.ts",
    filter: "alive has changed with the time before its write",
  },
  {
    name: "waits on alive that only changes of the room wake",
    edits: [["|| reads.heartbeats || reads.alive;", "|| reads.heartbeats;"]],
    test: "tests/cel/gate.test.ts",
    filter: "a wait hears that an agent is alive no longer",
  },
  {
    name: "an evaluation that lacked a message counts",
    edits: [[
      "  if (!lookups.missing) return result!;\n",
      "  if (lookups) return result!; // whatever was missing\n",
    ]],
    test: "tests/cel/message_facts.test.ts",
    filter: "an evaluation that lacks something",
  },
  {
    name: "a view that lacked a message counts for those who read it later",
    edits: [["    if (known) repeatLookups(known.lookups);\n", ""]],
    test: "tests/cel/gate.test.ts",
    filter: "waits that share a view",
  },
  {
    name: "notified before the commit, and not after it",
    edits: [[`  database.announce({ room, part: "state", revision });\n`, ""]],
    test: "tests/cel/watch.test.ts",
    filter: "a write of the same instance wakes the wait without the poll",
  },
  {
    name: "checked before it is subscribed",
    edits: [[
      "          waiter.begun = true;\n",
      "          waiter.begun = true;\n          waiter.revision = Math.max(...Object.values(watch.latest));\n",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "a write between the first read and what follows is not missed",
  },
  {
    name: "no last read at the deadline",
    edits: [[
      "        waiter.final = true;\n        advance(watch);\n",
      "        waiter.settle({ triggered: false, elapsed_ms: 0, included: {}, revision: 0 });\n",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "the last read at the deadline finds what no poll has seen",
  },
  {
    name: "no evaluation at the deadline, whatever has changed",
    edits: [["  return changed || waiter.untrue", "  return changed && !waiter.final || waiter.untrue"]],
    test: "tests/cel/watch.test.ts",
    filter: "the last read at the deadline finds what no poll has seen",
  },
  {
    name: "claim without nobody has it",
    edits: [["where: UNCLAIMED };", 'where: "TRUE" };']],
    test: "tests/contract/claims.test.ts",
    filter: "file: of many claims at once",
  },
  {
    name: "claim without the room",
    edits: [[
      "${CLAIM} WHERE room_id = :room AND id = :message AND ${ADMITTED}`",
      "${CLAIM} WHERE id = :message AND ${ADMITTED}`",
    ]],
    test: "tests/contract/claims.test.ts",
    filter: "file: a claim reaches its own room only",
  },
  {
    name: "a lease by an instance's clock",
    edits: [["const END_OF_CLAIM = `${NOW} + ", "const END_OF_CLAIM = `${Date.now()} + "]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a claim with ttl ends so many seconds from now",
  },
  {
    name: "a fence that is not compared",
    edits: [["ELSE ${FENCE} = :fence END)`", "ELSE TRUE END)`"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: the same agent's later claim is another",
  },
  {
    name: "a task that is completed twice",
    edits: [['"(status IS NULL AND claimed_by = :agent)"', '"(claimed_by = :agent)"']],
    test: "tests/contract/tasks.test.ts",
    filter: "file: a completion is answered again",
  },
  {
    name: "a result that is posted with each repetition",
    edits: [["      again: COMPLETED,\n", ""], [
      "where: HELD,\n        counts: posts",
      "where: `(${HELD} OR ${COMPLETED})`,\n        counts: posts",
    ]],
    test: "tests/contract/tasks.test.ts",
    filter: "file: of many completions at once one counts",
  },
  {
    name: "needs that are ignored",
    edits: [["${UNMET} AS unmet", "FALSE AS unmet"]],
    test: "tests/contract/needs.test.ts",
    filter: "file: a message is blocked until all that it needs is done",
  },
  {
    name: "a task that is open when the first of its needs is done",
    edits: [["AND need_id <> :message)", "AND need_id < 0)"]],
    test: "tests/contract/needs.test.ts",
    filter: "file: a message is blocked until all that it needs is done",
  },
  {
    name: "a chain of needs that is cut short",
    edits: [[
      "ON needs.room_id = :room AND needs.need_id = chain.id)",
      "ON needs.room_id = :room AND needs.need_id = chain.id LIMIT 3)",
    ]],
    test: "tests/contract/needs.test.ts",
    filter: "file: where a need fails, so do those that need it",
  },
  {
    name: "tasks that hang together counted in one direction",
    edits: [[
      "ON needs.room_id = :room AND needs.need_id = linked.id\n",
      "ON needs.room_id = :room AND needs.need_id = -linked.id\n",
    ]],
    test: "tests/contract/needs.test.ts",
    filter: "file: at most 1,000 tasks that are not over hang together",
  },
  {
    name: "an ended lease that is not counted as open",
    edits: [["AND (NEW.claimed_by IS NULL OR NEW.status IS NOT NULL)", "AND NEW.status IS NOT NULL"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: hundreds of leases end",
  },
  {
    name: "attempts that start anew when a lease ends",
    edits: [["attempts = ${ATTEMPTS} + (${UNCLAIMED})", "attempts = 1"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a task whose last claim runs out is failed",
  },
  {
    name: "an end compared with an instance's clock",
    edits: [[
      "`CASE WHEN due <= ${NOW} AND ${SERVED} THEN json_array(${NOW},",
      "`CASE WHEN due <= ${Date.now()} AND ${SERVED} THEN json_array(${Date.now()},",
    ]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a lease never ends early and is never seen late: the message",
  },
  {
    name: "a write compared with an instance's clock",
    edits: [["(due IS NULL OR due > ${NOW})", "(due IS NULL OR due > ${Date.now()})"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a renewed claim keeps its fence",
  },
  {
    name: "an ended lease that is shown without its revision",
    edits: [["    `revision = ${NEW_REVISION}`,\n  ].join", "    `revision = revision`,\n  ].join"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a lease never ends early and is never seen late: what changed since",
  },
  {
    name: "an ended lease that its kind still counts as claimed",
    edits: [[
      "open = open + (NEW.claimed_by IS NULL) - (OLD.claimed_by IS NULL),",
      "open = open + (NEW.claimed_by IS NULL AND OLD.status IS NOT NULL) - (OLD.claimed_by IS NULL),",
    ]],
    test: "tests/contract/leases.test.ts",
    filter: "file: hundreds of leases end",
  },
  {
    name: "an ended lease whose attempt goes on",
    edits: [["SET ended = 'expired', ended_at", "SET ended = NULL, ended_at"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a lease never ends early and is never seen late: its attempts",
  },
  {
    name: "a renewal that is a new claim",
    edits: [["${END_OF_CLAIM}, fence = ${FENCE},", "${END_OF_CLAIM}, fence = ${NEW_REVISION},"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a renewed claim keeps its fence",
  },
  {
    name: "attempts without a maximum",
    edits: [["`(messages.attempts >= max_attempts)`", "`(messages.attempts > max_attempts)`"]],
    test: "tests/contract/tasks.test.ts",
    filter: "file: a task whose last claim ends without completion",
  },
  {
    name: "a task that anybody withdraws",
    edits: [["AND (from_agent IS NULL OR from_agent = :agent OR ${byAdmin}))", "AND :agent IS NOT NULL)"]],
    test: "tests/contract/tasks.test.ts",
    filter: "file: who posted a task may fail it",
  },
  {
    name: "a task of a locked room that each of its members withdraws",
    edits: [["${IS_SHOWN} AND tokens.role = 'admin')`,", "${IS_SHOWN} AND tokens.role <> 'reader')`,"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: an admin of a locked room fails",
  },
  {
    name: "failed needs that are looked for among all that have failed",
    edits: [["AND +need_id IN (SELECT id FROM chain)", "AND need_id IN (SELECT id FROM chain)"]],
    test: "tests/db/plans.test.ts",
    filter: "which need of a task has failed",
  },
  {
    name: "all tasks that are due in one batch, whatever fails with them",
    edits: [["AND NOT EXISTS (${HEAVY_PLACES(ending)})", ""]],
    test: "tests/db/departures.test.ts",
    filter: "of tasks with which many others fail",
  },
  {
    name: "posts with needs that weigh no more than others",
    edits: [["args: { room, nonce, needs }, weight: NEEDS_WEIGHT }", "args: { room, nonce, needs } }"]],
    test: "tests/db/weights.test.ts",
    filter: "few posts with needs",
  },
  {
    name: "a room that is read before what is due in it has ended",
    edits: [[
      "await readCoalescedCurrent(database, viewer, COALESCED_GET, id, [id])",
      "await database.readCoalesced(viewer, COALESCED_GET, [id])",
    ]],
    test: "tests/contract/state_ttl.test.ts",
    filter: "file: a room's tag does not match",
  },
  {
    name: "a task that is open without a revision when its needs are done",
    edits: [[
      "SET status = NULL, claimed_by = NULL, revision = ${NEW_REVISION}",
      "SET status = NULL, claimed_by = NULL, revision = revision",
    ]],
    test: "tests/contract/needs.test.ts",
    filter: "file: a message is blocked until all that it needs is done",
  },
  {
    name: "a take of the newest task",
    edits: [[
      'return `SELECT MIN(id) FROM (${mayTake(wanted, "id", 1)})`',
      'return `SELECT MAX(id) FROM (${mayTake(wanted, "id", 9)})`',
    ]],
    test: "tests/contract/take.test.ts",
    filter: "file: a take claims the oldest open task",
  },
  {
    name: "a take of what was open when it was judged",
    edits: [["AND id = :id AND ${UNCLAIMED} AND ${ATTEMPTS} = :attempts`", "AND id = :id`"]],
    test: "tests/contract/take.test.ts",
    filter: "file: of many workers at two instances",
  },
  {
    name: "a take of what others have taken since it was judged, while instances die",
    edits: [[
      "AND id = :id AND ${UNCLAIMED} AND ${ATTEMPTS} = :attempts`",
      "AND id = :id`",
    ]],
    test: "tests/model/take_schedules.test.ts",
    filter: "a task that waits for takes has one holder",
  },
  {
    name: "the mark of a take that outlives its lease",
    edits: [[
      "by, token, waitingOn, began, timeout },",
      "by, token, waitingOn, began, timeout: timeout + 10_000 },",
    ]],
    test: "tests/model/take_schedules.test.ts",
    filter: "a task that waits for takes has one holder",
  },
  {
    name: "a reservation that waited and is made over another's",
    edits: [[
      'where: ["reservations_revision = :seen", ...whileRegistered(joined)]',
      "where: whileRegistered(joined)",
    ]],
    test: "tests/model/take_schedules.test.ts",
    filter: "paths that are waited for have one holder",
  },
  {
    name: "a notice that is not stored with its answer",
    edits: [['const ofRoom = ["revision", "joined", "known"];', 'const ofRoom = ["revision"];']],
    test: "tests/contract/agents.test.ts",
    filter: "file: who acts as an agent that is not registered",
  },
  {
    name: "a take by `where` that is made again under its key",
    edits: [[
      "  const stored = await storedOutcome(database, key);\n",
      "  const stored = key && undefined;\n",
    ]],
    test: "tests/contract/take.test.ts",
    filter: "file: a take by `where` or `thread` under a key",
  },
  {
    name: "a lease that a write does not end",
    edits: [["(due IS NULL OR due > ${NOW})", "(due IS NULL OR due > 0)"]],
    test: "tests/contract/leases.test.ts",
    filter: "file: a lease never ends early and is never seen late: its own completion",
  },
  {
    name: "clearing waits without the token",
    edits: [[
      "const CLEAR = `DELETE FROM waits WHERE ${OWN_MARK}`",
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent`",
    ]],
    test: "tests/cel/watch.test.ts",
    filter: "a wait that ends clears its own mark",
  },
  {
    name: "clearing waits without the token, in a drawn order",
    edits: [[
      "const CLEAR = `DELETE FROM waits WHERE ${OWN_MARK}`",
      "const CLEAR = `DELETE FROM waits WHERE room_id = :room AND agent_id = :agent`",
    ]],
    test: "tests/model/schedules.test.ts",
    filter: "an agent shows waiting while a wait of its goes on",
  },
  {
    name: "a mark that is no sign of life",
    edits: [['    ${beatAt(":now")}\n', "    last_heartbeat = last_heartbeat\n"]],
    test: "tests/routes/round_trips.test.ts",
    filter: "a wait that is marked and woken",
  },
  {
    name: "an answer at the first look that is no sign of life",
    edits: [["        if (answer && waiter.registration !== null) await mark?.beat();\n", ""]],
    test: "tests/routes/round_trips.test.ts",
    filter: "a wait that is answered at its first look",
  },
  {
    name: "a mark that the same wait does not take over",
    edits: [["waiting_on = :waiting_on AND +until >", "waiting_on = '' AND +until >"]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: the same wait takes the mark over",
  },
  {
    name: "a take that got nothing clears its mark",
    edits: [[
      'waiting.wrote === "sent" ? waiting.mark.clear() : waiting.mark.leave()',
      "waiting.mark.clear()",
    ]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: a take in a loop takes its mark over",
  },
  {
    name: "an attempt to take ends the mark that the same take has left",
    edits: [["waits ? { sql: ADMITTED, args: { nonce } } : undefined", "undefined"]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: a take in a loop takes its mark over",
  },
  {
    name: "the mark of a wait that goes on taken over",
    edits: [["+until > ${NOW} AND ${IS_OVER}`", "+until > ${NOW}`"]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: a wait that goes on keeps its mark",
  },
  {
    name: "a mark left that what its agent does does not end",
    edits: [["UPDATE waits SET until = 0\n", "UPDATE waits SET until = until\n"]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: what an agent does ends the mark that its wait has left: a message",
  },
  {
    name: "a mark ended by what its agent does while it waits",
    edits: [["subsec') * 1000 + 5050) BEGIN", "subsec') * 1000 + 50500) BEGIN"], [
      "subsec') * 1000 + 5050;",
      "subsec') * 1000 + 50500;",
    ]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: what others do, and a write while a wait goes on",
  },
  {
    name: "what goes on ended together with what was left",
    edits: [["subsec') * 1000 + 5050;", "subsec') * 1000 + 50500;"]],
    test: "tests/faults/left_marks.test.ts",
    filter: "file: of two marks of one agent",
  },
  {
    name: "a mark whose lease is by the clock of its instance",
    edits: [["from: now.getTime(), lasts", "from: database.elapsed(), lasts"]],
    test: "tests/faults/left_marks.test.ts",
    filter: "file: a mark left by an instance that was killed ends after 5 s",
  },
  {
    name: "the mark of a short wait left",
    edits: [["timeout < LEAVES_FROM_MS || !isOver", "!isOver"]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: a short wait that timed out",
  },
  {
    name: "a waiter that sees what its wait has left",
    edits: [[
      "(token === wait || over && agent_id === self)",
      "(token === wait || over && agent_id === null)",
    ]],
    test: "tests/contract/left_marks.test.ts",
    filter: "file: streams and waits hear",
  },
  {
    name: "a mark that is dropped while something else is due",
    edits: [["{ ...own, ...same }, writable: SERVED }", "{ ...own, ...same } }"]],
    test: "tests/db/endings.test.ts",
    filter: "a wait is marked though something else of the room is due",
  },
  {
    name: "a mark that outlives its lease",
    edits: [["`CASE WHEN due <= ${NOW} AND ${SERVED} THEN json_array", "`CASE WHEN FALSE THEN json_array"]],
    test: "tests/model/schedules.test.ts",
    filter: "a mark ends with its lease",
  },
  {
    name: "increment as read and write",
    edits: [
      [
        `whole ? await tryPut(attempt) : "uncomputed"`,
        `whole && put.writes[0]!.delta === undefined ? await tryPut(attempt) : "uncomputed"`,
      ],
      [
        "...asComputed(write, results[n]!), ifVersion: found.live ? found.version : 0 };",
        "...asComputed(write, results[n]!), ifVersion: found && undefined };",
      ],
    ],
    test: "tests/contract/races.test.ts",
    filter: "increment",
  },
  {
    name: "an edit as read and write",
    edits: [
      [`whole ? await tryPut(attempt) : "uncomputed"`, `!put ? await tryPut(attempt) : "uncomputed"`],
      [
        "...asComputed(write, results[n]!), ifVersion: found.live ? found.version : 0 };",
        "...asComputed(write, results[n]!), ifVersion: found && undefined };",
      ],
    ],
    test: "tests/contract/races.test.ts",
    filter: "edit",
  },
  {
    name: "an edit that changes the value that it finds",
    edits: [["  const value = copyOf(found);\n", "  const value = found;\n"]],
    test: "tests/db/edits.test.ts",
    filter: "what they find as it was",
  },
  {
    name: "a computed edit that takes what it read for what is there",
    edits: [[
      "...asComputed(write, results[n]!), ifVersion: found.live ? found.version : 0 };",
      "...asComputed(write, results[n]!), ifVersion: write.edit || !found.live ? undefined : found.version };",
    ]],
    test: "tests/contract/races.test.ts",
    filter: "edit",
  },
  {
    name: "a removal of nothing that is a write",
    edits: [["step.always OR done.value IS NOT done.before", "TRUE"]],
    test: "tests/contract/state_edits.test.ts",
    filter: "file: to remove what is not in the list",
  },
  {
    name: "an edit whose result has any size",
    edits: [[`IS("end", "octet_length(done.value) <= :max_bytes")`, `IS("end", "0 <= :max_bytes")`]],
    test: "tests/contract/state_edits.test.ts",
    filter: "file: the result of an edit keeps to the limits",
  },
  {
    name: "an edit of a batch that does not see the ones before it in its condition",
    edits: [[
      'else steps.push({ kind: "put", text: JSON.stringify(value) });',
      "else void value;",
    ]],
    test: "tests/routes/round_trips.test.ts",
    filter: "each request costs the round trips",
  },
  {
    name: "a label cut at a NUL",
    edits: [["`instr(done.value, '\\\\u0000') = 0`", "`TRUE`"]],
    test: "tests/contract/state_edits.test.ts",
    filter: "file: a NUL in a name",
  },
  {
    name: "a write without ttl that leaves the old end",
    edits: [["    expires_at = excluded.expires_at,\n", ""]],
    test: "tests/contract/state_ttl.test.ts",
    filter: "file: each write sets or clears",
  },
  {
    name: "an end of a key that the room does not know of",
    edits: [[`...ttl === undefined ? [] : endsAt("entries", EXPIRY, kinds)`, ""]],
    test: "tests/contract/state_ttl.test.ts",
    filter: "file: a key whose time is over",
  },
  {
    name: "a batch as separate writes",
    edits: [[
      "  const plain = await putCoalesced(attempt);\n",
      `  if (put.writes.length > 1) {
    const all: Outcome[] = [];
    for (const write of put.writes) all.push((await runPut({ ...attempt, put: { ...put, writes: [write] } }))!);
    return { ...all.at(-1)!, rows: all.flatMap(({ rows }) => rows) };
  }
  const plain = await putCoalesced(attempt);\n`,
    ]],
    test: "tests/contract/state_batch.test.ts",
    filter: "file",
  },
  {
    name: "a gate of a chain judged on the state before those ahead of it",
    edits: [["for (const change of last.values()) applyChange(data, agentIds, change);", ""]],
    test: "tests/cel/gate.test.ts",
    filter: "a chain hands a turn on",
  },
  {
    name: "the guard of a chain left out",
    edits: [["    if (!idle) guard = { after: nonce };\n", ""]],
    test: "tests/cel/gate.test.ts",
    filter: "a write that is refused for its version",
  },
  {
    name: "a chain whose ground may have moved, in a drawn order",
    edits: [[": readSetAt(data);", ": { ...readSetAt(data), revision: 2 ** 50 };"]],
    test: "tests/model/schedules.test.ts",
    filter: "chains of gates hand a turn on once",
  },
  {
    name: "the effect of a refused write kept",
    edits: [[
      "        links.push({ pending, refused, idle: true, known: true });\n",
      "        links.push({ pending, refused, idle: true, known: true });\n        changing.apply(changes ?? []);\n",
    ]],
    test: "tests/cel/gate.test.ts",
    filter: "a chain hands a turn on",
  },
  {
    name: "an edit of a chain computed on the value before those ahead of it",
    edits: [["if (left.has(name)) return left.get(name);", ""]],
    test: "tests/contract/edit_chains.test.ts",
    filter: "file: edits that come at once",
  },
  {
    name: "an edit of a chain that changes nothing followed as one that does",
    edits: [["const idle = left ===", "const idle = left === 0 as unknown && left ==="]],
    test: "tests/cel/edit_chains.test.ts",
    filter: "what changes nothing breaks no chain",
  },
  {
    name: "values computed over a ground that may have moved",
    edits: [[
      "tryPut({ ...attempt, put: { ...put, writes } });\n  return outcome ===",
      "tryPut({ ...attempt, judged: undefined, put: { ...put, writes } });\n  return outcome ===",
    ]],
    test: "tests/cel/edit_chains.test.ts",
    filter: "where another has written after its read",
  },
  {
    name: "values computed after a gate, over a ground that may have moved",
    edits: [[
      "tryPut({ ...attempt, put: { ...put, writes } });\n      if",
      "tryPut({ ...attempt, judged: undefined, put: { ...put, writes } });\n      if",
    ]],
    test: "tests/cel/gate.test.ts",
    filter: "though its value is computed after it",
  },
  {
    name: "a hint that brings looks without end",
    edits: [["      hints.clear();\n      return [...rooms];\n", "      return [...rooms];\n"]],
    test: "tests/cel/channel.test.ts",
    filter: "a hint brings one look",
  },
  {
    name: "hints that look at what nobody waits for",
    edits: [["...hints].filter(isWatched));", "...hints]);"], [
      "      if (isWatched(room)) first = -Infinity;\n      else hints.delete(room);\n",
      "      if (room) first = -Infinity;\n",
    ]],
    test: "tests/cel/channel.test.ts",
    filter: "a hint brings one look",
  },
  {
    name: "a take of a chain judged over what those before it take",
    edits: [["    if (link.fitting !== undefined) taken.set(link.fitting[0], agent);\n", ""]],
    test: "tests/cel/take_chains.test.ts",
    filter: "takes with `where` that come at once are one chain",
  },
  {
    name: "a take that is judged for a client that has left",
    edits: [["    const over = isOver();\n", "    const over = false && isOver();\n"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "nothing is judged for takes whose clients have left",
  },
  {
    name: "a take that costs as much as it likes",
    edits: [["    spent.steps += stepsTaken();\n", "    void [spent, stepsTaken];\n"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "at no more messages than ten evaluations pay for",
  },
  {
    name: "a take of a chain that overtakes one that goes round again",
    edits: [["judged?.before?.length ? [TAKEN_BEFORE] : []", "judged?.before?.length ? [`TRUE`] : []"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "go round again in their order",
  },
  {
    name: "a take that others may precede each time",
    edits: [["choices = Math.min(2 * choices, MAX_CHOICES)", "choices = Math.min(choices, MAX_CHOICES)"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "however often others have taken first",
  },
  {
    name: "a take of a chain without the guard of what it read",
    edits: [[
      "const judged = { chosen: [fitting], guard, before, nonce: context.newId() };",
      "const judged = { chosen: [fitting], before, nonce: context.newId() };\n      void guard;",
    ]],
    test: "tests/cel/take_chains.test.ts",
    filter: "takes of a chain whose ground has moved",
  },
  {
    name: "a take of a chain that counts what those before it took",
    edits: [[
      "    if (taken.size > 0 && (messages || heartbeats || alive)) break;\n",
      "    void [messages, heartbeats, alive];\n",
    ]],
    test: "tests/cel/take_chains.test.ts",
    filter: "a take that reads what takes change",
  },
  {
    name: "a refusal over a state that is expected alone",
    edits: [["if (broken || !proven) again.push(pending);", "if (broken) again.push(pending);"]],
    test: "tests/cel/gate.test.ts",
    filter: "what another instance has written since counts",
  },
  {
    name: "a read that shows as due what another failed to end",
    edits: [[
      "      joins = await others.then(() => true, () => false); // what the others read may have failed\n",
      "      if (!await others.then(() => true, () => false)) break;\n",
    ]],
    test: "tests/db/endings.test.ts",
    filter: "which fail, makes them itself",
  },
  {
    name: "view cycle unchecked",
    edits: [
      ["new Set(circular(definitions))", "new Set<string>()"],
      ["    if (began >= 0) underWay.slice(began).forEach((member) => inCycle.add(member));\n", ""],
    ],
    test: "tests/cel/context.test.ts",
    filter: "each member of a cycle fails",
  },
  {
    name: "the bytes of a room's views unbounded",
    edits: [[", VIEWS_WITHIN)", ")"]],
    test: "tests/contract/limits.test.ts",
    filter: "file: the views of a room have at most 64 KiB",
  },
  {
    name: "definitions remembered however large they are",
    edits: [["        if (total <= max) break;\n", "        if (entries.size <= 1_000) break;\n"]],
    test: "tests/cel/definitions.test.ts",
    filter: "definitions are forgotten by their size",
  },
  {
    name: "poll off",
    edits: [["    changes.forEach(hear);\n", ""]],
    test: "tests/contract/wake_ups.test.ts",
    filter: "two instances: a wait in one ends soon",
  },
  {
    name: "quick looks for own writes that a look finds before their answers",
    edits: [["    pace.isOwn(change.room, change.revision);\n", ""]],
    test: "tests/cel/watch.test.ts",
    filter: "an own write that a look finds",
  },
  {
    name: "quick looks for what no wait reads",
    edits: [["waiter.parts.includes(part) && waiter.revision < revision", "waiter.revision < revision"]],
    test: "tests/cel/watch.test.ts",
    filter: "a stream's room is looked at more often too",
  },
  {
    name: "quick looks at all rooms",
    edits: [["if (now + QUICK_MS >= allAt()) {", "if (now >= 0) {"]],
    test: "tests/cel/watch.test.ts",
    filter: "once a write of another instance was found",
  },
  {
    name: "quick looks without an end",
    edits: [["Math.max(QUICK_MS, (lookedAt - foundAt) * GROWTH)", "QUICK_MS"]],
    test: "tests/cel/pace.test.ts",
    filter: "after a find quick looks come",
  },
  {
    name: "quick looks at a slow database without a rest",
    edits: [["last.ended + (last.ended - last.began)", "last.ended"]],
    test: "tests/cel/pace.test.ts",
    filter: "however much is found",
  },
  {
    name: "quick looks in place of those at all rooms",
    edits: [[
      "if (now + QUICK_MS >= allAt()) {",
      "if (now + QUICK_MS >= allAt() && quickAt() > now + QUICK_MS) {",
    ]],
    test: "tests/cel/pace.test.ts",
    filter: "looks at all rooms come as often",
  },
  {
    name: "a key found whatever its age",
    edits: [["key = :held_key AND created_at > :expired\n", "key = :held_key AND :expired < 'z'\n"]],
    test: "tests/routes/idempotency.test.ts",
    filter: "what is refused under a key that is over",
  },
  {
    name: "a key never free again",
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
    edits: [["if (row.fingerprint !== key.fingerprint) {", "if (false) {"]],
    test: "tests/contract/idempotency.test.ts",
    filter: "file: a key belongs to one method, path and body",
  },
  {
    name: "a key looked up before the batch of its write, and kept in one after it",
    edits: [
      [
        "  const batch = key ? acquire(key) : [];\n",
        `  const [earlier] = key ? await database.read(viewer, [find(key)]) : [];
  const before = key && outcomeOf(key, earlier![0]);
  if (before) return { rows: steps.map(() => []), answers: [], stored: before };
  const batch: Statement[] = [];
  const after = key ? acquire(key) : [];\n`,
      ],
      [
        "sql: `EXISTS (SELECT 1 FROM idempotency WHERE ${OWN})`",
        "sql: `(TRUE OR :held_scope || :held_key || :held_nonce)`",
      ],
      ["if (key && step.answer) batch.push(", "if (key && step.answer) after.push("],
      ["  batch.push(\n    ...(key ? [...complete", "  after.push(\n    ...(key ? [...complete"],
      [
        "  const all = await database.commit(viewer, batch);\n",
        "  const all = await database.commit(viewer, batch);\n  const told = await database.commit(viewer, after);\n",
      ],
      ["key ? all.at(-1)! : []", "key ? told.at(-1)! : []"],
    ],
    test: "tests/contract/lost_replies.test.ts",
    filter: "replies lost between service and database: each request counts once",
  },
  {
    name: "paths that stay taken once they were",
    edits: [[
      "blocker !== undefined && reservations.some(({ id }) => id === blocker)",
      "blocker !== undefined && reservations.length >= 0",
    ]],
    test: "tests/contract/reservations.test.ts",
    filter: "file: who waits for paths of several others",
  },
  {
    name: "paths compared anew at every change",
    edits: [["      if (!final && isBlocked(one, board)) return;\n", ""]],
    test: "tests/cel/queue.test.ts",
    filter: "the paths of who waits are compared anew only when",
  },
  {
    name: "paths compared for who has left",
    edits: [[
      "      if (waiting.isOver()) {\n        round.left.delete(waiting);\n        continue;\n      }\n",
      "",
    ]],
    test: "tests/cel/queue.test.ts",
    filter: "nothing is compared for who leaves while",
  },
  {
    name: "paths made ready to be compared that are not",
    edits: [[
      "    let conflictsOf: ReturnType<typeof createConflicts> | undefined;\n",
      "    let conflictsOf: ReturnType<typeof createConflicts> | undefined = createConflicts(asked);\n",
    ]],
    test: "tests/cel/queue.test.ts",
    filter: "the paths of who waits are compared anew only when",
  },
  {
    name: "a take that waits for as long as others are judged",
    edits: [["      if (wrote || !chains.isJudging(room)) return;\n", "      if (chains) return;\n"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "is given up where others are judged for too long",
  },
  {
    name: "a task that is taken for who was given up",
    edits: [[
      '      if (isOver) throw new Refusal("unavailable", { why: "unjudged" });\n      wrote = true;',
      "      wrote = true;",
    ]],
    test: "tests/cel/take_chains.test.ts",
    filter: "is given up where others are judged for too long",
  },
  {
    name: "a take given up though its write is sent",
    edits: [["if (wrote || !chains.isJudging(room)) return;", "if (!chains.isJudging(room)) return;"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "is not given up for the database's sake",
  },
  {
    name: "a take given up though nobody is judged",
    edits: [["if (wrote || !chains.isJudging(room)) return;", "if (wrote) return;"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "is not given up for the database's sake",
  },
  {
    name: "parts of what is stored under a key that stay",
    edits: [["    ...inParts ? [{ sql: REMOVE_PARTS, args: at(key) }] : [],\n", ""]],
    test: "tests/db/idempotency.test.ts",
    filter: "of a batch that is stored in parts",
  },
  {
    name: "parts of what is stored under a key in another order",
    edits: [["WHERE ${PARTS} ORDER BY key))`", "WHERE ${PARTS} ORDER BY key DESC))`"]],
    test: "tests/contract/idempotency.test.ts",
    filter: "memory: a full batch of edits is made once",
  },
  {
    name: "what is stored under a key for nothing",
    edits: [["  if (key !== undefined && !outcome.replayed) fairUse.charge(c, bytesOf(outcome));\n", ""]],
    test: "tests/contract/fair_use.test.ts",
    filter: "what is stored under a key counts",
  },
  {
    name: "what is due ended by each write that finds it",
    edits: [["  const others = rooms.get(room);\n", "  const others = [rooms.get(room)][1];\n"]],
    test: "tests/db/endings.test.ts",
    filter: "what many writes at once find due",
  },
  {
    name: "what is due ended by each read that finds it",
    edits: [["joins ? rooms.get(room) : undefined;", "undefined;"]],
    test: "tests/db/endings.test.ts",
    filter: "what many reads at once find due",
  },
  {
    name: "ends that wait behind all other writes",
    edits: [["first: true,", "first: false,"]],
    test: "tests/db/endings.test.ts",
    filter: "beside a long queue of writes",
  },
  {
    name: "ends that keep other writes waiting for ever",
    edits: [["firstOnes = !firstOnes;", "firstOnes = true;"]],
    test: "tests/db/batch_queue.test.ts",
    filter: "keeps none of them waiting",
  },
  {
    name: "lists of some megabytes that wait for the longest",
    edits: [["const LENGTHS = [8, 32, 96]", "const LENGTHS = [96]"]],
    test: "tests/db/lanes.test.ts",
    filter: "waits for none that is longer",
  },
  {
    name: "a long read that goes on when its request is over",
    edits: [["while (length() < max && database.elapsed() < until)", "while (length() < max)"]],
    test: "tests/db/lanes.test.ts",
    filter: "given up",
  },
  {
    name: "long reads that all hold what they have read",
    edits: [["lane === 0 ? UNBOUNDED : MAX_WAITING", "UNBOUNDED"]],
    test: "tests/db/lanes.test.ts",
    filter: "at most eight wait",
  },
  {
    name: "a keyed write without its revision",
    edits: [["COALESCE((${revision.sql}), 'null')", "'null'"]],
    test: "tests/contract/idempotency.test.ts",
    filter: "file: values, increments and batches are written once",
  },
  {
    name: "a key released by what the heartbeat of its own write changes",
    edits: [[
      "...(key ? [...complete(key, inParts, revision), release(key, refused)] : []),\n    ...last,",
      "...(key ? complete(key, inParts, revision) : []),\n    ...last,\n    ...(key ? [release(key, refused)] : []),",
    ]],
    test: "tests/contract/left_marks.test.ts",
    filter: "memory: a delete that finds nothing is kept under its key",
  },
  {
    name: "a block of a sender's messages without its last",
    edits: [["(block << 8) + 255", "(block << 8) + 254"]],
    test: "tests/contract/messages.test.ts",
    filter: "file: messages of a sender are listed however far they lie apart",
  },
  {
    name: "the block in which a page of a sender's messages ends passed over",
    edits: [["${through.order} ${on}= ", "${through.order} ${on} "]],
    test: "tests/db/consistent_read.test.ts",
    filter: "messages that are posted and claimed while they are read in pages",
  },
  {
    name: "blocks of senders of before the migration left out",
    edits: [["id >> 8 FROM messages WHERE from_agent IS NOT NULL`", "id >> 8 FROM messages WHERE FALSE`"]],
    test: "tests/faults/migrations.test.ts",
    filter: "messages of before and after a migration are listed by sender",
  },
  {
    name: "a share of a sender's messages without a match taken for their end",
    edits: [["exhausted = !full && reached === null;", "exhausted = !full;"]],
    test: "tests/db/consistent_read.test.ts",
    filter: "a page passes many messages at the most",
  },
  {
    name: "an Origin that equals Host taken for the instance's own",
    edits: [[
      "    if (allowed.has(origin)) return true;\n",
      "    if (allowed.has(origin) || hosts.includes(new URL(origin).hostname)) return true;\n",
    ]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a private address is no foreign origin where the request names the same",
  },
  {
    name: "a developer's instance under any name",
    edits: [["      throw foreignHost();\n", ""]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a name that was bound anew to this address is refused",
  },
  {
    name: "private addresses taken for public ones",
    edits: [["(isLoopback(address) || isPrivate(address));", "isLoopback(address);"]],
    test: "tests/routes/browsers.test.ts",
    filter: "called from 10.0.0.1 an instance is a developer's",
  },
  {
    name: "a Host taken for what a URL makes of it",
    edits: [["AUTHORITY.test(authority) ? ", 'authority !== "" ? ']],
    test: "tests/contract/hosts.test.ts",
    filter: "file: no Host or target chooses a path that its request does not name",
  },
  {
    name: "the place of a stalled reader given back while its connection lives",
    edits: [[
      "    delivery.drop();\n    outbox.reportStalled();\n",
      "    delivery.drop();\n    outbox.reportStalled();\n    leave();\n",
    ]],
    test: "tests/routes/stream_places.test.ts",
    filter: "a reader that stalls holds its place for as long as its connection, and closes",
  },
  {
    name: "the memory for an event not given back",
    edits: [[
      "          if (held !== undefined) count(held, -1);\n          if (holders",
      "          if (holders",
    ]],
    test: "tests/routes/outbox.test.ts",
    filter: "all of the memory for events comes back",
  },
  {
    name: "a reader's next event made before it took the last one",
    edits: [["cancel: leave,\n  }, { highWaterMark: 0 }", "cancel: leave,\n  }, { highWaterMark: 1_000 }"]],
    test: "tests/contract/events.test.ts",
    filter: "what a slow reader does not take is not kept for it",
  },
  {
    name: "a key that lives again not named among many tombstones",
    edits: [[
      "NEW.key FROM rooms WHERE id = NEW.room_id AND tombstone_count >= 1000;",
      "NEW.key FROM rooms WHERE FALSE;",
    ]],
    test: "tests/db/living.test.ts",
    filter: "lists show what lives before and after",
  },
  {
    name: "tombstones of before the migration left out",
    edits: [["`UPDATE rooms SET tombstone_count = 1000\n", "`UPDATE rooms SET tombstone_count = 1001\n"]],
    test: "tests/db/living.test.ts",
    filter: "of a room that had many tombstones before",
  },
  {
    name: "replies that come while a thread is walked left out",
    edits: [["      if (indexIn(known, parent) < 0) continue;", "      if (parent > 0) continue;"]],
    test: "tests/db/consistent_read.test.ts",
    filter: "a thread that grows while it is walked",
  },
  {
    name: "a stream begun with what a reader before it was told",
    edits: [["known?.followed === followed", "known"]],
    test: "tests/contract/events.test.ts",
    filter: "file: a stream begins with all that has changed",
  },
  {
    name: "members that are not understood dropped",
    edits: [["put: stateWrite(parts)", "put: stateWrite(parts).strip()"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a wrong name of a guard never writes unguarded",
  },
  {
    name: "a version to be guarded by that is null taken as absent",
    edits: [[
      'if it does not exist").optional();',
      'if it does not exist").nullish() as unknown as z.ZodOptional<z.ZodInt>;',
    ]],
    test: "tests/contract/understood.test.ts",
    filter: "file: null for an optional member",
  },
  {
    name: "parameters that are not understood dropped",
    edits: [["refuseUnknown(c, name, known, page);", "continue;"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a condition that a query cuts",
  },
  {
    name: "a guard that is empty in the query taken as absent",
    edits: [["GUARDS.includes(name)", "false"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: an empty parameter is as if absent",
  },
  {
    name: "integers rounded to doubles",
    edits: [["return fraction !== undefined && ", "return fraction === undefined || "]],
    test: "tests/contract/understood.test.ts",
    filter: "file: a number that a double does not hold",
  },
  {
    name: "if_new decided by nobody",
    edits: [["THEN NOT :if_new ELSE", "THEN :if_new IS NOT NULL ELSE"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: of many that register one id with if_new",
  },
  {
    name: "a key that does not know queries apart",
    edits: [["c.req.path + query", "c.req.path"]],
    test: "tests/contract/understood.test.ts",
    filter: "file: an Idempotency-Key knows two deletes apart",
  },
  {
    name: "a key of a room without an id counted for each address",
    edits: [["  if (await taken(own)) return own;\n", ""], ["? former : own;", "? former : former;"]],
    test: "tests/contract/idempotency.test.ts",
    filter: "file: the key of a room without an id",
  },
  {
    name: "an instance that ends closes connections without a word",
    edits: [['    if (isEnding()) c.header("Connection", "close");\n', ""]],
    test: "tests/faults/endings.test.ts",
    filter: "says that its connection closes",
  },
  {
    name: "a second signal ends the process, however soon",
    edits: [['    if (heed === "copies") return;\n', ""], [
      'if (heed === "further")',
      'if (heed !== "first")',
    ]],
    test: "tests/faults/endings.test.ts",
    filter: "a second signal within a second is the same one",
  },
  {
    name: "a file that was removed written to until the new one opens",
    edits: [[
      "      session = undefined;\n    }\n    session ??= reopen();\n",
      "      session = reopen();\n    }\n    session ??= reopen();\n",
    ]],
    test: "tests/db/file.test.ts",
    filter: "a file that has lost its path takes no further write",
  },
  {
    name: "the log is not moved into the file at the end",
    edits: [['plainly("PRAGMA wal_checkpoint(TRUNCATE)");', 'plainly("SELECT 1");']],
    test: "tests/faults/endings.test.ts",
    filter: "a file database that was closed at the end is whole without its log",
  },
  {
    name: "a database of a newer release is taken up",
    edits: [["    if (Number(requires) > RELEASE) throw new NewerDatabase(Number(requires));\n", ""]],
    test: "tests/faults/migrations.test.ts",
    filter: "a database that needs a newer release is refused at the start, with a line: one file",
  },
  {
    name: "a room of a later release shown",
    edits: [["`CASE WHEN ${SERVED} THEN rooms.revision ELSE -rooms.requires END`", "`rooms.revision`"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a deleted room read whole",
    edits: [["=> !(revision() >= 0);", "=> Number.isNaN(revision());"]],
    test: "tests/db/consistent_read.test.ts",
    filter: "of a room that this release may not serve, a read is over with its first page",
  },
  {
    name: "a revocation in a room of a later release kept under its key",
    edits: [["`NOT ${IS_SERVED} OR ${deniedBy(1, asked)}`", "deniedBy(1, asked)"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a token refused that is rotated in a room of a later release",
    edits: [[
      '    revisionOf(rooms!);\n    throw new Refusal("unauthenticated", {});\n',
      '    throw new Refusal("unauthenticated", {});\n',
    ]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a plain value written to a room of a later release",
    edits: [["conditions = OPEN_TO_ALL) =>", 'conditions = "NOT rooms.guarded") =>']],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "puts that meet leave a room of a later release alone",
  },
  {
    name: "a plain value that goes alone to a room of a later release",
    edits: [["open: admitInOneRoom(OPEN_TO_ALL)", 'open: admitInOneRoom("NOT rooms.guarded")']],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "puts that meet leave a room of a later release alone",
  },
  {
    name: "a secure agent that anybody writes as",
    edits: [[
      "return { sql: `(NOT rooms.guarded OR NOT EXISTS (${secured}))`, args: names.args };",
      "return undefined;",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: nobody acts as a secure agent",
  },
  {
    name: "a guarded room that nobody remembers",
    edits: [["  if (admitted?.guarded) foundGuarded(room);\n", ""]],
    test: "tests/routes/tokens.test.ts",
    filter: "where others are secure, whoever shows no token takes one round trip",
  },
  {
    name: "what is coalesced in a guarded room",
    edits: [[
      "export const OPEN_TO_ALL = `NOT rooms.guarded AND ${WRITABLE}`;",
      "export const OPEN_TO_ALL = WRITABLE;",
    ]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "puts that meet are judged",
  },
  {
    name: "a token that counts in every room",
    edits: [["ON ${IS_SHOWN}`;", "ON tokens.hash = :viewer_token AND ${IN_FORCE}`;"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a token is refused where it does not count",
  },
  {
    name: "a bound token that acts as any agent that is not secure",
    edits: [[
      '["(tokens.agent_id IS NULL OR tokens.agent_id = :acting_as)"]',
      '["(:acting_as IS NULL OR TRUE)"]',
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a bound token names no other agent",
  },
  {
    name: "a reader that writes",
    edits: [["const asMember = [\"tokens.role = 'member'\", ", 'const asMember = ["TRUE", ']],
    test: "tests/routes/tokens.test.ts",
    filter: "a reader's write is refused by the database",
  },
  {
    name: "a heartbeat of a secure agent by anybody",
    edits: [["const BEAT_OPEN = `${BEAT} AND NOT secure`;", "const BEAT_OPEN = BEAT;"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: nobody acts as a secure agent",
  },
  {
    name: "a gate that is told to who may not write",
    edits: [["pending.reject(why(pending.write) ?? refusal)", "pending.reject(refusal)"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: who may not write is told that first",
  },
  {
    name: "a computed value that is told to who may not write",
    edits: [["const barred = rows![0]!.guarded && await", "const barred = rows![0]!.nothing && await"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: who may not write is told that first",
  },
  {
    name: "an evaluation with the eyes of anybody",
    edits: [["guarded && self !== null && judgeActs(", "guarded && self === null && judgeActs("]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: nobody acts as a secure agent",
  },
  {
    name: "posts to one room by tokens that nobody judges",
    edits: [["own: admitOneRoom(`${WRITABLE} AND ${OWN_COUNT}`)", "own: admitOneRoom(WRITABLE)"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: of many writes at once",
  },
  {
    name: "a token in another form that is ignored",
    edits: [["if (!OTHER_SCHEME.test(header) && holdsToken(header)) throw otherForm();", ""]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a token in another form",
  },
  {
    name: "light reads that never cease and keep a heavy one waiting",
    edits: [["const isHeavysTurn = heavy.length > 0 &&", "const isHeavysTurn = heavy.length > 99 &&"]],
    test: "tests/db/batch_queue.test.ts",
    filter: "a heavy job has its turn",
  },
  {
    name: "a read that joins one on its way",
    edits: [["rows: submit(viewer, statements, { taken })", "rows: submit(viewer, statements, {})"]],
    test: "tests/db/batch_queue.test.ts",
    filter: "equal reads of a viewer that wait together",
  },
  {
    name: "a look at tokens in another's statement that nobody heeds",
    edits: [["refused.set(key, refusal);\n      host.answer(", "refused.get(key);\n      host.answer("]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: many reads at once under one token",
  },
  {
    name: "tokens that were known in force count without a look",
    edits: [["row![0]?.checked === generation", "row![0]?.checked !== generation + 0.5"]],
    test: "tests/db/token_generation.test.ts",
    filter: "file: known tokens are looked for again once it is revoked",
  },
  {
    name: "a token that is revoked leaves its generation to those who share what is known of it",
    edits: [[
      "        facts[n]!.generation = null; // other viewers share the facts, whatever this one has by now\n",
      "",
    ]],
    test: "tests/db/token_generation.test.ts",
    filter: "file: known tokens are looked for again once it is revoked",
  },
  {
    name: "a token that is revoked keeps its generation where another batch has found it so before",
    edits: [[
      "        facts[n]!.generation = null;",
      "        if (seen[n]!.token!.facts) facts[n]!.generation = null;",
    ]],
    test: "tests/db/token_generation.test.ts",
    filter: "file: a revoked token that two batches look for at once",
  },
  {
    name: "a revocation that leaves the generation",
    edits: [[
      "CREATE TRIGGER tokens_revoked AFTER DELETE ON tokens BEGIN",
      "CREATE TRIGGER tokens_revoked AFTER DELETE ON tokens WHEN FALSE BEGIN",
    ]],
    test: "tests/db/token_generation.test.ts",
    filter: "libsql: known tokens are looked for again once it is revoked",
  },
  {
    name: "a rotation that leaves the generation",
    edits: [["AFTER UPDATE OF hash ON tokens BEGIN", "AFTER UPDATE OF hash ON tokens WHEN FALSE BEGIN"]],
    test: "tests/db/token_generation.test.ts",
    filter: "libsql: known tokens are looked for again once it is rotated",
  },
  {
    name: "a token that expires counts as long as its generation",
    edits: [["facts === undefined || facts.ends ? null", "facts === undefined ? null"]],
    test: "tests/db/token_generation.test.ts",
    filter: "file: a token that expires",
  },
  {
    name: "large answers that nobody reads and nobody counts",
    edits: [[
      "      share.hold(pieces, () => {\n        end();",
      "      share.hold([], () => {\n        end();",
    ]],
    test: "tests/routes/pieces.test.ts",
    filter: "64 MiB of answers",
  },
  {
    name: "large answers that slow readers hold without end",
    edits: [["          relieve(own);\n", ""]],
    test: "tests/routes/pieces.test.ts",
    filter: "256 MiB of answers",
  },
  {
    name: "an answer to HEAD whose body is counted for ever",
    edits: [["  if (known !== null) await answer.body.cancel();\n", ""]],
    test: "tests/routes/pieces.test.ts",
    filter: "an answer to HEAD",
  },
  {
    name: "what a foreign page has loaded in advance, taken as what a person asks for",
    edits: [['    if (req.header("sec-purpose") !== undefined) throw foreignPage();\n', ""]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a link of another site",
  },
  {
    name: "a frame of another site that uses up wrong codes",
    edits: [[' && dest === "document"', ' && dest !== ""']],
    test: "tests/contract/browsers.test.ts",
    filter: "file: what another site embeds",
  },
  {
    name: "an image of a foreign page that shows an agent as waiting over plain HTTP",
    edits: [['return /^Mozilla\\//.test(req.header("user-agent") ?? "") &&', "return false &&"]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a browser that does not say for whose page it asks sets no agent waiting",
  },
  {
    name: "a Referer of a foreign page that counts as an own one",
    edits: [["if (referer) return !isOwnPage(referer, hosts);", "if (referer) return false;"]],
    test: "tests/contract/browsers.test.ts",
    filter: "file: a browser that does not say for whose page it asks sets no agent waiting",
  },
  {
    name: "an agent that a token is bound to, taken over by a code for anybody",
    edits: [["    IS_SECURED,\n", ""]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an agent to whom a token is bound",
  },
  {
    name: "an invited agent that is shared with who became it before",
    edits: [["maker.role = 'admin') AND NOT ${OTHER_IS_THERE}))", "maker.role = 'admin')))"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: who becomes an agent that is invited",
  },
  {
    name: "an invitation whose note has lines of its own",
    edits: [[
      "/[\\u0085\\u2028\\u2029\\p{Bidi_Control}]/gu;\n\n/** Writes",
      "/[\\p{Bidi_Control}]/gu;\n\n/** Writes",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: a stranger's words stand on one line",
  },
  {
    name: "keys that count by the text of a token",
    edits: [["return { key: knownFacts(viewer)!.id };", "return viewer;"]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: what a token has done under its keys",
  },
  {
    name: "a locked room that the tokens of others use up",
    edits: [["return isOwn ? room :", "return isOwn || caller ? room :"]],
    test: "tests/routes/locked.test.ts",
    filter: "the token of another locked room",
  },
  {
    name: "a wait that only looks, given up like the last read of others",
    edits: [[
      "request.timeout === 0 ? [] : [setTimeout(finish,",
      "request.timeout < 0 ? [] : [setTimeout(finish,",
    ]],
    test: "tests/routes/deadlines.test.ts",
    filter: "a wait that only looks",
  },
  {
    name: "a wait that marks a secure agent of another",
    edits: [[
      "if (data.snapshot.guarded) refuseOthers(",
      "if (data.snapshot.overdue) refuseOthers(",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: nobody acts as a secure agent",
  },
  {
    name: "an id that is taken over",
    edits: [[
      "const MAY_SECURE = `(${IS_SECURED} OR ${IS_ADMIN} OR ${UNUSED})`;",
      "const MAY_SECURE = `(TRUE OR ${IS_ADMIN} OR ${UNUSED})`;",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: an id under which somebody has acted",
  },
  {
    name: "a code that never expires",
    edits: [[
      "(invites.used < invites.uses AND invites.expires_at > ${NOW} AND",
      "(invites.used < invites.uses AND",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: a code that is used up, expired or unknown",
  },
  {
    name: "a code that is never used up",
    edits: [["UPDATE invites SET used = used + 1 WHERE", "UPDATE invites SET used = used WHERE"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: of many that join at once",
  },
  {
    name: "a code whose use is looked at before the write alone",
    edits: [[
      "where: [MAY_USE, MAY_TAKE],",
      "where: [`(TRUE OR ${MAY_USE})`, MAY_TAKE],",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: of many that join at once",
  },
  {
    name: "a code that outlives its maker's token",
    edits: [["const MAKER_IN_FORCE = `(invites.made_by IS NULL OR", "const MAKER_IN_FORCE = `(TRUE OR"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an invitation ends with the token",
  },
  {
    name: "a token of a code that outlives the code's maker",
    edits: [["maker.expires_at, maker.id,", "maker.expires_at, NULL,"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an invitation ends with the token",
  },
  {
    name: "a token of a code that does not expire with the code's maker",
    edits: [["maker.expires_at, maker.id,", "NULL, maker.id,"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an invitation ends with the token",
  },
  {
    name: "a code by which agents are taken over",
    edits: [[
      "where: [MAY_USE, MAY_TAKE],",
      "where: [MAY_USE, `(TRUE OR ${MAY_TAKE})`],",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an agent that was used since it was invited",
  },
  {
    name: "a join that hides nothing of what was there",
    edits: [[
      "...hides ? hidingSteps(args) : [],\n    step(REGISTER)",
      "step(REGISTER)",
    ]],
    test: "tests/contract/private_joins.test.ts",
    filter: "file: what an invited agent's scope held",
  },
  {
    name: "a join that hides any number of keys",
    edits: [["[TOKENS_LEFT] : [], ...hides ? [MAY_HIDE, SCOPES_LEFT] : []];", "[TOKENS_LEFT] : []];"]],
    test: "tests/contract/private_joins.test.ts",
    filter: "memory: what cannot be private is refused",
  },
  {
    name: "a placeholder of a document that is an id",
    edits: [["const message = faultOf(text) ?? placeholderFault(text);", "const message = faultOf(text);"]],
    test: "tests/contract/ids.test.ts",
    filter: "file: what stands in documents",
  },
  {
    name: "what stands for a token is ignored, and its sender acts as nobody",
    edits: [["    if (STANDS_FOR_ONE.test(text)) throw noToken();\n", ""]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a token in another form",
  },
  {
    name: "the operator's token is of a room to tools",
    edits: [["isOfRoom: (hash: string) => hash !== OPERATOR,", "isOfRoom: () => true,"]],
    test: "tests/routes/operator.test.ts",
    filter: "LIST_ROOMS=off lists rooms",
  },
  {
    name: "a command that keeps the operator's token as that of a room",
    edits: [["token !== undefined && token !== server.connection.token", "token !== undefined"]],
    test: "tests/cli/rights.test.ts",
    filter: "the operator makes open and locked rooms",
  },
  {
    name: "a name that has the mark of who has proved who it is",
    edits: [["plain(text).replace(CHECK_MARKS,", "plain(text).replace(/a^/g,"]],
    test: "tests/cli/rights.test.ts",
    filter: "who has proved who it is has a mark",
  },
  {
    name: "a code of an admin for no agent, by which any is taken over",
    edits: [["AND invites.agent_id = :agent\n     AND (:is_locked", "AND (:is_locked"], [
      "AS maker\n      ON maker.room_id",
      "AS maker\n      ON :agent IS NOT NULL AND maker.room_id",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an open room lets anybody invite members",
  },
  {
    name: "an invitation of any role by anybody",
    edits: [["(NOT :is_locked AND :role = 'member' AND", "(NOT :is_locked AND :role <> '' AND"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: an open room lets anybody invite members",
  },
  {
    name: "an invitation by a token that does not count",
    edits: [[
      "(:own_hash IS NULL OR ${OWN_ROLE} IS 'member'))`;",
      "(TRUE OR :own_hash IS NULL OR ${OWN_ROLE} IS 'member'))`;",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "file: a token that does not count makes no invitation",
  },
  {
    name: "a join that is sent at once under its key joins twice",
    edits: [[
      'AND NOT EXISTS (SELECT 1 FROM tokens WHERE ${madeUnderKey(":room")})`;',
      "AND (:key IS NULL OR :expired > 0)`;",
    ]],
    test: "tests/contract/invites.test.ts",
    filter: "libsql: the same join that is sent many times",
  },
  {
    name: "another join under the key of one",
    edits: [["if (found.made.request !== key!.request) {", 'if (found.made.request === "") {']],
    test: "tests/contract/invites.test.ts",
    filter: "file: the same again under its key",
  },
  {
    name: "a code that is shown again",
    edits: [["code: replayed ? null : code.text,", "code: code.text,"]],
    test: "tests/contract/invites.test.ts",
    filter: "file: a code is shown once",
  },
  {
    name: "wrong codes that are not counted",
    edits: [["else wrongCodes.count(c);", "else wrongCodes.check(c);"]],
    test: "tests/routes/wrong_codes.test.ts",
    filter: "a caller sends ten wrong codes",
  },
  {
    name: "wrong codes that are counted when they are all told",
    edits: [["    if (invite) wrongCodes.check(c);\n", "    if (invite) void 0;\n"]],
    test: "tests/routes/wrong_codes.test.ts",
    filter: "of many codes that come at once",
  },
  {
    name: "wrong codes that are counted by caller alone",
    edits: [[
      "const ofAll = sentOne ? waitFor(inAll, LIMITS.wrongCodes) : 0;",
      "const ofAll = sentOne ? 0 : 0;",
    ]],
    test: "tests/routes/wrong_codes.test.ts",
    filter: "after 1,000 wrong codes in all",
  },
  {
    name: "a token that is printed with its connection",
    edits: [["    this.options = options;\n", "    this.options = Object.assign(options, { token });\n"]],
    test: "tests/client/tokens.test.ts",
    filter: "a token is in no error",
  },
  {
    name: "a kept token that others may read",
    edits: [["const FILE = 0o600;", "const FILE = 0o644;"]],
    test: "tests/cli/tokens.test.ts",
    filter: "two machines meet by one pasted line",
  },
  {
    name: "a kept token that takes the place of one that was moved aside",
    edits: [
      ['{ mode: FILE, flag: "wx" });\n      return aside;', "{ mode: FILE });\n      return aside;"],
      ["Math.max(0, ...others.map(numberOf)) + 1", "1"],
    ],
    test: "tests/cli/kept_tokens.test.ts",
    filter: "each token that is moved aside stays",
  },
  {
    name: "a kept token that is lost with the next",
    edits: [[
      "{ ...other, file: copyAside(file, keptAside(environment, kept.server, kept.room)) };",
      "{ ...other, file };",
    ]],
    test: "tests/cli/tokens.test.ts",
    filter: "a token that is in the place of another",
  },
  {
    name: "an agent that is named acts by the last kept token",
    edits: [[".find((kept) => kept.agent === agent) ?? last;", ".find(() => false) ?? last;"]],
    test: "tests/cli/kept_tokens.test.ts",
    filter: "each agent has its own token",
  },
  {
    name: "an admin who joins is one no longer",
    edits: [["isAdmins(before.token) && !isAdmins(token) && await", "!before.file && await"]],
    test: "tests/cli/tokens.test.ts",
    filter: "an admin who joins stays an admin",
  },
  {
    name: "an admin's token that counts no longer keeps its place",
    edits: [["!isAdmins(token) && await counts(room, before);", "!isAdmins(token);"]],
    test: "tests/cli/tokens.test.ts",
    filter: "an admin who joins stays an admin",
  },
  {
    name: "a token of the client that is rotated to none",
    edits: [['return { ...body, token: textIn(body, "token") };', "return body;"]],
    test: "tests/client/nonsense.test.ts",
    filter: "an answer without what goes on with",
  },
  {
    name: "a new text of a token takes the place of another token",
    edits: [[
      "  write(environment, kept.file, kept);",
      "  write(environment, fileOf(environment, kept.server, kept.room), kept);",
    ]],
    test: "tests/cli/kept_tokens.test.ts",
    filter: "each agent has its own token",
  },
  {
    name: "a room with its first token goes on as if it had none",
    edits: [["FORGET_EXPIRED, MAKE, GUARD, SECURE,", "FORGET_EXPIRED, MAKE, SECURE,"]],
    test: "tests/routes/operator.test.ts",
    filter: "the first token of an open room",
  },
  {
    name: "an operator's code by which nobody joins under a name that is there",
    edits: [[
      "AND (:is_locked OR ${BY_OPERATOR} OR maker.role = 'admin') AND NOT",
      "AND (:is_locked OR maker.role = 'admin') AND NOT",
    ]],
    test: "tests/routes/operator.test.ts",
    filter: "the operator invites whomever",
  },
  {
    name: "an operation that needs a token asks for none",
    edits: [[
      'if (token === undefined) return right === "write" || right === "manage";',
      "if (token === undefined) return true;",
    ]],
    test: "tests/rights.test.ts",
    filter: "whoever shows too little",
  },
  {
    name: "a reader's token is as good as a member's where the operation asks",
    edits: [['return token.role === "member" && (right', 'return right !== "admin" && (right']],
    test: "tests/rights.test.ts",
    filter: "whoever shows too little",
  },
  {
    name: "a token that does not count is told that it does not suffice",
    edits: [["  await getRoom(database, viewerOf(c), roomOf(c));\n", ""]],
    test: "tests/rights.test.ts",
    filter: "whoever shows too little",
  },
  {
    name: "tokens of writes that travel together count for ever",
    edits: [[
      "(SELECT 1 FROM tokens WHERE tokens.hash = own.value))`;",
      "(SELECT 1))`;",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: of many writes at once",
  },
  {
    name: "writes that travel with a token's own are not judged",
    edits: [[
      "     WHERE NOT CASE WHEN actor.value ->> 0 IS NULL",
      "     WHERE FALSE AND CASE WHEN actor.value ->> 0 IS NULL",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: of many writes at once",
  },
  {
    name: "a reader writes where its writes travel together",
    edits: [['const own = isOwn && role === "member" && !ends &&', "const own = isOwn && !ends &&"]],
    test: "tests/routes/tokens.test.ts",
    filter: "a reader's write is refused by the database",
  },
  {
    name: "a token with an end writes after it where its writes travel together",
    edits: [['role === "member" && !ends &&', 'role === "member" &&']],
    test: "tests/contract/rotation.test.ts",
    filter: "file: what a token makes ends when it does",
  },
  {
    name: "a bound token writes into another's scope where its writes travel together",
    edits: [["(acts.scopes?.every((scope) => scope === agent || !isOfAgent(scope)) ?? true)", "true"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: nobody acts as a secure agent",
  },
  {
    name: "what travels together is stored as not verified",
    edits: [['own: () => "1",', 'own: () => "0",']],
    test: "tests/contract/tokens.test.ts",
    filter: "file: of many writes at once",
  },
  {
    name: "a refused write is a sign of life where writes travel together",
    edits: [[
      'ofEachRoom: "(SELECT admitted FROM rooms WHERE rooms.id = agents.room_id) = :nonce"',
      'ofEachRoom: ":nonce IS NOT NULL"',
    ]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "a put under a revoked token",
  },
  {
    name: "reads that travel together are not refused by their tokens",
    edits: [["refused.size > 0 ? refused.get(viewer.key) : undefined;", "refused.get(`${viewer.key} `);"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a token is refused where it does not count",
  },
  {
    name: "a rotation that is made again though its token was used",
    edits: [["tokens.request_key = :request AND tokens.unused\n", "tokens.request_key = :request\n"]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: a rotation whose answer is lost",
  },
  {
    name: "a rotation that is made again by whoever has the old token",
    edits: [["AND tokens.request_key = :request AND tokens.unused\n", "AND tokens.unused\n"]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: a rotation whose answer is lost",
  },
  {
    name: "a rotation that is made again at any time",
    edits: [["AND tokens.requested_at > ${NOW} - :lifetime)", "AND :lifetime > 0)"]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: a rotation is made again within an hour",
  },
  {
    name: "invitations that outlive a rotation which revokes all",
    edits: [["{ sql: REVOKE_INVITES, args: made }, ", ""]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: a rotation revokes all",
  },
  {
    name: "a use of a token that is not noted",
    edits: [["SET last_used_at = used.value ->> 2, unused = 0 FROM", "SET note = note FROM"]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: a token shows the beginning of the last hour",
  },
  {
    name: "an id is free again when its departure is forgotten",
    edits: [[
      "SELECT 1 FROM former_agents WHERE room_id = :room AND agent_id = :agent",
      "SELECT 1 FROM departed WHERE room_id = :room AND kind = 'agents' AND id = :agent",
    ]],
    test: "tests/routes/tokens.test.ts",
    filter: "an id that has left",
  },
  {
    name: "a token that never ends",
    edits: [[
      "(${tokens}.expires_at IS NULL OR ${tokens}.expires_at > ${NOW})",
      "(${tokens}.expires_at IS NULL OR ${NOW} > 0)",
    ]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: what a token makes ends when it does",
  },
  {
    name: "a token that outlives its maker by its own end",
    edits: [[
      'ELSE MIN(:expires_at, COALESCE(${OWN("expires_at")}, :expires_at)) END,',
      "ELSE :expires_at END,",
    ]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: what a token makes ends when it does",
  },
  {
    name: "a token that outlives its maker for want of an end",
    edits: [[
      'CASE WHEN :expires_at IS NULL THEN ${OWN("expires_at")}',
      "CASE WHEN :expires_at IS NULL THEN NULL",
    ]],
    test: "tests/contract/rotation.test.ts",
    filter: "file: what a token makes ends when it does",
  },
  {
    name: "a member that makes tokens of other agents",
    edits: [["WHEN 'member' THEN :agent = ${OWN(\"agent_id\")}", "WHEN 'member' THEN :agent IS NOT NULL"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a member makes narrower tokens",
  },
  {
    name: "a token that whoever has one revokes",
    edits: [[
      "const MAY_REVOKE = `(${IS_ADMIN} OR",
      "const MAY_REVOKE = `(${IS_ADMIN} OR :own_hash IS NOT NULL OR",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a member makes narrower tokens",
  },
  {
    name: "a list of all tokens for whoever has one",
    edits: [[
      "AND ${IN_FORCE} AND (${IS_ADMIN} OR id",
      "AND ${IN_FORCE} AND (${IS_ADMIN} OR :own_hash IS NOT NULL OR id",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a member makes narrower tokens",
  },
  {
    name: "tokens that outlive their maker's revocation",
    edits: [['WHERE room_id = :room AND id IN (${madeBy(":id")})\n', "WHERE room_id = :room AND id = :id\n"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a member makes narrower tokens",
  },
  {
    name: "waits that outlive their token",
    edits: [["findRevoked(database, holders.tokens())", "findRevoked(database, [])"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a revoked token's waits and streams",
  },
  {
    name: "a token that is shown again",
    edits: [["text: replayed ? null : made.text,", "text: made.text,"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: a token is shown once",
  },
  {
    name: "a room of a later release among all",
    edits: [["`listed AND ${SERVED}`", "`listed`"]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a refusal kept under its key as an answer",
    edits: [['["id = :room", WRITABLE, ...may', '["id = :room", ...may']],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: a room that needs a later release is served by none before it",
  },
  {
    name: "a room not raised by the write that needs it",
    edits: [["const raised = requires === undefined ? [] : ", "const raised = requires ? [] : "]],
    test: "tests/upgrade/requires.test.ts",
    filter: "file: what is asked of a room raises nothing",
  },
  {
    name: "what older instances delete not counted",
    edits: [[
      "AND rooms.tombstone_count = 999;\n       UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE id = NEW.room_id AND tombstone_count < 1000;",
      "AND rooms.tombstone_count = 999;\n       UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE FALSE;",
    ]],
    test: "tests/upgrade/migrations.test.ts",
    filter: "file: the release of",
  },
  {
    name: "healthz looks at no table",
    edits: [["`SELECT id FROM rooms WHERE id = ''`", "`SELECT 1`"]],
    test: "tests/faults/migrations.test.ts",
    filter: "a database whose tables are gone is not well: one file",
  },
  {
    name: "nothing is said to a reader that knows more than there is",
    edits: [["`(:after > revision OR :after > 0 AND", "`(:after < 0 OR :after > 0 AND"]],
    test: "tests/contract/resets.test.ts",
    filter: "file: changes after a revision that the room does not have",
  },
  {
    name: "streams and waits under way not told that a room has gone back",
    edits: [["listener.rewound(room, true);", "void room;"]],
    test: "tests/faults/restored.test.ts",
    filter: "file: streams and waits under way hear of a room that has gone back",
  },
  {
    name: "a wait that nobody sees any more when its room has gone back",
    edits: [["if (isThere) marks.get(waiter)?.renew();", ""]],
    test: "tests/faults/restored.test.ts",
    filter: "file: a wait under way in a room that has gone back is shown again",
  },
  {
    name: "a gated write that goes on reading where what is due cannot be ended",
    edits: [["if (data.snapshot.overdue) throw", "if (false) throw"]],
    test: "tests/db/endings.test.ts",
    filter: "a gated write is refused at once",
  },
  {
    name: "views remembered of a room that was before",
    edits: [[" || known.createdAt !== snapshot.createdAt;", ";"]],
    test: "tests/faults/restored.test.ts",
    filter: "file: views, waits and followers of a database that was emptied",
  },
  {
    name: "the log of migrations forgotten while tables are there",
    edits: [[
      "name IN (SELECT value FROM json_each(:tables)))`",
      "name IN (SELECT value FROM json_each(:tables) WHERE FALSE))`",
    ]],
    test: "tests/faults/restored.test.ts",
    filter: "file: where some tables are gone",
  },
  {
    name: "a file that was removed written on",
    edits: [["return identityOf(path) !== known;", "return false;"]],
    test: "tests/faults/restored.test.ts",
    filter: "file: a file that is removed while it runs",
  },
  {
    name: "a wait by an agent that is not registered says nothing of it",
    edits: [["revisions.revision, joined.get(agent));", "revisions.revision, joined.get(agent) ?? 1);"]],
    test: "tests/contract/wait.test.ts",
    filter: "file: an agent that is not registered waits without a mark",
  },
  {
    name: "a scope of the system that the document allows in a write",
    edits: [["({ z, ownId }: Parts, ...names", "({ z, id: ownId }: Parts, ...names"]],
    test: "tests/openapi/requests.test.ts",
    filter: "a body is taken if and only if",
  },
  {
    name: "an include that the document allows and no wait takes",
    edits: [[
      "const IN_TEXT = fieldsOf(String.raw`[^,_\\s]|[^,_][^,]*[^,\\s]`);",
      "const IN_TEXT = fieldsOf(String.raw`[^,_][^,]*`);",
    ]],
    test: "tests/openapi/requests.test.ts",
    filter: "a parameter is refused if and only if",
  },
  {
    name: "a wait of MCP that its agent's next call leaves",
    edits: [["if (agent !== undefined) end(", "if (agent !== agent) end("]],
    test: "tests/mcp/endings.test.ts",
    filter: "file: a wait ends with its agent's next call",
  },
  {
    name: "a wait of MCP whose answer begins when it ends",
    edits: [[`isWait(message) ? "sse" : "auto"`, `"auto"`]],
    test: "tests/mcp/endings.test.ts",
    filter: "2026-07-28: a client that leaves ends its wait",
  },
  {
    name: "arguments of MCP taken that the outcome of a task drops",
    edits: [["return way && faultOf(way, given);", "return undefined;"]],
    test: "tests/mcp/words.test.ts",
    filter: "file: what is refused is told in the words of tools",
  },
  {
    name: "a long take of MCP under a key whose requests differ",
    edits: [["evenly(keyed ? total", "evenly(false ? total"]],
    test: "tests/mcp/waiting.test.ts",
    filter: "requests under one idempotency key are equal",
  },
  {
    name: "a take of MCP that goes on after its agent's next call",
    edits: [["replaced: () => replaced.abort(),", "replaced() {},"]],
    test: "tests/mcp/tasks.test.ts",
    filter: "file: a task is waited for",
  },
  {
    name: "an argument of MCP that can be no id put into a path",
    edits: [["existingId(String(part)) || NOTHING", "String(part).toWellFormed()"]],
    test: "tests/mcp/words.test.ts",
    filter: "file: what can be no id leads nowhere else",
  },
  {
    name: "a wait of MCP under a token that whoever names its agent ends",
    edits: [
      ['note(nameOf("agent", room, agent, holder)', 'note(nameOf("agent", room, agent)'],
      ['end(nameOf("agent", room, agent, holder), sent)', 'end(nameOf("agent", room, agent), sent)'],
    ],
    test: "tests/mcp/access.test.ts",
    filter: "file: a stranger who names an agent",
  },
  {
    name: "a token of MCP's header that is not in force taken",
    edits: [["if (hash === OPERATOR || await lookedInTime(isInForce(database, hash))) return;", "return;"]],
    test: "tests/mcp/access.test.ts",
    filter: "file: a bad token in the header",
  },
  {
    name: "a token of MCP's arguments left out",
    edits: [["if (token !== undefined) headers.set(", "if (token === null) headers.set("]],
    test: "tests/mcp/access.test.ts",
    filter: "file: an agent acts under the token of its call",
  },
  {
    name: "a token of MCP's header dropped",
    edits: [["(authorization|forwarded|host)", "(forwarded|host)"]],
    test: "tests/mcp/access.test.ts",
    filter: "file: an agent acts under the token in the header",
  },
  {
    name: "frames of MCP's answers that all have one name",
    edits: [["crypto.getRandomValues(new Uint8Array(6))", "new Uint8Array(6)"]],
    test: "tests/mcp/access.test.ts",
    filter: "file: what others wrote comes in a frame",
  },
  {
    name: "a line of what others wrote that some take for two",
    edits: [["json.replaceAll(BREAKS, escaped)", "json"]],
    test: "tests/mcp/access.test.ts",
    filter: "file: what others wrote comes in a frame",
  },
  {
    name: "an answer of MCP that is never cut",
    edits: [["if (isShort(json)) return json;", "return json;"]],
    test: "tests/mcp/long_answers.test.ts",
    filter: "file: an answer has at most",
  },
  {
    name: "everybody marked as verified by the page",
    edits: [[
      `{verified && <Verified what="sent under its own token, or an admin's" />}`,
      `{<Verified what="sent under its own token, or an admin's" />}`,
    ]],
    test: "tests/browser/token.test.ts",
    filter: "leaves the address at once, 1400 light",
  },
  {
    name: "members of a locked room offered to make join codes",
    edits: [['return locked ? you?.role === "admin" :', 'return locked ? you?.role !== "reader" :']],
    test: "tests/browser/entering.test.ts",
    filter: "who may makes a join code",
  },
  {
    name: "readers offered to say something",
    edits: [['you.agent !== null && you.role !== "reader";', "you.agent !== null;"]],
    test: "tests/browser/entering.test.ts",
    filter: "who cannot say something",
  },
  {
    name: "a page that does not tell whose eyes a view has",
    edits: [["      as: eyesOf(row),\n", ""]],
    test: "tests/browser/token.test.ts",
    filter: "a view tells in words",
  },
  {
    name: "times told by the instance's clock",
    edits: [[
      "const millis = () => elapsed() + (bounds.min + bounds.max) / 2;",
      "const millis = () => timeOfDay();",
    ]],
    test: "tests/contract/clocks.test.ts",
    filter: "instances whose clocks are hours apart tell one time",
  },
  {
    name: "now of expressions told by the instance's clock",
    edits: [["now: snapshot.now }", "now: new Date() }"]],
    test: "tests/contract/clocks.test.ts",
    filter: "instances whose clocks are hours apart tell one time",
  },
  {
    name: "what has elapsed measured by the time of day",
    edits: [["elapsed: () => performance.now()", "elapsed: () => Date.now()"]],
    test: "tests/contract/clocks.test.ts",
    filter: "a wait on time ends on time",
  },
  {
    name: "time that passed while the machine slept not seen",
    edits: [["Math.abs(timeOfDay() - elapsed() - apart) < UNSEEN_MS", "!Number.isNaN(apart)"]],
    test: "tests/db/endings.test.ts",
    filter: "a day that passes while the machine sleeps",
  },
  {
    name: "a mark's end written by the instance's clock",
    edits: [["from: now.getTime(), lasts", "from: Date.now(), lasts"]],
    test: "tests/contract/clocks.test.ts",
    filter: "the mark of an instance that dies",
  },
  {
    name: "what ends by itself ended early",
    edits: [
      ["import { NOW } from", "import { NOW as EXACT } from"],
      ["/** True for a room in which", "const NOW = `(${EXACT} + 1)`;\n/** True for a room in which"],
    ],
    test: "tests/db/endings.test.ts",
    filter: "a mark shows until its time and no longer",
  },
  {
    name: "what is due ended by each that meets it",
    edits: [["AND ${IS_DUE(ending)}", "AND :moment > 0"]],
    test: "tests/db/endings.test.ts",
    filter: "of two instances that meet what is due",
  },
  {
    name: "what is due ended by each that meets it, in a drawn order",
    edits: [["AND ${IS_DUE(ending)}", "AND :moment > 0"]],
    test: "tests/model/schedules.test.ts",
    filter: "a mark ends with its lease",
  },
  {
    name: "what is due ended without bound",
    edits: [["const THINGS = 100;", "const THINGS = 1_000;"]],
    test: "tests/db/endings.test.ts",
    filter: "what is due ends in revisions of a hundred things",
  },
  {
    name: "what is due ended by readers alone",
    edits: [[
      "due.push(...await lookAt(all.slice(from, from + ROOMS_AT_ONCE), looked));",
      "await lookAt(all.slice(from, from + ROOMS_AT_ONCE), looked);",
    ]],
    test: "tests/db/endings.test.ts",
    filter: "a stream and a wait are told of what ends",
  },
  {
    name: "a gate that holds over what has ended since",
    edits: [["${SERVED} AND ${NOTHING_DUE}`", "${SERVED}`"]],
    test: "tests/db/endings.test.ts",
    filter: "a gate does not hold over a mark that ended",
  },
  {
    name: "a room due for a mark that was cleared",
    edits: [[
      "(${FIRST_END_OF_EACH})\n        WHERE id = OLD.room_id AND due = OLD.until AND leaving IS NULL;",
      "(${FIRST_END_OF_EACH})\n        WHERE FALSE;",
    ]],
    test: "tests/db/endings.test.ts",
    filter: "a room in which nothing ends has nothing due",
  },
  {
    name: "marks of before the migration left out",
    edits: [["      WHERE id IN (SELECT room_id FROM waits)`", "      WHERE FALSE`"]],
    test: "tests/db/endings.test.ts",
    filter: "marks of before the migration end",
  },
  {
    name: "one statement for the writes of all viewers that does not judge them",
    edits: [["Map.groupBy(members, ({ viewer }) => viewer.key)", 'Map.groupBy(members, () => "")']],
    test: "tests/db/batch_queue.test.ts",
    filter: "no statement that judges nobody",
  },
  {
    name: "waits of all viewers judged over one snapshot",
    edits: [["(waiter) => keyFor(waiter.request.viewer, ", '(waiter) => keyFor({ key: "" }, ']],
    test: "tests/routes/viewers.test.ts",
    filter: "waits that are judged together",
  },
  {
    name: "one read for the streams of all viewers",
    edits: [["keyFor(viewer, `${after} ${began} ${bytes} ${room}`)", "`${after} ${began} ${bytes} ${room}`"]],
    test: "tests/routes/viewers.test.ts",
    filter: "streams and pages are told",
  },
  {
    name: "one drawing for the pages of all viewers",
    edits: [["const key = keyFor(viewer, room);", "const key = room;"]],
    test: "tests/routes/viewers.test.ts",
    filter: "what is drawn at a beat",
  },
  {
    name: "the waits that one viewer saw shown to all",
    edits: [["touch(keyFor(viewer, room), now)", "touch(room, now)"]],
    test: "tests/routes/viewers.test.ts",
    filter: "what is drawn at a beat",
  },
  {
    name: "an idempotency key for all callers",
    edits: [["held_key: keyFor(owner, key)", "held_key: key"]],
    test: "tests/routes/viewers.test.ts",
    filter: "an idempotency key belongs",
  },
  {
    name: "tools that call as nobody",
    edits: [["|(authorization|forwarded|host)$", "|(forwarded|host)$"]],
    test: "tests/routes/viewers.test.ts",
    filter: "what is read at once",
  },
  {
    name: "a conflict of globs decided by prefixes of their texts",
    edits: [[
      "if (met ? met.has(n) : meets(others[n]!)) return true;",
      "if (globs.some((text) => text.startsWith(list[0]!) || list[0]!.startsWith(text.split('*')[0]!))) return true;",
    ]],
    test: "tests/db/globs.test.ts",
    filter: "two globs overlap exactly where a path is covered by both",
  },
  {
    name: "a conflict laid to another reservation's globs",
    edits: [["met.has(n)", "met.has(n - from)"]],
    test: "tests/db/globs.test.ts",
    filter: "of many lists, those overlap",
  },
  {
    name: "reservations in force that are not compared from a number of characters on",
    edits: [[
      "from < all.length && found.length < max; from = end)",
      "from === 0 && found.length < max; from = end)",
    ]],
    test: "tests/db/globs.test.ts",
    filter: "as many as are asked for",
  },
  {
    name: "a star that reaches into alternatives beside its own",
    edits: [["(word & all & ~inside)", "(word & all)"]],
    test: "tests/db/globs.test.ts",
    filter: "two globs overlap exactly where a path is covered by both",
  },
  {
    name: "a segment that is empty in both globs as what they have in common",
    edits: [["if (mayBeEmpty) tokens.splice(first, 0, WITH_TEXT);", ""]],
    test: "tests/db/globs.test.ts",
    filter: "globs cover what they say",
  },
  {
    name: "alternatives that are not entered across the words of an automaton",
    edits: [["<< 1) | 0) + entered1 | 0;", "<< 1) | 0);"]],
    test: "tests/db/globs.test.ts",
    filter: "alternatives are entered",
  },
  {
    name: "alternatives that are not left across words by the second of two letters",
    edits: [["(runs ^ inside)) | 0) + left2 | 0;", "(runs ^ inside)) | 0);"]],
    test: "tests/db/drawn_globs.test.ts",
    filter: "drawn globs overlap",
  },
  {
    name: "alternatives that are not left across words by a letter alone",
    edits: [[
      "table[at + 4]! | word & (runs ^ inside)) | 0) + left | 0;",
      "table[at + 4]! | word & (runs ^ inside)) | 0);",
    ]],
    test: "tests/db/drawn_globs.test.ts",
    filter: "drawn globs overlap",
  },
  {
    name: "an alternative that is not entered where it has a word of states to itself",
    edits: [["inside[n]! & ~begins[n]!", "inside[n]!"]],
    test: "tests/db/globs.test.ts",
    filter: "alternatives are entered",
  },
  {
    name: "a last letter before alternatives that may be empty, as if they were not",
    edits: [["isEnd = has(sets.endings, at) || has(sets.runs, at);", "isEnd = has(sets.endings, at);"]],
    test: "tests/db/globs.test.ts",
    filter: "a glob ends with its last letter",
  },
  {
    name: "a last letter that leaves no alternatives",
    edits: [["has(isInside ? sets.leaves : sets.moves, at)", "has(sets.moves, at)"]],
    test: "tests/db/globs.test.ts",
    filter: "a glob ends with its last letter",
  },
  {
    name: "the first of two letters that is not read across words",
    edits: [["between = taken1 << 1 | carry1 |", "between = taken1 << 1 |"]],
    test: "tests/db/drawn_globs.test.ts",
    filter: "drawn globs overlap",
  },
  {
    name: "a globstar that stands for no segment but at the end of a word",
    edits: [["passing << 1 | passed;", "passing << 1;"]],
    test: "tests/db/drawn_globs.test.ts",
    filter: "drawn globs overlap",
  },
  {
    name: "a text before a slash that ends within alternatives",
    edits: [["(before | filling ^ skips) & slashes[n]!", "before & slashes[n]!"]],
    test: "tests/db/globs.test.ts",
    filter: "globs cover what they say",
  },
  {
    name: "paths reserved though others were reserved since the look",
    edits: [['"reservations_revision = :seen"', '"reservations_revision >= :seen"']],
    test: "tests/db/reservations.test.ts",
    filter: "two instances that find the same paths free do not both get them",
  },
  {
    name: "a reservation held whatever its fence",
    edits: [["AND (:fence IS NULL OR fence = :fence)", "AND (:fence IS NULL OR fence > 0)"]],
    test: "tests/contract/reservations.test.ts",
    filter: "file: who holds it renews and releases it, under its fence",
  },
  {
    name: "a reservation that no longer waits for the oldest",
    edits: [[
      "return [...waiting].filter(({ request: { parts, timed }",
      "return [...waiting].reverse().filter(({ request: { parts, timed }",
    ]],
    test: "tests/contract/reservations.test.ts",
    filter: "file: of many who wait for the same paths the oldest is first",
  },
  {
    name: "a take that is made twice where its reply is lost",
    edits: [["error.unknown ? new OutcomeUnknown(error) : error;", "error.unknown ? error : error;"]],
    test: "tests/cel/queue.test.ts",
    filter: "a take that waits is not made twice",
  },
  {
    name: "a take whose lost reply is a fault of the service",
    edits: [["throw error instanceof OutcomeUnknown ? error.cause : error;", "throw error;"]],
    test: "tests/contract/lost_replies.test.ts",
    filter: "each task is taken and completed once",
  },
  {
    name: "a look in vain that is no sign of life",
    edits: [["if (!taken) await recordHeartbeat(", "if (!take) await recordHeartbeat("]],
    test: "tests/contract/take.test.ts",
    filter: "file: a take that finds nothing is a sign of life",
  },
  {
    name: "a task kept for a client that has left",
    edits: [["if (taken && isOver) await giveBack", "if (taken && !isOver) void giveBack"]],
    test: "tests/cel/queue.test.ts",
    filter: "what is given to a client that has left",
  },
  {
    name: "paths kept for a client that has left",
    edits: [[
      "if (outcome && !end(round, one, outcome)) await",
      "if (outcome && end(round, one, outcome) === undefined) await",
    ]],
    test: "tests/cel/queue.test.ts",
    filter: "what is given to a client that has left",
  },
  {
    name: "a room that goes back while a follower reads it first is not noticed",
    edits: [["  let { rewinds } = before;\n", "  let { rewinds } = followed;\n"]],
    test: "tests/cel/made_anew.test.ts",
    filter: "a follower whose room goes back",
  },
  {
    name: "writes of a chain that wait for what a refusal reads",
    edits: [[
      "  const again: Pending[] = [];\n  // Those that are made do not wait for it.\n",
      "  const again: Pending[] = [];\n  await barring(database, room, data, links.filter((link) => link.refused));\n",
    ]],
    test: "tests/cel/gate.test.ts",
    filter: "is answered without what the refusal",
  },
  {
    name: "a page that evaluates as nobody where the token was not seen",
    edits: [[
      "as ? existingId(as) || null : await ownAgent(c, services) ?? null;",
      "as ? existingId(as) || null : null;",
    ]],
    test: "tests/routes/tokens.test.ts",
    filter: "a page evaluates as the agent",
  },
  {
    name: "a refusal over what the service has read is shown to a revoked token",
    edits: [["settleFailed(waiting, await failureOf(waiting, error));", "settleFailed(waiting, error);"]],
    test: "tests/routes/locked.test.ts",
    filter: "a revoked token learns nothing",
  },
  {
    name: "a take of a message that others had since it was judged",
    edits: [["AND id = :id AND ${UNCLAIMED} AND ${ATTEMPTS} = :attempts`", "AND id = :id AND ${UNCLAIMED}`"]],
    test: "tests/cel/take_chains.test.ts",
    filter: "a take is judged by the attempts",
  },
  {
    name: "a message that others had is not judged again",
    edits: [[
      "const nameOf = ({ id, attempts }: Message) => `${id} ${attempts}`;",
      "const nameOf = ({ id }: Message) => `${id}`;",
    ]],
    test: "tests/cel/take_chains.test.ts",
    filter: "a take is judged by the attempts",
  },
  {
    name: "a mark that uses up the key of what its agent waits for",
    edits: [["const unkeyed = { ...by, idempotencyKey: undefined };", "const unkeyed = by;"]],
    test: "tests/cel/queue.test.ts",
    filter: "does not use the key up",
  },
  {
    name: "what has a key is given back",
    edits: [["  if (idempotencyKey) return;\n", ""]],
    test: "tests/cel/queue.test.ts",
    filter: "what is given under a key to a client that has left",
  },
  {
    name: "what is given back is given back by who has left",
    edits: [[
      "const context = { ...BY_SERVICE, time: () => database.time()",
      "const context = { viewer, acts, time: () => database.time()",
    ], [
      "  { idempotencyKey }: WriteAs,\n",
      "  { viewer, acts, idempotencyKey }: WriteAs,\n",
    ]],
    test: "tests/cel/queue.test.ts",
    filter: "though its token is revoked by then",
  },
  {
    name: "paths that end meanwhile go to who asks last",
    edits: [["freed ||= hasLost(board, round.board);", "freed ||= hasLost(round.board, round.board);"]],
    test: "tests/cel/queue.test.ts",
    filter: "paths that end at another instance",
  },
  {
    name: "a take that is answered with nothing while its write is under way",
    edits: [['waiting.wrote = "sent";', "waiting.wrote = undefined;"]],
    test: "tests/cel/late_answers.test.ts",
    filter: "a take whose write takes too long",
  },
  {
    name: "a take that others preceded counts as one whose write is under way",
    edits: [['if (made === undefined) waiting.wrote = "preceded";', ""]],
    test: "tests/cel/late_answers.test.ts",
    filter: "others preceded",
  },
  {
    name: "a request that never wrote is answered that it may have",
    edits: [[
      '"The database did not answer in time.", wrote === "sent");',
      '"The database did not answer in time.", true);',
    ]],
    test: "tests/cel/late_answers.test.ts",
    filter: "whose only look takes too long",
  },
  {
    name: "what is taken after the answer that nothing was",
    edits: [["if (!queue.waiting.has(waiting)) throw", "if (!queue) throw"]],
    test: "tests/cel/late_answers.test.ts",
    filter: "takes nothing",
  },
  {
    name: "a departure that is forgotten when a mark of another ends",
    edits: [[
      "(${FIRST_END_OF_EACH})\n        WHERE id = OLD.room_id AND due = OLD.until AND leaving IS NULL;",
      "(${FIRST_END_OF_EACH})\n        WHERE id = OLD.room_id AND due = OLD.until;",
    ]],
    test: "tests/db/departures.test.ts",
    filter: "also where a mark of another ends with it",
  },
  {
    name: "claims of an agent that left that are kept",
    edits: [["EXISTS (SELECT 1 FROM ${HELD} WHERE ${claimsOf(agent)})", "FALSE"]],
    test: "tests/contract/departures.test.ts",
    filter: "memory: all its claims that are not done are released",
  },
  {
    name: "reservations of an agent that left that are kept",
    edits: [["OR EXISTS (SELECT 1 FROM reservations WHERE ${reservationsOf(agent)}))", ")"]],
    test: "tests/contract/departures.test.ts",
    filter: "memory: its reservations end",
  },
  {
    name: "a wait that goes on though its agent has left",
    edits: [["    departures.hear(change);\n", ""]],
    test: "tests/contract/departures.test.ts",
    filter: "memory: its waits end with 404",
  },
  {
    name: "an agent that came back taken for the one that left",
    edits: [["if (registrations.get(wait.agent) === wait.joined)", "if (registrations.has(wait.agent))"]],
    test: "tests/contract/departures.test.ts",
    filter: "file: they end too where it comes back at once",
  },
  {
    name: "a task that is given to an agent that has left",
    edits: [[
      `return typeof joined === "number" ? [`,
      `return typeof joined === "string" ? [`,
    ]],
    test: "tests/model/schedules.test.ts",
    filter: "nothing is given to an agent that has left",
  },
  {
    name: "a bound token that lets no other agent leave",
    edits: [["    acts: { scopes: [agent] },\n", "    acts: { as: agent },\n"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: whoever writes a room lets agents leave",
  },
  {
    name: "an agent that left that counts for the limit",
    edits: [[`, "agent_count = agent_count - 1"]`, "]"]],
    test: "tests/contract/departures.test.ts",
    filter: "file: agents that left make room for others",
  },
  {
    name: "what needs the last attempt of an agent that left is forgotten",
    edits: [[
      'attempts = COALESCE(attempts, 1)\n      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,\n    FAIL_DEPENDENTS,',
      'attempts = COALESCE(attempts, 1)\n      WHERE rowid IN (${dueFirst("rowid")}) AND ${ADMITTED}`,',
    ]],
    test: "tests/contract/departures.test.ts",
    filter: "memory: a task whose last attempt that was fails",
  },
  {
    name: "an agent that came back told as one that left",
    edits: [["    statementOf(COME_BACK, args),\n", ""]],
    test: "tests/contract/departures.test.ts",
    filter: "memory: an agent that comes back is new",
  },
  {
    name: "a gate that is true of an agent that has left",
    edits: [["conditions.push(NOBODY_LEFT);", "void NOBODY_LEFT;"]],
    test: "tests/cel/gate.test.ts",
    filter: "where an agent has left before its write",
  },
  {
    name: "a list that shows an agent that left while it was read",
    edits: [[
      "if (asked.gone) { for (const row of results.shift()!) rows.delete(identityOf(listing, row)); }",
      "if (asked.gone) results.shift();",
    ]],
    test: "tests/db/consistent_read.test.ts",
    filter: "agents that join and change",
  },
  {
    name: "a reader that is not told of forgotten departures",
    edits: [[" OR :after > 0 AND :after < forgotten AND", " OR :after < 0 AND :after < forgotten AND"]],
    test: "tests/contract/departures.test.ts",
    filter: "file: who follows from before departures that are forgotten",
  },
  {
    name: "a walk that begins again and again",
    edits: [["AND COALESCE(:began, 0) < forgotten", ""]],
    test: "tests/contract/departures.test.ts",
    filter: "file: who follows from before departures that are forgotten",
  },
  {
    name: "a packed piece that ends the body",
    edits: [["finishFlush: constants.Z_SYNC_FLUSH", "finishFlush: constants.Z_FINISH"]],
    test: "tests/routes/gzip.test.ts",
    filter: "pieces are one gzip body",
  },
  {
    name: "a packed body with the checksum of its last piece",
    edits: [["checksum = crc32(piece, checksum)", "checksum = crc32(piece)"]],
    test: "tests/routes/gzip.test.ts",
    filter: "pieces are one gzip body",
  },
  {
    name: "short answers are packed",
    edits: [["isOne && only.text.length < SHORT)", "isOne && only.text.length < 0)"]],
    test: "tests/contract/packing.test.ts",
    filter: "short answers stay as they are",
  },
  {
    name: "the client renews a claim when it has ended",
    edits: [[
      "pause(began + whole / 3 - performance.now(), signal)",
      "pause(began + whole - performance.now(), signal)",
    ]],
    test: "tests/client/worker.test.ts",
    filter: "while the handler runs its claim is renewed",
  },
  {
    name: "the client does not tell a handler that its claim is lost",
    edits: [["      own.abort(error);\n", ""]],
    test: "tests/client/worker.test.ts",
    filter: "a lease that is lost aborts the handler's signal",
  },
  {
    name: "the client keeps a task that it took when its caller had left",
    edits: [["      if (body.claimed) await giveBack(messages, body);\n", ""]],
    test: "tests/client/worker.test.ts",
    filter: "a task that is taken while its taker leaves",
  },
  {
    name: "the client does a task whose claim has ended while its answer was lost",
    edits: [[
      'if (!body.claimed || !headers.has("Idempotency-Replayed")) return body;',
      "if (body) return body;",
    ]],
    test: "tests/client/worker.test.ts",
    filter: "what was taken by a lost answer is renewed",
  },
  {
    name: "the client asks at once, however often it is answered early",
    edits: [["    else await pause(Math.min(max, pauseAfterEarly(++this.#early)), signal);\n", ""]],
    test: "tests/client/nonsense.test.ts",
    filter: "who is answered early again and again asks ever later",
  },
  {
    name: "the client takes an object for a list",
    edits: [[" || Array.isArray(value) !== isList", ""]],
    test: "tests/client/nonsense.test.ts",
    filter: "an answer that is no object, and no list where one was asked for",
  },
  {
    name: "the client reads a page as a stream of events",
    edits: [[
      '    if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response;\n',
      "    return response;\n",
    ]],
    test: "tests/client/nonsense.test.ts",
    filter: "what is no stream of events",
  },
  {
    name: "the command ends a program, but not what it started",
    edits: [["process.kill(-child.pid, signal)", "process.kill(child.pid, signal)"]],
    test: "tests/cli/work.test.ts",
    filter: "a worker that is told to stop ends its programs",
  },
  {
    name: "the command completes a task whose program has failed",
    edits: [["    if (exit !== 0) throw new ProgramFailed(exit, complaints);\n", ""]],
    test: "tests/cli/work.test.ts",
    filter: "a program that fails gives its task back",
  },
  {
    name: "the client deletes a lock that another has",
    edits: [["{ if_version: this.#version, agent: this.#agent }", "{ agent: this.#agent }"]],
    test: "tests/client/lock.test.ts",
    filter: "a lock is a key that is made",
  },
  {
    name: "a whole is sent again with each change",
    edits: [["new Set(wholes.keys()).difference(shown)", "new Set(wholes.keys())"]],
    test: "tests/routes/drawings.test.ts",
    filter: "a page gets a whole once",
  },
  {
    name: "parts that are gone stay on the page",
    edits: [["    const gone = partsGone(shown, wholes);", "    const gone = partsGone(shown, shown);"]],
    test: "tests/routes/drawings.test.ts",
    filter: "a page gets a whole once",
  },
  {
    name: "what left is thought to be on the page still",
    edits: [["        said.delete(id);\n        return n;", "        return n;"]],
    test: "tests/routes/drawings.test.ts",
    filter: "what is taken away is sent again",
  },
  {
    name: "a locked room that answers whoever asks",
    edits: [["return tokenOf(c)?.locked ? lockedRoom(text) : text;", "return text && lockedRoom(text);"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: to who shows no token of it",
  },
  {
    name: "a locked room whose stored name is shown",
    edits: [["    id: shownRoom(id),\n    created_at: row", "    id,\n    created_at: row"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: a locked room answers who shows a token",
  },
  {
    name: "a locked room beside an open one of its id",
    edits: [["SELECT RAISE(IGNORE);", "SELECT 1;"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: an id is that of one room",
  },
  {
    name: "a list with unlisted rooms",
    edits: [["`listed AND ${SERVED}`", "SERVED"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: a list shows neither locked nor unlisted",
  },
  {
    name: "a key of a locked room's making that others meet",
    edits: [["id !== undefined && locked ? lockedRoom(id) : id;", "id;"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: the first token is shown once",
  },
  {
    name: "a first token that is shown again",
    edits: [["{ ...entered, token: replayed ? null : token.text }", "{ ...entered, token: token.text }"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: the first token is shown once",
  },
  {
    name: "a locked room whose members change its meta",
    edits: [['right === "manage" && !token.locked);', 'right === "manage");']],
    test: "tests/contract/locked.test.ts",
    filter: "file: an admin changes the meta",
  },
  {
    name: "a locked room without an admin",
    edits: [["AND ${MAY_REVOKE} AND ${KEEPS_ADMIN}`;", "AND ${MAY_REVOKE}`;"]],
    test: "tests/contract/locked.test.ts",
    filter: "file: the last admin's token",
  },
  {
    name: "a room's share that strangers use up",
    edits: [['yield ["room", countedRoom(c, namedRoom(c, room), caller)];', 'yield ["room", room];']],
    test: "tests/routes/locked.test.ts",
    filter: "requests of strangers",
  },
  {
    name: "whoever reads a view is told that it lacks the eyes of a private scope",
    edits: [["seen && entries.size > 0 &&", "entries.size > 0 &&"]],
    test: "tests/contract/private.test.ts",
    filter: "an admin's view that names no agent",
  },
  {
    name: "members see every private scope",
    edits: [["AND IIF(tokens.role = 'admin', ${LAST}, tokens.agent_id)", "AND ${LAST}"], [
      "BETWEEN IIF(tokens.role = 'admin', '', tokens.agent_id)",
      "BETWEEN ''",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: an admin sees every private scope",
  },
  {
    name: "a private scope is stored where all find it",
    edits: [[
      "     AND secured.private_since IS NOT NULL\n",
      "     AND FALSE\n",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: a private scope is there for its agent alone",
  },
  {
    name: "a scope that is made private keeps what everybody saw",
    edits: [[
      "(SELECT state.rowid ${MOVING} AND NOT state.deleted)`",
      "(SELECT state.rowid ${MOVING} AND NOT state.deleted AND FALSE)`",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: what was in a scope before",
  },
  {
    name: "a scope that is made private begins anew",
    edits: [[
      "          deleted, verified, expires_at ${MOVING}`,",
      "          deleted, verified, expires_at ${MOVING} AND FALSE`,",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: what was in a scope before",
  },
  {
    name: "an agent sees that its keys were deleted when its scope became private",
    edits: [["const before = `scope NOT IN (${seen})`;", 'const before = "TRUE";']],
    test: "tests/contract/private.test.ts",
    filter: "file: what was in a scope before",
  },
  {
    name: "a write of a private scope counts as one of the state",
    edits: [[
      "`state_revision = IIF(${opens}, revision + 1, state_revision)`",
      "`state_revision = revision + 1 + 0 * ${opens}`",
    ]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: to all others",
  },
  {
    name: "keys of private scopes count in the room",
    edits: [[
      "const newKeys = spread ? spread.added : newOf(preconditions);",
      "const newKeys = spread ? newOf(preconditions) : newOf(preconditions);",
    ]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: to all others",
  },
  {
    name: "deleted keys of private scopes count in the room",
    edits: [['added(spread ? `-${spread.opens}` : "-1"', 'added(spread ? "-1" : "-1"']],
    test: "tests/routes/unseen.test.ts",
    filter: "file: to all others",
  },
  {
    name: "puts of one room that meet pass its limit",
    edits: [['OR ${withinLimit("key_count", NEW_KEYS, ":max_keys")})', "OR TRUE)"]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "puts of agents that meet",
  },
  {
    name: "puts of one new key that meet count as many",
    edits: [["different: keys.size", "different: items.length"]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "puts of agents that meet",
  },
  {
    name: "puts in one room by tokens that nobody judges",
    edits: [["own: admitInOneRoom(`${WRITABLE} AND ${OWN_COUNT}`)", "own: admitInOneRoom(WRITABLE)"]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "a put under a revoked token",
  },
  {
    name: "heartbeats of writes that are not admitted",
    edits: [[
      'inOneRoom: "(SELECT admitted FROM rooms WHERE id = :room) = :nonce"',
      'inOneRoom: ":nonce IS NOT NULL"',
    ]],
    test: "tests/db/coalesced_puts.test.ts",
    filter: "a put under a revoked token",
  },
  {
    name: "a private scope without a limit",
    edits: [[', ":max_keys"), ...spread?.where ?? []];', ', ":max_keys")];'], [
      "OR ${added} = 0 OR ${countLiving(at.home)} + ${added} <= :max_private)`;",
      "OR TRUE OR ${at.home} = ${added})`;",
    ], ["  if (spread) args.max_private = limits.privateKeys;\n", ""]],
    test: "tests/contract/private.test.ts",
    filter: "file: a private scope has at most 1,000 keys",
  },
  {
    name: "views with the eyes of who reads them",
    edits: [[
      "createViews(definitions, (eyes) => contextOf(null, eyes), {",
      "createViews(definitions, () => contextOf(null), {",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: a view is evaluated with the eyes",
  },
  {
    name: "everybody's views with the eyes of who reads them",
    edits: [[
      "createViews(definitions, (eyes) => contextOf(null, eyes), {",
      "createViews(definitions, (eyes) => contextOf(null, eyes ?? VIEWER), {",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: only what is written under its token",
  },
  {
    name: "who reads a view sees what it sees",
    edits: [["eyes === VIEWER ? seen : agent === eyes;", "eyes === VIEWER ? seen || true : agent === eyes;"]],
    test: "tests/contract/private.test.ts",
    filter: "file: a view is evaluated with the eyes",
  },
  {
    name: "an answer includes what a view saw",
    edits: [[
      "hiddenEntries.filter(({ scope }) => owners.get(scope)?.seen);",
      "hiddenEntries;",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: a view is evaluated with the eyes",
  },
  {
    name: "a view keeps the eyes of who defined it before",
    edits: [['(replaced, defines ? ["eyes"] : [])', '(replaced, defines && verifies ? ["eyes"] : [])']],
    test: "tests/contract/private.test.ts",
    filter: "file: only what is written under its token",
  },
  {
    name: "everybody is told why a view of another fails",
    edits: [[
      "  const isTold = (eyes: string | null) => eyes === null || (snapshot.owners.get(eyes)?.seen ?? false);",
      "  const isTold = (eyes: string | null) => eyes === null || snapshot.owners.has(eyes);",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: a view that fails tells",
  },
  {
    name: "a view of another takes of the budget around it",
    edits: [[
      "eyes === null ? run() : underOwnBudget(eyes, sharers, run);",
      "eyes === null ? run() : sharers > 0 && underOwnBudget.length > 0 ? run() : run();",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: what the view of another takes",
  },
  {
    name: "what a view of another looks up counts around it",
    edits: [["? seen(name) : withOwnLookups(() => seen(name));", "? seen(name) : seen(name);"]],
    test: "tests/contract/private.test.ts",
    filter: "file: what the view of another takes",
  },
  {
    name: "a full scope becomes private",
    edits: [[
      "IIF(${FEW_MOVE}, ${KEYS_LEFT} <= :max_private, FALSE)",
      "IIF(${FEW_MOVE}, ${KEYS_LEFT} <= 1 + :max_private, FALSE)",
    ]],
    test: "tests/db/hide.test.ts",
    filter: "a scope of more keys",
  },
  {
    name: "a scope becomes private with any number of deleted keys",
    edits: [["LIMIT :max_moved + 1)) <= :max_moved)`", "LIMIT :max_moved)) <= :max_moved)`"]],
    test: "tests/db/hide.test.ts",
    filter: "a scope of many deleted keys",
  },
  {
    name: "the rest of a private scope that a page did not finish is passed over",
    edits: [[
      '(home.id > :last_0 OR (${columns.join(", ")}) > (${position}))',
      "(home.id > :last_0 AND (${position}) = (${position}))",
    ]],
    test: "tests/db/consistent_read.test.ts",
    filter: "private scopes that change",
  },
  {
    name: "what a scope had before it was private listed beside what it has",
    edits: [["if (hidden.length === 0 || !twice(n))", "if (n >= 0)"]],
    test: "tests/db/consistent_read.test.ts",
    filter: "private scopes that change",
  },
  {
    name: "private scopes passed without a bound",
    edits: [[
      "passed ? spanOf(listing, passed, last) : homes && spanOfHomes(homes, last)",
      "passed ? spanOf(listing, passed, last) : undefined",
    ]],
    test: "tests/hostile/private_scopes.test.ts",
    filter: "file: the looks of an admin",
  },
  {
    name: "keys of a private scope with many deleted ones that are not counted",
    edits: [[
      "(SELECT COUNT(*) FROM living WHERE living.room_id = counted.id))",
      "(SELECT COUNT(*) FROM living WHERE living.room_id = :room))",
    ]],
    test: "tests/db/hide.test.ts",
    filter: "a private scope of 1,000 deleted keys",
  },
  {
    name: "keys of a private scope with many deleted ones that are not listed",
    edits: [[
      "where: `home.tombstone_count >= 1000 AND",
      "where: `FALSE AND home.tombstone_count >= 1000 AND",
    ]],
    test: "tests/db/hide.test.ts",
    filter: "a private scope of 1,000 deleted keys",
  },
  {
    name: "the first end of private scopes taken from one of them",
    edits: [[
      "SELECT MIN((SELECT MIN(expires_at) FROM state WHERE state.room_id = own.id",
      "SELECT MAX((SELECT MIN(expires_at) FROM state WHERE state.room_id = own.id",
    ]],
    test: "tests/db/hide.test.ts",
    filter: "keys of several private scopes end",
  },
  {
    name: "an id that has claimed is free again",
    edits: [[
      "VALUES (NEW.room_id, NEW.agent_id) ON CONFLICT DO NOTHING;",
      "SELECT NEW.room_id, NEW.agent_id WHERE FALSE;",
    ]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: an id under which somebody has acted",
  },
  {
    name: "a plain put of a private scope is stored where all find it",
    edits: [['" AND NOT added.hidden"),\n  each', '""),\n  each']],
    test: "tests/contract/private.test.ts",
    filter: "file: a private scope is there",
  },
  {
    name: "a stream says that something unseen was written",
    edits: [[
      "        if (!isEmpty(changes)) return changes;",
      "        return isEmpty(changes) ? undefined : changes;",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: a stream tells of a private scope",
  },
  {
    name: "everybody knows whose scope is private",
    edits: [[
      "        AND (tokens.role = 'admin' OR tokens.agent_id = ${agent}))`,\n    args: { viewer_token: token.hash },\n  };\n}",
      "        AND ${agent} IS NOT NULL)`,\n    args: { viewer_token: token.hash },\n  };\n}",
    ]],
    test: "tests/contract/private.test.ts",
    filter: "file: private needs secure",
  },
  {
    name: "a gate over a private scope without its guard",
    edits: [[
      "    const owners = hidden ? scopesOfAgents(state) : [];",
      "    const owners = hidden ? scopesOfAgents(state).slice(0, 0) : [];",
    ]],
    test: "tests/cel/gate.test.ts",
    filter: "a gate over a private scope",
  },
  {
    name: "a batch that goes while what it waits for keeps coming",
    edits: [["Math.min(cameAt + BETWEEN_MS, expected.latest)", "Math.min(cameAt, expected.latest)"]],
    test: "tests/db/gathering.test.ts",
    filter: "a batch waits",
  },
  {
    name: "costly conditions of some rooms that keep the others' waiting",
    edits: [["workers[length](priorityOf", "workers.long(priorityOf"]],
    test: "tests/cel/shares.test.ts",
    filter: "long work, however much",
  },
  {
    name: "reads without lists that wait for those of large lists",
    edits: [["lists === 0 ? light : account.isLarge ? large : heavy", "heavy"]],
    test: "tests/cel/shares.test.ts",
    filter: "reads without lists",
  },
  {
    name: "what a viewer's waits cost, shown by how soon another's are judged",
    edits: [[
      "const name = keyFor(viewer, room);\n    const account",
      "const name = room;\n    const account",
    ]],
    test: "tests/cel/shares.test.ts",
    filter: "keeps its account",
  },
  {
    name: "a wait that is judged though it has ended",
    edits: [["waiter.over ? undefined : judgeOnce(condition, context)", "judgeOnce(condition, context)"]],
    test: "tests/cel/judge_waiters.test.ts",
    filter: "a wait that ends",
  },
  {
    name: "a new condition that counts as short until it has been judged whole",
    edits: [[
      "steps.has(condition) ? undefined : await judgeFirst(",
      "steps.has(condition) ? undefined : void (",
    ]],
    test: "tests/cel/judge_waiters.test.ts",
    filter: "a condition that is new",
  },
  {
    name: "private scopes of agents that left, which pile up",
    edits: [[
      "secured.private_since IS NOT NULL) < :max_scopes)",
      "secured.private_since < 0) < :max_scopes)",
    ]],
    test: "tests/db/hide.test.ts",
    filter: "a room has at most 1,000 private scopes",
  },
  {
    name: "long statements that stay prepared",
    edits: [["if (sql.length < LONG || runOnce.has(sql))", "if (sql.length > 0 || runOnce.has(sql))"]],
    test: "tests/db/file.test.ts",
    filter: "statements stay prepared",
  },
  {
    name: "used invitations that pile up",
    edits: [[
      "ORDER BY rowid DESC LIMIT ${KEPT} OFFSET ${KEPT}",
      "ORDER BY rowid DESC LIMIT 0 OFFSET ${KEPT}",
    ]],
    test: "tests/routes/invites.test.ts",
    filter: "a room keeps the last",
  },
  {
    name: "what answers share, compressed anew for each",
    edits: [[": [part];\n    for (const [n, piece]", ": [part.slice()];\n    for (const [n, piece]"]],
    test: "tests/routes/large_bodies.test.ts",
    filter: "as gzip",
  },
  {
    name: "a wait whose answer has been read is given up like one that has not",
    edits: [[".filter(({ isLoaded }) => !isLoaded)", ".filter(() => true)"]],
    test: "tests/cel/give_up.test.ts",
    filter: "a wait is given up",
  },
  {
    name: "edits of a private scope without their guard",
    edits: [[
      "    const owners = hidden ? scopesOfAgents(state) : [];",
      "    const owners = hidden ? scopesOfAgents(state).slice(0, 0) : [];",
    ]],
    test: "tests/contract/edit_chains.test.ts",
    filter: "libsql: edits in an agent's scope",
  },
  {
    name: "an agent sees itself wait in the changes that its own wait answers",
    edits: [[
      "      if (shown.length === own.length) return undefined;\n",
      "      if (shown) return undefined;\n",
    ]],
    test: "tests/contract/wait_include.test.ts",
    filter: "memory: agents that wait for the same",
  },
  {
    name: "what one agent sees is answered to all that wait for the same",
    edits: [[
      "const key = room.from(viewpoint).key || ofLists;",
      'const key = "";',
    ]],
    test: "tests/contract/wait_include.test.ts",
    filter: "memory: agents that wait for the same",
  },
  {
    name: "a gate over the whole state without the guard of private scopes",
    edits: [['...hidden ? ["private_revision <= :read_at"] : []', "...hidden ? [] : []"]],
    test: "tests/cel/gate.test.ts",
    filter: "a gate over a private scope",
  },
  {
    name: "waits that hear nothing of private scopes",
    edits: [["    private: hidden && ofAgents,", "    private: hidden && ofAgents && false,"]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: a wait hears of what it sees",
  },
  {
    name: "keys of private scopes do not end",
    edits: [["  PRIVATE_ENTRIES,\n", ""]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: keys of a private scope end",
  },
  {
    name: "a later end in a private scope is forgotten",
    edits: [[
      "ends & ENDS.private ? SETTLE_PRIVATE : SETTLE",
      "ends & ENDS.private ? SETTLE : SETTLE_PRIVATE",
    ]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: keys of a private scope end",
  },
  {
    name: "the end of a wait forgets those of private scopes",
    edits: [[
      "secured_private\n            WHERE secured.room_id = OLD.room_id AND secured.private_since IS NOT NULL`);",
      "secured_private\n            WHERE FALSE AND secured.room_id = OLD.room_id AND secured.private_since IS NOT NULL`);",
    ]],
    test: "tests/routes/unseen.test.ts",
    filter: "file: keys of a private scope end",
  },
  {
    name: "a deleted room that is shown",
    edits: [["  if (-revision >= DELETED) throw", "  if (revision === DELETED) throw"]],
    test: "tests/db/burial.test.ts",
    filter: "file: nothing that is asked of a deleted room",
  },
  {
    name: "a deleted room whose keys still count",
    edits: [["AND created_at > :expired\n   AND NOT ${OF_DELETED}`", "AND created_at > :expired`"]],
    test: "tests/db/burial.test.ts",
    filter: "file: a key of a deleted room",
  },
  {
    name: "a deletion that takes rows of the room made anew",
    edits: [["DELETE FROM ${table} WHERE ${IS_DELETED} AND (", "DELETE FROM ${table} WHERE ("]],
    test: "tests/db/burial.test.ts",
    filter: "file: who removes rows for too long",
  },
  {
    name: "a deletion that ends with its instance",
    edits: [["database.listenToGraves(() => void burial.begin());", ""]],
    test: "tests/db/burial.test.ts",
    filter: "file: a deletion goes on wherever",
  },
  {
    name: "a deletion that forgets the highest version",
    edits: [['table === "state" ? [KEEP_VERSION] : []', "[]"]],
    test: "tests/db/burial.test.ts",
    filter: "file: a deletion goes on wherever",
  },
  {
    name: "an id that is free before the rows are gone",
    edits: [["AND NOT ${THERE} AND ${NOTHING_LEFT}", "AND NOT ${THERE}"]],
    test: "tests/db/burial.test.ts",
    filter: "file: rows that come late",
  },
  {
    name: "a room made anew that begins at the start",
    edits: [["SELECT last + 1, last + 1,", "SELECT 0, last + 1,"]],
    test: "tests/contract/deletions.test.ts",
    filter: "file: a room goes on above all",
  },
  {
    name: "a deletion by whoever has a token",
    edits: [[
      'if (right === "delete") return token.role === "admin" && (token.locked || isByOperator(c));',
      'if (right === "delete") return true;',
    ]],
    test: "tests/routes/operator.test.ts",
    filter: "the operator alone deletes an open room",
  },
  {
    name: "waits that outlast their room where another one has its id",
    edits: [["    madeAnew: endBefore,", "    madeAnew() {},"]],
    test: "tests/cel/made_anew.test.ts",
    filter: "what waited for a deleted room",
  },
  {
    name: "an operator by a part of the token",
    edits: [[
      "text.length === secret.length && timingSafeEqual(digest(text), digest(secret))",
      "secret.startsWith(text.slice(0, 32)) && text.length > 8",
    ]],
    test: "tests/routes/operator.test.ts",
    filter: "the operator acts as an admin",
  },
  {
    name: "a list of all rooms for everybody",
    edits: [[
      "if (all || !rules.listRooms) await requireOperator(c, database, BY_ID);",
      "if (!rules.listRooms) await requireOperator(c, database, BY_ID);",
    ]],
    test: "tests/routes/operator.test.ts",
    filter: "the operator alone deletes an open room, and lists",
  },
  {
    name: "secure agents that look like each other",
    edits: [['replaceAll(UNSEEN, "").normalize("NFKC")', 'replaceAll(UNSEEN, "")']],
    test: "tests/contract/ids.test.ts",
    filter: "file: an agent becomes secure under an id",
  },
  {
    name: "secure agents with what nobody sees in their ids",
    edits: [['= id.replaceAll(UNSEEN, "").normalize', "= id.normalize"]],
    test: "tests/contract/ids.test.ts",
    filter: "file: an agent becomes secure under an id",
  },
  {
    name: "a view that fails without a word of why",
    edits: [["node, why ?? hintOfMissing(key, node));", "node, why && hintOfMissing(key, node));"]],
    test: "tests/contract/views.test.ts",
    filter: "file: whoever reads a view that fails",
  },
  {
    name: "a deletion that ignores a guard",
    edits: [[
      "      await refuseMembers(c);\n      const revision = await deleteRoom(",
      "      const revision = await deleteRoom(",
    ]],
    test: "tests/contract/understood.test.ts",
    filter: "file: what is deleted or revoked",
  },
  {
    name: "figures that wait for the database",
    edits: [["await inTime(count(), PATIENCE_MS);", "await count();"]],
    test: "tests/routes/metrics.test.ts",
    filter: "while the database refuses",
  },
  {
    name: "an answer that is counted twice",
    edits: [[
      "    if (other === undefined) answered(status);\n    else await replace(c, other);\n",
      "    answered(status);\n    if (other !== undefined) await replace(c, other);\n",
    ]],
    test: "tests/routes/metrics.test.ts",
    filter: "count what it has answered",
  },
  {
    name: "a guide that tells of lists that nobody gets",
    edits: [["return openRooms && listRooms;", "return openRooms;"]],
    test: "tests/guide.test.ts",
    filter: "where nobody lists rooms",
  },
  {
    name: "REQUIRE_LOCKED that lets open rooms be made",
    edits: [['WHERE ${own.sql}${onlyJoin ? " AND FALSE" : ""}', "WHERE ${own.sql}"]],
    test: "tests/routes/operator.test.ts",
    filter: "LIST_ROOMS=off",
  },
  {
    name: "a wait that a look ends before its first read has judged its token",
    edits: [["if (hasBegun()) end(new Refusal(code, {}));", "if (hasBegun) end(new Refusal(code, {}));"]],
    test: "tests/cel/holders.test.ts",
    filter: "a wait with a token of another locked room",
  },
  {
    name: "a token that is not there revoked under a key",
    edits: [["return `NOT COALESCE(${all}, FALSE)`;", "return `NULL AND ${all}`;"]],
    test: "tests/contract/tokens.test.ts",
    filter: "file: under a key, too",
  },
  {
    name: "figures for everybody",
    edits: [["      await requireOperator(c, services.database);\n", ""]],
    test: "tests/routes/operator.test.ts",
    filter: "the operator reads figures of the instance",
  },
  {
    name: "an id that cannot be one told as an empty one",
    edits: [[
      '${id === "" ? `such ${what}` : `${what} ${JSON.stringify(id)}`}',
      "${what} ${JSON.stringify(id)}",
    ]],
    test: "tests/contract/wordings.test.ts",
    filter: "is not told as an empty one",
  },
  {
    name: "a lost number in a result told as one of the service's own",
    edits: [['  "result",\n  "error",\n', '  "error",\n']],
    test: "tests/contract/wordings.test.ts",
    filter: "lost in any member of own data",
  },
  {
    name: "a client that sends {} for a Promise",
    edits: [["return KEPT.includes(type) ? undefined : type;", "return undefined;"]],
    test: "tests/client/values.test.ts",
    filter: "what JSON has no word for",
  },
  {
    name: "an MCP increment that is judged as the text it came as",
    edits: [["if (read !== value) return read;", "if (read === value) return read;"]],
    test: "tests/mcp/arguments.test.ts",
    filter: "numbers as text are taken",
  },
  {
    name: "what a recipient waits for stands without a frame",
    edits: [["from !== undefined && to === undefined,", "from !== undefined,"]],
    test: "tests/mcp/access.test.ts",
    filter: "MCP, file: what a recipient waits for",
  },
  {
    name: "an operator's look that takes as long as it likes",
    edits: [["lookedInTime(taking, c).then(", "taking.then("]],
    test: "tests/routes/deadlines.test.ts",
    filter: "what is looked up before a request begins",
  },
  {
    name: "what others wrote stands before the frame of an answer",
    edits: [["Object.hasOwn(HINTS, String(error)) && typeof hint", "typeof hint"]],
    test: "tests/mcp/access.test.ts",
    filter: "MCP, file: only what the service itself says stands before the frame",
  },
];

let sources: Map<string, string> | undefined;

/** The file that a bug is in, and its text with the bug. Throws where its pieces stand in no file, or in several. */
export function mutated({ name, edits }: Mutant): { file: string; text: string } {
  sources ??= new Map(PRODUCT.flatMap(sourcesIn).map((file) => [file, readSource(file)]));
  const found = [...sources].flatMap(([file, source]) => {
    const text = edited(source, edits);
    return text === undefined ? [] : [{ file, text }];
  });
  if (found.length !== 1) {
    const files = found.map(({ file }) => file).join(" and in ") || "no file";
    throw new Error(`${name}: its pieces are to stand in one file, each once; they do in ${files}.`);
  }
  return found[0]!;
}

/** The text with its pieces replaced; undefined where one does not stand in it exactly once. */
function edited(text: string, edits: Mutant["edits"]): string | undefined {
  let result = text;
  for (const [search, replace] of edits) {
    const parts = result.split(search);
    if (parts.length !== 2) return undefined;
    result = parts.join(replace);
  }
  return result;
}
