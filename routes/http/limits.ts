import { STEP_BUDGET } from "../../cel/language/budget.ts";
import { MAX_DEPTH, MAX_LOOPS, MAX_SOURCE } from "../../cel/language/environment.ts";
import { MAX_LOOKUPS } from "../../cel/language/families.ts";
import { MAX_PATTERN, MAX_REPEATS } from "../../cel/language/regex.ts";
import { MAX_LISTED } from "../../db/messages/attempts.ts";
import { MAX_PASSED } from "../../db/messages/open.ts";
import { MAX_LENGTH } from "../../db/consistent_read/lanes.ts";
import { MAX_SHOWN } from "../../db/reservations/conflicts.ts";
import { MAX_ALTERNATIVES } from "../../db/reservations/glob_syntax.ts";

/** Every limit that a caller can meet, with its reason. docs/api.md publishes them with their numbers. */
export const LIMITS = {
  /** Bytes of a request's body: a batch of twenty small values fits, a flood of memory does not. */
  bodyBytes: 256 * 1024,
  /** Bytes of a value, a message's body or `meta` as JSON: every reader of a list pays for each. */
  valueBytes: 64 * 1024,
  /** Nested arrays and objects of a body: more is no data that an agent means to share. */
  jsonDepth: 64,
  /** Issues that a refusal names: a body can hold an unknown name for every second byte. */
  issues: 20,
  /** UTF-16 units of an expression: parsing is bounded by it. */
  expressionLength: MAX_SOURCE,
  /** Levels of its syntax tree: each takes a few frames of the stack. */
  expressionDepth: MAX_DEPTH,
  /** Loops within each other: three over a thousand elements take a billion steps. */
  nestedLoops: MAX_LOOPS,
  /** UTF-16 units of a pattern of `matches`: an automaton is made of it. */
  patternLength: MAX_PATTERN,
  /** The product of its counted repeats: each multiplies the states of the automaton. */
  patternRepeats: MAX_REPEATS,
  /** Steps of one evaluation: it ends within some 20 ms, whatever it says. */
  evaluationSteps: STEP_BUDGET,
  /** Messages that one evaluation looks up by id: each may bring two bodies of 64 KiB. */
  evaluationMessages: MAX_LOOKUPS.id,
  /** Names that one evaluation looks up in `messages.kind`, `to` or `from`: twice as many as a room has agents. */
  evaluationNames: MAX_LOOKUPS.kind,
  /** Characters of a host's name: DNS has no longer ones, and each address that a page shows repeats it. */
  hostLength: 255,
  /** UTF-16 units of a room's, an agent's or a scope's id: they are parts of every index. */
  idLength: 128,
  /** UTF-16 units of a key, and of names, roles and kinds. */
  keyLength: 256,
  /** Writes of a batch: they share one admission, whose cost grows with each. */
  batchWrites: 20,
  /** Seconds until a key ends by itself: 30 days, as long as any team works on one thing. */
  keySeconds: 2_592_000,
  /** JSON pointers of an edit: each is a look into the value. */
  editPointers: 20,
  /** Keys of a room, views among them: a whole room is read by `include=state`. */
  keys: 10_000,
  /** Keys of a private scope: they count nowhere else, since nobody may learn of them. */
  privateKeys: 1_000,
  /** Keys of a scope that becomes private, deleted ones too: all move in one write, told as one revision. */
  movedKeys: 2_000,
  /** Private scopes of a room, as many as agents: they stay for good, and an admin's look at the state passes all. */
  privateScopes: 1_000,
  /** Computed views of a room: a look at all of them evaluates each. */
  views: 64,
  /** Bytes of a room's views as UTF-8, all together: to compile them once takes up to 75 ms of work. */
  viewBytes: 64 * 1024,
  /** Agents of a room: a look at `agents` loads each. */
  agents: 1_000,
  /** Tokens of a room: a list shows each, and one that is made counts them. */
  tokens: 1_000,
  /** Seconds of a token's `ttl`, at the least: it must last until it is used. */
  minTokenSeconds: 60,
  /** Seconds of a token's `ttl`, at the most: a year. What is to last longer has no end. */
  tokenSeconds: 31_536_000,
  /** Milliseconds in which a rotation may be repeated: an outage of its sender, and no longer, since the old token does it. */
  rotationMs: 60 * 60 * 1_000,
  /** Characters of a token's note, and of an invitation's. */
  tokenNote: 256,
  /** Invitations of a room that count: a list shows each. */
  invites: 1_000,
  /** Agents that join by one code: who needs more makes another. */
  inviteUses: 100,
  /** Seconds of a code's life by default, and at most: a code is short, so it must not last. */
  inviteDefaultSeconds: 900,
  inviteSeconds: 604_800,
  /**
   * Wrong codes of a caller, and of all callers, within `wrongCodesMs`: so nobody guesses 50 bits while a code lasts. A
   * person mistypes a few times.
   */
  wrongCodesOfCaller: 10,
  wrongCodes: 1_000,
  wrongCodesMs: 60_000,
  /** Messages that a message may need: a post looks at each. */
  needs: 32,
  /** Tasks that are not over and hang together by `needs`: one that fails may take all others along in its write. */
  needsTogether: 1_000,
  /** Claims of a task before it counts as failed, which its poster may set so high. */
  attempts: 1_000,
  /** Bytes of an `error` as JSON: every reader of a failed message pays for it. */
  attemptErrorBytes: 4 * 1024,
  /** Claims of a message that their list has, the latest: one without `max_attempts` is claimed any number of times. */
  attemptsListed: MAX_LISTED,
  /** Open messages at which a take by `where`, `from` or `thread` looks, since no index serves these. */
  takeLooks: MAX_PASSED,
  /** Seconds of the claim of a taken task by default: an answer that is lost must not hold a task for ever. */
  takenSeconds: 300,
  /** Seconds of a claim: work that shows no sign for longer than a day is dead. */
  leaseSeconds: 24 * 60 * 60,
  /** Globs of a reservation, UTF-16 units of each, and of all: they are compared with all that are in force. */
  globs: 20,
  globLength: 512,
  globsLength: 2_048,
  /** Alternatives of a glob, in all its braces: they double what comparing costs. */
  globAlternatives: MAX_ALTERNATIVES,
  /** Bytes of the globs that are in force in a room: to compare a request's with them takes at most some 20 ms. */
  globBytes: 64 * 1024,
  /** Reservations in force in a room: each request for paths reads all. */
  reservations: 4_096,
  /** Conflicts that a refusal shows: each may have a note of 4 KiB. */
  conflictsShown: MAX_SHOWN,
  /** Bytes of a reservation's `note` as JSON: whoever it keeps off gets it. */
  noteBytes: 4 * 1024,
  /** Seconds of a reservation, by default and at the most: what a dead agent holds is free after them. */
  reservationSeconds: 900,
  maxReservationSeconds: 24 * 60 * 60,
  /** Fields of a wait's `include`: each scope that it names is a query of its own. */
  includeFields: 100,
  /** Characters that one request reads of a room, as JSON: 1,000 messages of 64 KiB fit, and all are held at once. */
  readLength: MAX_LENGTH,
  /** Messages or rooms of one answer. */
  listLength: 1_000,
  /** Messages or rooms of one answer that does not say how many. */
  listDefault: 100,
  /** Characters of an Idempotency-Key: a UUID or any other name of a request fits. */
  idempotencyKeyLength: 255,
  /** Characters of the key of a room without an id, at the least: it counts for all callers, and none may guess it. */
  roomlessKeyLength: 20,
  /** Milliseconds for which a request may be repeated under its key: a day's outage of the caller is covered. */
  idempotencyMs: 24 * 60 * 60 * 1_000,
  /** Bytes that are stored under a key which count as a request more: a small one may leave twenty values of 64 KiB. */
  storedBytes: 64 * 1024,
  /** Milliseconds of a wait: proxies cut silent connections after some 30 s. */
  waitMs: 25_000,
  /** Seconds of an MCP client's wait that says no time, and at the most: clients give a tool some 60 s. */
  toolWaitSeconds: 50,
  maxToolWaitSeconds: 600,
  /** Tokens of a tool's answer, by a careful estimate: a model's context holds few such. */
  toolAnswerTokens: 20_000,
  /** Characters of an answer that a tool reads: the rest of a longer one is not looked at, nor held. */
  toolReadLength: 384 * 1024,
  /** Milliseconds between two signs to an MCP client that its wait goes on. */
  progressMs: 10_000,
  /** The maximum milliseconds between two looks at the rooms that are waited for. */
  pollMs: 250,
  /** Waits that an instance holds: each costs some 41 KiB, so that all are held within 512 MiB. */
  waits: 10_000,
  /** Streams that an instance holds, and those of one room: each costs a connection, and up to 160 KiB of pieces. */
  streams: 2_000,
  streamsOfRoom: 500,
  /** Things of one event of a stream: a chunk that waits for a slow reader is bounded by it. */
  eventLength: 100,
  /** Bytes of a piece of an event: the runtime holds some five for a reader that takes nothing. */
  pieceBytes: 32 * 1024,
  /** Bytes of all events that an instance makes and sends at a time: 32 whole pages; beyond them events are small. */
  streamBytes: 32 * 1024 * 1024,
  /** Bytes of all large answers under way. Beyond them, the readers that take nothing for `pressedMs` are let go. */
  answerBytes: 64 * 1024 * 1024,
  /** The same, beyond which the readers that began first are let go, however they read: they take a little at a time. */
  maxAnswerBytes: 256 * 1024 * 1024,
  /** Bytes of such a small event, about: what changed in one revision is told whole. */
  smallEventBytes: 64 * 1024,
  /** Milliseconds without an event after which a stream says that it lives: platforms cut what is idle for 5 s. */
  beatMs: 3_500,
  /** Milliseconds that a reader may take over one event before its stream is ended. */
  stalledMs: 30_000,
  /** Milliseconds without taking a piece after which a reader is let go where the memory for events is short. */
  pressedMs: 2_000,
  /** Milliseconds after which a reader whose stream was ended is to come back. */
  returnMs: 1_000,
  /** Requests a second of a caller: four for each of a team of 50 agents behind one address. */
  callerPerSecond: 200,
  /** Requests a second to a room: more is no conversation, and would hold up other rooms. */
  roomPerSecond: 500,
  /** Seconds of unused requests that may be made up for at once: a team starts together, a test is a burst. */
  burstSeconds: 10,
  /** Callers, and rooms, whose requests are counted: a table of so many takes some 2 MB. */
  callersRemembered: 10_000,
  /** Waits at once of a caller and in a room: a tenth and half of what an instance holds. */
  waitsOfCaller: 1_000,
  waitsOfRoom: 5_000,
  /** Streams at once of a caller: a tenth of an instance's. */
  streamsOfCaller: 200,
  /** Documents that are kept as they are sent, for each address at which they are read: some 100 KB each. */
  documents: 128,
  /** Seconds for which a document may be read from a cache: a release may change it. */
  documentSeconds: 300,
  /** Milliseconds that a body may take to arrive: 256 KiB at 50 KiB a second. */
  bodyMs: 5_000,
  /** Milliseconds after which any other request is answered, with 503 where it must be. */
  requestMs: 9_500,
  /** Seconds after which a caller is told to try again when the database is away. */
  retryAfterSeconds: 1,
} as const;
