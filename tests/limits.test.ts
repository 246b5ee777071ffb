import assert from "node:assert/strict";
import { LIMITS } from "../routes/http/limits.ts";

const CONTRACT = "contract/limits.test.ts";
const FAIR_USE = "routes/fair_use.test.ts";
const HELD = "routes/held_at_once.test.ts";
const STREAMS_HELD =
  "streams: 200 of a caller, 500 of a room, 2,000 of an instance, and one more when one has ended";
const WAITS_HELD =
  "waits: 1,000 of a caller, 5,000 of a room, 10,000 of an instance, and one more when one has ended";
const OUTBOX = "routes/outbox.test.ts";
const ROOMY =
  "32 MiB of events are sent at a time, then events are small, and who has taken nothing for 2 s makes room";
const BURST = "a caller has its burst, then its requests a second";
const CUT = "a list of messages has at most 1,000, however many are asked for";
const IDS = "an id has up to 128 characters and a key up to 256, in UTF-16 code units";

const PATTERNS = "patterns are bounded in length and in counted repeats";
const BOUNDS = "a token has a role, and bounds of its life and note";
const INVITES = "contract/invites.test.ts";
const INVITED = "routes/invites.test.ts";
const INVITE_BOUNDS = "an invitation has a role, and bounds of its uses, life and note";
const WRONG_CODES = "routes/wrong_codes.test.ts";
const TEN_WRONG = "a caller sends ten wrong codes a minute, then it is refused whatever it sends";
const RESERVATIONS = "contract/reservations.test.ts";
const NAMED = "what is wrong with a request is named, with the glob and its place";

