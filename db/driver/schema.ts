import { RELEASE_1 } from "./release_1.ts";
import { RELEASE_2 } from "./release_2.ts";

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
 * Selects, in a trigger of a room's waits, the first end of all that ends by itself in the room. `ofPrivate`: a query of
 * the first end in private scopes. Published migrations use it, so it never changes.
 */
const firstEnd = (ofPrivate: string) =>
  `SELECT MIN(until) FROM (
           SELECT MIN(until) AS until FROM waits WHERE room_id = OLD.room_id
           UNION ALL
           SELECT MIN(claimed_until) FROM messages WHERE room_id = OLD.room_id AND claimed_until IS NOT NULL
           UNION ALL
           SELECT MIN(expires_at) FROM state WHERE room_id = OLD.room_id AND expires_at IS NOT NULL
           UNION ALL
           SELECT MIN(expires_at) FROM reservations WHERE room_id = OLD.room_id
           UNION ALL
           ${ofPrivate})`;

const FIRST_END = firstEnd(`SELECT MIN(state.expires_at) FROM secured CROSS JOIN state
               ON state.room_id = OLD.room_id || char(10) || secured.agent_id AND state.expires_at IS NOT NULL
            WHERE secured.room_id = OLD.room_id AND secured.private_since IS NOT NULL`);

/** The same, with a look at each private scope. */
const FIRST_END_OF_EACH = firstEnd(`SELECT MIN((SELECT MIN(expires_at) FROM state
                        WHERE state.room_id = OLD.room_id || char(10) || secured.agent_id AND expires_at IS NOT NULL))
             FROM secured INDEXED BY secured_private
            WHERE secured.room_id = OLD.room_id AND secured.private_since IS NOT NULL`);

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
 * - `living` names the keys of a room with many tombstones, so that lists skip these (db/consistent_read/living.ts).
 *   `senders` names the blocks of 256 ids in which an agent has posted. Triggers maintain both, so that earlier
 *   releases do so too.
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
 *   its own. `former_agents` has every agent that left, since `departed` forgets, and every one that claimed.
 *   `state.eyes` is the agent whose token defined a view. `invites` has the codes that are not revoked. A token's
 *   `previous_hash`, `request_key` and `requested_at` let the request that made or rotated it be sent again.
 * - A private scope has a row of `rooms` under its own id, for its keys in `state` refer to one. No release serves it.
 *   `private_revision` is the revision at which a room's private scopes last changed.
 * - `token_generation` has one row, whose number triggers draw anew when a token is made, rotated or revoked.
 *   A counter would come to numbers that instances have seen once a copy of the database is restored.
 * - `graves` has, for 30 days, what a room that is made under a deleted one's id goes on above (not a table of a room).
 */
