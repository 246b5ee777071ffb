import { RELEASE_1 } from "./release_1.ts";

/**
 * Lists the tables of a room, each with its column of the room's id. Every operation on a whole room uses this list.
 * Rows may refer to those of an earlier table.
 */
export const ROOM_TABLES = {
  rooms: "id",
  agents: "room_id",
  waits: "room_id",
  messages: "room_id",
  senders: "room_id",
  message_kinds: "room_id",
  replies: "room_id",
  attempts: "room_id",
  needs: "room_id",
  state: "room_id",
  living: "room_id",
  reservations: "room_id",
  departed: "room_id",
  tokens: "room_id",
  secured: "room_id",
  former_agents: "room_id",
  invites: "room_id",
  idempotency: "room_id",
} as const;

/**
 * Lists the migrations in order. A published one never changes; new ones are added at the end.
 *
 * - `rooms.revision` is a room's clock; `<part>_revision` is the revision at which that part last changed; the counts
 *   save every COUNT(*); `admitted` is the nonce of the last accepted write (db/write/write.ts).
 * - Times are ISO 8601 texts, except the ends of what ends by itself, in milliseconds, and `rooms.due`, the first of
 *   the room's ends or a time before it (db/write/endings.ts), null where nothing ends. Triggers maintain it for waits,
 *   the writes themselves for all else. The bits of `rooms.ends` name the kinds that have ended or may end in it.
 * - `messages.id` and `agents.joined` are the revisions that admitted them, hence also their order.
 * - `idempotency` holds the outcomes of keyed requests; its `room_id` may be no room's (db/write/idempotency.ts).
 * - A deleted key of `state` stays as a tombstone, so that its `version` continues.
 * - `living` names the keys of a room with many tombstones, so that lists skip these (db/state/living.ts). `senders`
 *   names the blocks of 256 ids in which an agent has posted. Triggers maintain both, so that earlier releases do so too.
 * - `messages.claimed_by` is null exactly where a message is open, as earlier releases read it; '' stands for nobody
 *   where one is not open. `status`, `fence` and others are null where `claimed_by` and `revision` tell enough
 *   (db/messages/message.ts).
 * - `attempts` has a row for each claim, `needs` one for each need that is not over, `message_kinds` and `replies` the
 *   counts of a kind's messages and of direct replies. This release counts what it posts, and writes `attempts` for it;
 *   triggers count what earlier releases post, and each later change of a status.
 * - `departed` names the agents that left and the reservations that ended, for those who follow a room: the latest ones
 *   (db/write/departed.ts). While `rooms.leaving` names an agent, `due` is 0 (db/write/departures.ts).
 * - `tokens` has the tokens that are not revoked, by the SHA-256 of their texts (db/access/), `secured` the agents that
 *   only a token acts as, also those that have left; `private_since` is the revision from which the scope of its name is
 *   its own. `former_agents` has every agent that left, since `departed` forgets. `state.eyes` is the agent whose token
 *   defined a view. `invites` has the codes that are not revoked. A token's `previous_hash`, `request_key` and
 *   `requested_at` let the request that made or rotated it be sent again.
 * - `graves` has, for 30 days, what a room that is made under a deleted one's id goes on above (not a table of a room).
 */