/** Of each limit the test that looks at both sides of it. A limit without its row does not compile. */
const TESTED: Record<keyof typeof LIMITS, [file: string, test: string]> = {
  bodyBytes: [CONTRACT, "a body has at most 256 KiB"],
  valueBytes: [CONTRACT, "a value, a message's body and a meta have at most 64 KiB of JSON"],
  jsonDepth: [CONTRACT, "JSON is at most 64 deep, the body's own braces among them"],
  issues: ["contract/understood.test.ts", "a refusal names at most 20 issues"],
  expressionLength: [CONTRACT, "an expression has at most 4,096 characters"],
  expressionDepth: [CONTRACT, "the syntax tree of an expression has at most 250 levels"],
  nestedLoops: ["contract/cel_refusals.test.ts", "more than three nested loops are refused"],
  patternLength: ["cel/regex.test.ts", PATTERNS],
  patternRepeats: ["cel/regex.test.ts", PATTERNS],
  evaluationSteps: ["cel/budget.test.ts", "an evaluation may take its whole budget, and not a step more"],
  evaluationMessages: ["contract/message_facts.test.ts", "an evaluation looks up at most 100 messages"],
  evaluationNames: ["cel/message_facts.test.ts", "2,000 names of a family may be looked up"],
  hostLength: [
    "contract/hosts.test.ts",
    "a Host is a host and a port, and nothing else, on every path",
  ],
  idLength: ["contract/ids.test.ts", IDS],
  keyLength: ["contract/ids.test.ts", IDS],
  batchWrites: ["contract/state_batch.test.ts", "a batch has 1 to 20 writes"],
  keySeconds: ["contract/state_ttl.test.ts", "a ttl is 1 second to 30 days, and of no view"],
  editPointers: ["contract/state_edits.test.ts", "an edit sets and unsets at most 20 pointers each"],
  keys: [CONTRACT, "a room has at most 10,000 keys, views among them and deleted ones not"],
  privateKeys: [
    "contract/private.test.ts",
    "a private scope has at most 1,000 keys, which count nowhere else",
  ],
  movedKeys: ["db/hide.test.ts", "a scope of many deleted keys does not become private, and stays as it is"],
  privateScopes: ["db/hide.test.ts", "a room has at most 1,000 private scopes, also of agents that left"],
  views: [CONTRACT, "a room has at most 64 views"],
  viewBytes: [
    CONTRACT,
    "the views of a room have at most 64 KiB of UTF-8 in all",
  ],
  agents: [CONTRACT, "a room has at most 1,000 agents, even when many come at once"],
  tokens: ["routes/tokens.test.ts", "a room has at most 1,000 tokens in force, and expired ones make room"],
  minTokenSeconds: ["contract/tokens.test.ts", BOUNDS],
  tokenSeconds: ["contract/tokens.test.ts", BOUNDS],
  rotationMs: ["contract/rotation.test.ts", "a rotation is made again within an hour, and no later"],
  tokenNote: ["contract/tokens.test.ts", BOUNDS],
  invites: [INVITED, "a room has at most 1,000 invitations that count, and those that do not make room"],
  inviteUses: [INVITES, INVITE_BOUNDS],
  inviteDefaultSeconds: [INVITES, INVITE_BOUNDS],
  inviteSeconds: [INVITES, INVITE_BOUNDS],
  wrongCodesOfCaller: [WRONG_CODES, TEN_WRONG],
  wrongCodesMs: [WRONG_CODES, TEN_WRONG],
  wrongCodes: [WRONG_CODES, "after 1,000 wrong codes in all within a minute whoever sent one is refused"],
  needs: ["contract/tasks.test.ts", "members of tasks have their types and bounds"],
  needsTogether: [
    "contract/needs.test.ts",
    "at most 1,000 tasks that are not over hang together by needs, in whichever direction",
  ],
  attempts: ["contract/tasks.test.ts", "members of tasks have their types and bounds"],
  attemptErrorBytes: [
    "contract/tasks.test.ts",
    "an error has at most 4 KiB of JSON, a result 64 KiB",
  ],
  takeLooks: ["contract/take.test.ts", "`where` looks at 1,000 open messages, and says where to go on"],
  attemptsListed: ["db/attempts.test.ts", "of the claims of a message the latest 1,000 are listed"],
  leaseSeconds: ["contract/tasks.test.ts", "members of tasks have their types and bounds"],
  takenSeconds: ["contract/take.test.ts", "a take claims the oldest open task for five minutes"],
  globs: [RESERVATIONS, NAMED],
  globLength: [RESERVATIONS, NAMED],
  globsLength: [RESERVATIONS, NAMED],
  globAlternatives: [RESERVATIONS, NAMED],
  globBytes: [RESERVATIONS, "globs of at most 64 KiB are in force in a room"],
  reservations: ["db/reservations.test.ts", "a room has at most 4,096 reservations in force"],
  conflictsShown: [RESERVATIONS, "of more than twenty in conflict twenty are shown"],
  noteBytes: [RESERVATIONS, "a note has at most 4 KiB of JSON"],
  reservationSeconds: [RESERVATIONS, "a reservation shows whose it is, of what, and until when"],
  maxReservationSeconds: [RESERVATIONS, NAMED],
  includeFields: ["contract/wait_include.test.ts", "an include names at most 100 fields"],
  readLength: ["db/lanes.test.ts", "a request reads at most 96 MiB of a room"],
  listLength: [CONTRACT, CUT],
  listDefault: ["contract/messages.test.ts", "messages are listed by ascending id, 100 at a time"],
  idempotencyKeyLength: [
    "contract/idempotency.test.ts",
    "keys are 1 to 255 printable ASCII characters, plain or quoted",
  ],
  roomlessKeyLength: [
    "contract/idempotency.test.ts",
    "the key of a room without an id has 20 characters at the least, and counts alone",
  ],
  idempotencyMs: [
    "db/idempotency.test.ts",
    "a key is free again after its lifetime, and expired rows go with later writes",
  ],
  storedBytes: [
    "contract/fair_use.test.ts",
    "what is stored under a key counts as further requests, once",
  ],
  waitMs: [
    "routes/wait_time.test.ts",
    "a wait takes 25 s where nothing is said or more is asked for, and less where less is",
  ],
  toolWaitSeconds: [
    "mcp/mcp.test.ts",
    "MCP: a wait takes 50 s where nothing is said, and 10 minutes at the most",
  ],
  maxToolWaitSeconds: [
    "mcp/mcp.test.ts",
    "MCP: a wait takes 50 s where nothing is said, and 10 minutes at the most",
  ],
  toolAnswerTokens: [
    "mcp/long_answers.test.ts",
    "an answer has at most 20,000 tokens; a longer one is cut, and names the calls that show the rest",
  ],
  toolReadLength: [
    "mcp/long_answers.test.ts",
    "an answer has at most 20,000 tokens; a longer one is cut, and names the calls that show the rest",
  ],
  progressMs: ["mcp/mcp.test.ts", "MCP: a wait says that it goes on, and how long it took in all"],
  pollMs: [
    "contract/wake_ups.test.ts",
    "a hundred idle waits ask the database a few times a second, not hundreds",
  ],
  waits: [HELD, WAITS_HELD],
  streams: [HELD, STREAMS_HELD],
  streamsOfRoom: [HELD, STREAMS_HELD],
  eventLength: ["contract/events.test.ts", "an event tells of at most 100 things, the next one of the rest"],
  beatMs: ["contract/events.test.ts", "a silent stream says that it lives at least every 4 s"],
  stalledMs: [
    "routes/deadlines.test.ts",
    "a reader that stalls over one event for 30 s is let go; one that takes it begins anew",
  ],
  pressedMs: [
    OUTBOX,
    ROOMY,
  ],
  streamBytes: [
    OUTBOX,
    ROOMY,
  ],
  answerBytes: [
    "routes/pieces.test.ts",
    "64 MiB of answers are under way at a time, then those that nobody reads are broken off after 2 s",
  ],
  maxAnswerBytes: [
    "routes/pieces.test.ts",
    "256 MiB of answers are under way at a time, then those that began first are broken off, though they are read",
  ],
  smallEventBytes: [
    OUTBOX,
    "where the memory for events is in use a stream tells less at once, and all the same all",
  ],
  pieceBytes: [OUTBOX, "an event of 32 KiB is one piece, a longer one is sent in several"],
  returnMs: ["contract/events.test.ts", "an event tells of at most 100 things, the next one of the rest"],
  callerPerSecond: [FAIR_USE, "the defaults leave a team of 50 agents alone and stop a flood"],
  roomPerSecond: [FAIR_USE, "a room's share is 500 requests a second, and ten seconds' worth at once"],
  burstSeconds: [FAIR_USE, BURST],
  callersRemembered: [FAIR_USE, "10,000 callers are remembered, and no more"],
  waitsOfCaller: [HELD, WAITS_HELD],
  waitsOfRoom: [HELD, WAITS_HELD],
  streamsOfCaller: [HELD, STREAMS_HELD],
  documents: ["contract/documents.test.ts", "128 documents are kept as they are sent, and no more"],
  documentSeconds: [
    "contract/documents.test.ts",
    "a document may be kept for five minutes, and is not sent again to whoever has it",
  ],
  bodyMs: ["contract/fair_use.test.ts", "a body has 5 s to arrive, wherever it is to go"],
  requestMs: [
    "routes/deadlines.test.ts",
    "a request is answered while its time lasts, and refused when it is over",
  ],
  retryAfterSeconds: [HELD, STREAMS_HELD],
};

Deno.test("every limit has the test of its boundary", async () => {
  for (const [limit, [file, test]] of Object.entries(TESTED)) {
    const text = await Deno.readTextFile(new URL(file, import.meta.url));
    const name = RegExp.escape(JSON.stringify(test));
    const named = new RegExp(
      `^(?:(?:contract|heldContract|overEach|Deno\\.test)\\(\\s*${name},|  ${name}: (?:async )?\\()`, // the last: `atOnce`
      "m",
    );
    assert.match(text, named, `${limit}: ${file} has no test called ${test}`);
  }
});