export const MIGRATIONS: string[][] = [
  ...RELEASE_1,
  ...RELEASE_2,
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
  // A mark of a wait that is over stays for up to 5 s (db/agents/marks.ts). What its agent does makes it due before that.
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
  // Private scopes. Each is stored under an id of its own (db/access/private.ts).
  [
    `ALTER TABLE rooms ADD COLUMN private_revision INTEGER NOT NULL DEFAULT 0`,
    `DROP TRIGGER waits_over`,
    `CREATE TRIGGER waits_over AFTER DELETE ON waits BEGIN
       UPDATE rooms SET due = (${FIRST_END})
        WHERE id = OLD.room_id AND due = OLD.until;
     END`,
  ],
  // A room that is made under the id of a deleted one goes on above it, whichever release makes it. A grave that is not
  // emptied is worked at until `held_until`.
  [
    `ALTER TABLE rooms ADD COLUMN first_revision INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN versions_above INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE graves ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0`,
    `CREATE INDEX graves_full ON graves (held_until) WHERE NOT emptied`,
    `CREATE INDEX graves_emptied ON graves (deleted_at) WHERE emptied`,
    `CREATE TRIGGER rooms_above_graves AFTER INSERT ON rooms WHEN EXISTS (
       SELECT 1 FROM graves WHERE id IN (NEW.id, CASE substr(NEW.id, 1, 1) WHEN char(9) THEN substr(NEW.id, 2) ELSE char(9) || NEW.id END)) BEGIN
       UPDATE rooms SET (
           revision, first_revision, state_revision, views_revision, agents_revision, departures_revision,
           messages_revision, reservations_revision, meta_revision, forgotten, versions_above, requires
         ) = (
           SELECT last + 1, last + 1, last + 1, last + 1, last + 1, last + 1, last + 1, last + 1, last + 1, last + 1,
                  version, MAX(NEW.requires, 3)
             FROM (SELECT MAX(revision) AS last, MAX(version) AS version FROM graves
                    WHERE id IN (NEW.id, CASE substr(NEW.id, 1, 1) WHEN char(9) THEN substr(NEW.id, 2) ELSE char(9) || NEW.id END)))
        WHERE id = NEW.id;
     END`,
  ],
  // The conflict clause spares each post a look for its sender's block, a fifth of the insert's time in SQLite.
  [
    `DROP TRIGGER messages_sender`,
    `CREATE TRIGGER messages_sender AFTER INSERT ON messages WHEN NEW.from_agent IS NOT NULL BEGIN
       INSERT INTO senders VALUES (NEW.room_id, NEW.from_agent, NEW.id >> 8)
       ON CONFLICT (room_id, agent_id, block) DO NOTHING;
     END`,
  ],
  // While the generation stays the same, no token is revoked or rotated (`GENERATION` in db/access/token.ts).
  [
    `CREATE TABLE token_generation (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL) STRICT`,
    `INSERT INTO token_generation VALUES (1, random() >> 12)`,
    `CREATE TRIGGER tokens_made AFTER INSERT ON tokens BEGIN
       UPDATE token_generation SET generation = random() >> 12;
     END`,
    `CREATE TRIGGER tokens_rotated AFTER UPDATE OF hash ON tokens BEGIN
       UPDATE token_generation SET generation = random() >> 12;
     END`,
    `CREATE TRIGGER tokens_revoked AFTER DELETE ON tokens BEGIN
       UPDATE token_generation SET generation = random() >> 12;
     END`,
  ],
  // While an agent leaves, the room stays due, whichever marks of others are removed.
  [
    `DROP TRIGGER waits_over`,
    `CREATE TRIGGER waits_over AFTER DELETE ON waits BEGIN
       UPDATE rooms SET due = (${FIRST_END})
        WHERE id = OLD.room_id AND due = OLD.until AND leaving IS NULL;
     END`,
  ],
  // A room may have far more secure agents, which stay secure after they left, than private scopes.
  [`CREATE INDEX secured_private ON secured (room_id, agent_id) WHERE private_since IS NOT NULL`],
  // Whether an id has ever claimed is asked of an index: a room may have any number of attempts.
  [
    `CREATE TRIGGER attempts_begun AFTER INSERT ON attempts BEGIN
       INSERT INTO former_agents (room_id, agent_id) VALUES (NEW.room_id, NEW.agent_id) ON CONFLICT DO NOTHING;
     END`,
    `INSERT INTO former_agents (room_id, agent_id)
     SELECT DISTINCT room_id, agent_id FROM attempts WHERE TRUE ON CONFLICT DO NOTHING`,
  ],
  // The 1,000th tombstone of a room names its living keys. The room's row comes first, since SQLite judges a subquery for
  // each row that it is to decide: each deletion of a key passed all keys of the room, deleted ones among them.
  [
    `DROP TRIGGER state_deleted`,
    `CREATE TRIGGER state_deleted AFTER UPDATE OF deleted ON state WHEN NEW.deleted AND NOT OLD.deleted BEGIN
       DELETE FROM living WHERE room_id = NEW.room_id AND scope = NEW.scope AND key = NEW.key;
       INSERT INTO living
       SELECT state.room_id, state.scope, state.key
         FROM rooms CROSS JOIN state ON state.room_id = rooms.id AND NOT state.deleted
        WHERE rooms.id = NEW.room_id AND rooms.tombstone_count = 999;
       UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE id = NEW.room_id AND tombstone_count < 1000;
     END`,
  ],
  // The first end of each private scope is asked of its index: together they may have a million keys.
  [
    `DROP TRIGGER waits_over`,
    `CREATE TRIGGER waits_over AFTER DELETE ON waits BEGIN
       UPDATE rooms SET due = (${FIRST_END_OF_EACH})
        WHERE id = OLD.room_id AND due = OLD.until AND leaving IS NULL;
     END`,
  ],
];