export const MIGRATIONS: string[][] = [
  ...RELEASE_1,
  // What ends by itself, tasks and what is known of them. A room that uses any of it requires release 2.
  [
    `ALTER TABLE rooms ADD COLUMN ends INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN reservations_revision INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN meta_revision INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE messages ADD COLUMN status TEXT`,
    `ALTER TABLE messages ADD COLUMN claimed_until INTEGER`,
    `ALTER TABLE messages ADD COLUMN fence INTEGER`,
    `ALTER TABLE messages ADD COLUMN attempts INTEGER`,
    `ALTER TABLE messages ADD COLUMN max_attempts INTEGER`,
    `ALTER TABLE messages ADD COLUMN needs TEXT`,
    `ALTER TABLE messages ADD COLUMN done_at TEXT`,
    `ALTER TABLE messages ADD COLUMN result_id INTEGER`,
    `ALTER TABLE messages ADD COLUMN failure TEXT`,
    `ALTER TABLE state ADD COLUMN expires_at INTEGER`,
    `CREATE TABLE attempts (
       room_id TEXT NOT NULL,
       message_id INTEGER NOT NULL,
       fence INTEGER NOT NULL,
       agent_id TEXT NOT NULL,
       claimed_at TEXT NOT NULL,
       ended_at TEXT,
       ended TEXT,
       error TEXT,
       PRIMARY KEY (room_id, message_id, fence)
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE needs (
       room_id TEXT NOT NULL,
       message_id INTEGER NOT NULL,
       need_id INTEGER NOT NULL,
       PRIMARY KEY (room_id, message_id, need_id)
     ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX needs_of ON needs (room_id, need_id)`,
    `CREATE TABLE reservations (
       room_id TEXT NOT NULL REFERENCES rooms (id),
       id TEXT NOT NULL,
       agent_id TEXT NOT NULL,
       paths TEXT NOT NULL,
       mode TEXT NOT NULL,
       note TEXT,
       created_at TEXT NOT NULL,
       expires_at INTEGER NOT NULL,
       fence INTEGER NOT NULL,
       revision INTEGER NOT NULL,
       PRIMARY KEY (room_id, id)
     ) STRICT`,
    `CREATE INDEX reservations_due ON reservations (room_id, expires_at)`,
    `CREATE TABLE departed (
       room_id TEXT NOT NULL,
       kind TEXT NOT NULL,
       id TEXT NOT NULL,
       revision INTEGER NOT NULL,
       PRIMARY KEY (room_id, kind, id)
     ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX departed_changed ON departed (room_id, revision)`,
  ],
  [`CREATE INDEX messages_leases ON messages (room_id, claimed_until) WHERE claimed_until IS NOT NULL`],
  [`CREATE INDEX messages_reopened ON messages (room_id, revision) WHERE claimed_by IS NULL AND revision > id`],
  [`CREATE INDEX state_expiring ON state (room_id, expires_at) WHERE expires_at IS NOT NULL`],
  // A worker takes what is addressed to nobody or to itself. Two indexes in place of one find both without passing what
  // is addressed to others, and a message is in no more of them than before unless it is addressed.
  [`CREATE INDEX messages_open_kind ON messages (room_id, kind, id) WHERE claimed_by IS NULL AND to_agent IS NULL`],
  [
    `CREATE INDEX messages_addressed_kind ON messages (room_id, kind, id)
      WHERE claimed_by IS NULL AND to_agent IS NOT NULL`,
  ],
  [
    `CREATE INDEX messages_addressed ON messages (room_id, to_agent, kind, id)
      WHERE claimed_by IS NULL AND to_agent IS NOT NULL`,
  ],
  // A worker that names no kind takes no talk.
  [
    `CREATE INDEX messages_open_tasks ON messages (room_id, id)
      WHERE claimed_by IS NULL AND to_agent IS NULL AND kind NOT IN ('message', 'result', 'ask')`,
  ],
  [
    `CREATE INDEX messages_addressed_tasks ON messages (room_id, to_agent, id)
      WHERE claimed_by IS NULL AND to_agent IS NOT NULL AND kind NOT IN ('message', 'result', 'ask')`,
  ],
  [`DROP INDEX messages_unclaimed_kind`],
  // The counts of a trigger cost a row for each message, so they are those of earlier releases alone.
  [
    `CREATE TABLE message_kinds (
       room_id TEXT NOT NULL,
       kind TEXT NOT NULL,
       count INTEGER NOT NULL,
       last INTEGER NOT NULL,
       open INTEGER NOT NULL DEFAULT 0,
       blocked INTEGER NOT NULL DEFAULT 0,
       claimed INTEGER NOT NULL DEFAULT 0,
       done INTEGER NOT NULL DEFAULT 0,
       failed INTEGER NOT NULL DEFAULT 0,
       PRIMARY KEY (room_id, kind)
     ) STRICT, WITHOUT ROWID`,
    `INSERT INTO message_kinds (room_id, kind, count, last, open, claimed)
     SELECT room_id, kind, COUNT(*), MAX(id), SUM(claimed_by IS NULL), SUM(claimed_by IS NOT NULL)
       FROM messages GROUP BY room_id, kind`,
    `CREATE TRIGGER messages_counted AFTER INSERT ON messages WHEN NEW.attempts IS NULL BEGIN
       INSERT INTO message_kinds (room_id, kind, count, last)
       SELECT NEW.room_id, NEW.kind, 0, 0
        WHERE NOT EXISTS (SELECT 1 FROM message_kinds WHERE room_id = NEW.room_id AND kind = NEW.kind);
       UPDATE message_kinds SET count = count + 1, last = NEW.id, open = open + 1
        WHERE room_id = NEW.room_id AND kind = NEW.kind;
     END`,
    `CREATE TRIGGER messages_status AFTER UPDATE OF claimed_by, status ON messages
      WHEN OLD.status IS NOT NEW.status OR (OLD.claimed_by IS NULL) <> (NEW.claimed_by IS NULL) BEGIN
       UPDATE message_kinds SET
         open = open + (NEW.claimed_by IS NULL) - (OLD.claimed_by IS NULL),
         claimed = claimed + (NEW.claimed_by IS NOT NULL AND NEW.status IS NULL)
           - (OLD.claimed_by IS NOT NULL AND OLD.status IS NULL),
         blocked = blocked + (NEW.status IS 'blocked') - (OLD.status IS 'blocked'),
         done = done + (NEW.status IS 'done') - (OLD.status IS 'done'),
         failed = failed + (NEW.status IS 'failed') - (OLD.status IS 'failed')
        WHERE room_id = NEW.room_id AND kind = NEW.kind;
       UPDATE rooms SET unclaimed_count = unclaimed_count + (NEW.claimed_by IS NULL) - (OLD.claimed_by IS NULL)
        WHERE id = NEW.room_id AND (NEW.claimed_by IS NULL OR NEW.status IS NOT NULL);
     END`,
    `CREATE TRIGGER messages_claimed_before AFTER UPDATE OF claimed_by ON messages
      WHEN OLD.claimed_by IS NULL AND NEW.claimed_by IS NOT NULL AND NEW.status IS NULL
        AND NEW.attempts IS OLD.attempts BEGIN
       UPDATE messages SET fence = NEW.revision, attempts = COALESCE(attempts, 0) + 1
        WHERE room_id = NEW.room_id AND id = NEW.id;
       INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at)
       VALUES (NEW.room_id, NEW.id, NEW.revision, NEW.claimed_by, NEW.claimed_at);
     END`,
  ],
  [
    `INSERT INTO attempts (room_id, message_id, fence, agent_id, claimed_at)
     SELECT room_id, id, revision, claimed_by, claimed_at FROM messages WHERE claimed_by IS NOT NULL
     ON CONFLICT DO NOTHING`, // claimed since the trigger is there
  ],
  [
    `CREATE TABLE replies (
       room_id TEXT NOT NULL,
       message_id INTEGER NOT NULL,
       count INTEGER NOT NULL,
       PRIMARY KEY (room_id, message_id)
     ) STRICT, WITHOUT ROWID`,
    `INSERT INTO replies SELECT room_id, reply_to, COUNT(*) FROM messages WHERE reply_to IS NOT NULL GROUP BY 1, 2`,
    `CREATE TRIGGER messages_answered AFTER INSERT ON messages
      WHEN NEW.attempts IS NULL AND NEW.reply_to IS NOT NULL BEGIN
       INSERT INTO replies
       SELECT NEW.room_id, NEW.reply_to, 0
        WHERE NOT EXISTS (SELECT 1 FROM replies WHERE room_id = NEW.room_id AND message_id = NEW.reply_to);
       UPDATE replies SET count = count + 1 WHERE room_id = NEW.room_id AND message_id = NEW.reply_to;
     END`,
  ],
  [
    `DROP TRIGGER waits_over`,
    `CREATE TRIGGER waits_over AFTER DELETE ON waits BEGIN
       UPDATE rooms SET due = (SELECT MIN(until) FROM (
           SELECT MIN(until) AS until FROM waits WHERE room_id = OLD.room_id
           UNION ALL
           SELECT MIN(claimed_until) FROM messages WHERE room_id = OLD.room_id AND claimed_until IS NOT NULL
           UNION ALL
           SELECT MIN(expires_at) FROM state WHERE room_id = OLD.room_id AND expires_at IS NOT NULL
           UNION ALL
           SELECT MIN(expires_at) FROM reservations WHERE room_id = OLD.room_id))
        WHERE id = OLD.room_id AND due = OLD.until;
     END`,
  ],
  // Whether a claim had a ttl when it was completed: whoever repeats the completion has to name its fence.
  [`ALTER TABLE attempts ADD COLUMN leased INTEGER NOT NULL DEFAULT 0`],
  [`CREATE INDEX reservations_changed ON reservations (room_id, revision)`],
  // An agent that leaves: `leaving` and `left_at` while what it held ends, `forgotten` the last revision of which
  // `departed` no longer tells.
  [
    `ALTER TABLE rooms ADD COLUMN departures_revision INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN leaving TEXT`,
    `ALTER TABLE rooms ADD COLUMN left_at TEXT`,
    `ALTER TABLE rooms ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0`,
  ],
  // What an agent has claimed and not finished; what is open, over or blocked is not in it.
  [
    `CREATE INDEX messages_held ON messages (room_id, claimed_by)
      WHERE claimed_by IS NOT NULL AND status IS NULL`,
  ],
  // Who may do what. A room with a token or a secure agent, and a locked one, is `guarded` and requires release 3.
  [
    `ALTER TABLE rooms ADD COLUMN guarded INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN listed INTEGER NOT NULL DEFAULT 1`,
    `ALTER TABLE agents ADD COLUMN secure INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE messages ADD COLUMN verified INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE state ADD COLUMN verified INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE state ADD COLUMN eyes TEXT`,
    `CREATE TABLE tokens (
       room_id TEXT NOT NULL,
       id TEXT NOT NULL,
       hash TEXT NOT NULL UNIQUE,
       role TEXT NOT NULL,
       agent_id TEXT,
       note TEXT,
       created_at TEXT NOT NULL,
       expires_at INTEGER,
       made_by TEXT,
       last_used_at INTEGER,
       unused INTEGER NOT NULL DEFAULT 1,
       previous_hash TEXT,
       request_key TEXT,
       requested_at INTEGER,
       PRIMARY KEY (room_id, id)
     ) STRICT`,
    `CREATE INDEX tokens_made ON tokens (room_id, made_by) WHERE made_by IS NOT NULL`,
    `CREATE UNIQUE INDEX tokens_previous ON tokens (previous_hash) WHERE previous_hash IS NOT NULL`,
    `CREATE TABLE secured (
       room_id TEXT NOT NULL,
       agent_id TEXT NOT NULL,
       private_since INTEGER,
       PRIMARY KEY (room_id, agent_id)
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE former_agents (
       room_id TEXT NOT NULL,
       agent_id TEXT NOT NULL,
       PRIMARY KEY (room_id, agent_id)
     ) STRICT, WITHOUT ROWID`,
    `INSERT INTO former_agents (room_id, agent_id) SELECT room_id, id FROM departed WHERE kind = 'agents'`,
    `CREATE TRIGGER agent_departed AFTER INSERT ON departed WHEN NEW.kind = 'agents' BEGIN
       INSERT OR IGNORE INTO former_agents (room_id, agent_id) VALUES (NEW.room_id, NEW.id);
     END`,
    `CREATE TABLE invites (
       room_id TEXT NOT NULL,
       id TEXT NOT NULL,
       hash TEXT NOT NULL UNIQUE,
       role TEXT NOT NULL,
       agent_id TEXT,
       uses INTEGER NOT NULL,
       used INTEGER NOT NULL DEFAULT 0,
       note TEXT,
       created_at TEXT NOT NULL,
       expires_at INTEGER NOT NULL,
       made_by TEXT,
       PRIMARY KEY (room_id, id)
     ) STRICT`,
    `CREATE INDEX invites_made ON invites (room_id, made_by) WHERE made_by IS NOT NULL`,
    `CREATE TABLE graves (
       id TEXT PRIMARY KEY,
       revision INTEGER NOT NULL,
       version INTEGER NOT NULL,
       emptied INTEGER NOT NULL DEFAULT 0,
       deleted_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
  ],
  // Lists skip what they do not show at no cost; a locked and an open room never have the same id (db/access/locked.ts).
  [
    `CREATE INDEX rooms_listed ON rooms (created_at, id) WHERE listed`,
    `CREATE TRIGGER rooms_taken BEFORE INSERT ON rooms
      WHEN EXISTS (SELECT 1 FROM rooms WHERE id =
        CASE substr(NEW.id, 1, 1) WHEN char(9) THEN substr(NEW.id, 2) ELSE char(9) || NEW.id END) BEGIN
       SELECT RAISE(IGNORE);
     END`,
  ],
  // A mark of a wait that is over stays for up to 5 s (db/presence.ts). What its agent does makes it due before that.
  [
    `CREATE TRIGGER agents_acted AFTER UPDATE OF last_heartbeat ON agents
      WHEN EXISTS (
        SELECT 1 FROM waits WHERE room_id = NEW.room_id AND agent_id = NEW.id
           AND +until BETWEEN 1 AND unixepoch(NEW.last_heartbeat, 'subsec') * 1000 + 5050) BEGIN
       UPDATE waits SET until = 0
        WHERE room_id = NEW.room_id AND agent_id = NEW.id
          AND +until <= unixepoch(NEW.last_heartbeat, 'subsec') * 1000 + 5050;
       UPDATE rooms SET due = 0 WHERE id = NEW.room_id;
     END`,
  ],
];
