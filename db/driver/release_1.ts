/** The migrations of release 1, the first in order. They are not changed any more. */
export const RELEASE_1: string[][] = [
  [
    `CREATE TABLE rooms (
       id TEXT PRIMARY KEY,
       created_at TEXT NOT NULL,
       meta TEXT NOT NULL,
       revision INTEGER NOT NULL DEFAULT 0,
       state_revision INTEGER NOT NULL DEFAULT 0,
       views_revision INTEGER NOT NULL DEFAULT 0,
       agents_revision INTEGER NOT NULL DEFAULT 0,
       messages_revision INTEGER NOT NULL DEFAULT 0,
       key_count INTEGER NOT NULL DEFAULT 0,
       view_count INTEGER NOT NULL DEFAULT 0,
       agent_count INTEGER NOT NULL DEFAULT 0,
       message_count INTEGER NOT NULL DEFAULT 0,
       unclaimed_count INTEGER NOT NULL DEFAULT 0,
       admitted TEXT
     ) STRICT`,
    `CREATE INDEX rooms_newest ON rooms (created_at, id)`,

    `CREATE TABLE agents (
       room_id TEXT NOT NULL REFERENCES rooms (id),
       id TEXT NOT NULL,
       name TEXT NOT NULL,
       role TEXT NOT NULL,
       meta TEXT NOT NULL,
       status TEXT NOT NULL,
       joined INTEGER NOT NULL,
       joined_at TEXT NOT NULL,
       last_heartbeat TEXT NOT NULL,
       revision INTEGER NOT NULL,
       PRIMARY KEY (room_id, id)
     ) STRICT`,
    `CREATE INDEX agents_joined ON agents (room_id, joined)`,
    `CREATE INDEX agents_changed ON agents (room_id, revision)`,

    `CREATE TABLE waits (
       room_id TEXT NOT NULL,
       agent_id TEXT NOT NULL,
       token TEXT NOT NULL,
       waiting_on TEXT NOT NULL,
       until INTEGER NOT NULL,
       revision INTEGER NOT NULL,
       PRIMARY KEY (room_id, agent_id, token)
     ) STRICT`,

    `CREATE TABLE messages (
       room_id TEXT NOT NULL REFERENCES rooms (id),
       id INTEGER NOT NULL,
       from_agent TEXT,
       to_agent TEXT,
       kind TEXT NOT NULL,
       body TEXT NOT NULL,
       created_at TEXT NOT NULL,
       reply_to INTEGER,
       claimed_by TEXT,
       claimed_at TEXT,
       revision INTEGER NOT NULL,
       PRIMARY KEY (room_id, id)
     ) STRICT`,
    `CREATE INDEX messages_kind ON messages (room_id, kind, id)`,
    `CREATE INDEX messages_from ON messages (room_id, from_agent, id)`,
    `CREATE INDEX messages_to ON messages (room_id, to_agent, id)`,
    `CREATE INDEX messages_replies ON messages (room_id, reply_to) WHERE reply_to IS NOT NULL`,
    `CREATE INDEX messages_unclaimed ON messages (room_id, id) WHERE claimed_by IS NULL`,
    `CREATE INDEX messages_unclaimed_kind ON messages (room_id, kind, id) WHERE claimed_by IS NULL`,

    `CREATE TABLE state (
       room_id TEXT NOT NULL REFERENCES rooms (id),
       scope TEXT NOT NULL,
       key TEXT NOT NULL,
       value TEXT NOT NULL,
       expr TEXT,
       version INTEGER NOT NULL,
       revision INTEGER NOT NULL,
       updated_at TEXT NOT NULL,
       updated_by TEXT,
       deleted INTEGER NOT NULL,
       PRIMARY KEY (room_id, scope, key)
     ) STRICT`,
    `CREATE INDEX state_changed ON state (room_id, revision)`,
  ],
  [`CREATE INDEX messages_changed ON messages (room_id, revision)`],
  [
    `CREATE TABLE idempotency (
       room_id TEXT NOT NULL,
       key TEXT NOT NULL,
       fingerprint TEXT NOT NULL,
       nonce TEXT NOT NULL,
       outcome TEXT NOT NULL,
       created_at TEXT NOT NULL,
       PRIMARY KEY (room_id, key)
     ) STRICT`,
    `CREATE INDEX idempotency_oldest ON idempotency (created_at)`,
  ],
  // An index costs every message a page of the database, so each holds only what is looked up by it. Each has a
  // migration of its own, which must end within the deadline of a call.
  [
    `DROP INDEX messages_to`,
    `CREATE INDEX messages_to ON messages (room_id, to_agent, id) WHERE to_agent IS NOT NULL`,
  ],
  [
    `DROP INDEX messages_changed`,
    `CREATE INDEX messages_claimed ON messages (room_id, revision) WHERE claimed_by IS NOT NULL`,
  ],
  [
    `DROP INDEX messages_kind`,
    `CREATE INDEX messages_claimed_kind ON messages (room_id, kind, id) WHERE claimed_by IS NOT NULL`,
  ],
  // An index by sender cost a page for nearly every message, since the many agents of a room seldom share one: posts
  // are 1.13 times as many without it, and 1.07 times as many again without this table. The trigger adds a row for the
  // first message of a block alone. It checks first, since a conflict would be handled as the posting statement says:
  // OR FAIL (db/messages/coalesced_post.ts).
  [
    `CREATE TABLE senders (
       room_id TEXT NOT NULL,
       agent_id TEXT NOT NULL,
       block INTEGER NOT NULL,
       PRIMARY KEY (room_id, agent_id, block)
     ) STRICT, WITHOUT ROWID`,
    `INSERT INTO senders SELECT DISTINCT room_id, from_agent, id >> 8 FROM messages WHERE from_agent IS NOT NULL`,
    `CREATE TRIGGER messages_sender AFTER INSERT ON messages WHEN NEW.from_agent IS NOT NULL BEGIN
       INSERT INTO senders
       SELECT NEW.room_id, NEW.from_agent, NEW.id >> 8
        WHERE NOT EXISTS (
          SELECT 1 FROM senders
           WHERE room_id = NEW.room_id AND agent_id = NEW.from_agent AND block = NEW.id >> 8);
     END`,
  ],
  [`DROP INDEX messages_from`],
  // An index of all living keys would cost every new key a page, a fifth of a server's puts. So `living` names a room's
  // keys once it has 1,000 tombstones, at which the count stops; before that, lists pass over them. A room that has
  // more already is counted as 999 here, and the next migration does the rest.
  [
    `ALTER TABLE rooms ADD COLUMN tombstone_count INTEGER NOT NULL DEFAULT 0`,
    `UPDATE rooms SET tombstone_count =
       MIN(999, MAX(0, (SELECT COUNT(*) FROM state WHERE room_id = rooms.id) - key_count))`,
    `CREATE TABLE living (
       room_id TEXT NOT NULL,
       scope TEXT NOT NULL,
       key TEXT NOT NULL,
       PRIMARY KEY (room_id, scope, key)
     ) STRICT, WITHOUT ROWID`,
    `CREATE TRIGGER state_made AFTER INSERT ON state
      WHEN NOT NEW.deleted AND (SELECT tombstone_count FROM rooms WHERE id = NEW.room_id) >= 1000 BEGIN
       INSERT INTO living VALUES (NEW.room_id, NEW.scope, NEW.key);
     END`,
    `CREATE TRIGGER state_revived AFTER UPDATE OF deleted ON state WHEN OLD.deleted AND NOT NEW.deleted BEGIN
       INSERT INTO living
       SELECT NEW.room_id, NEW.scope, NEW.key FROM rooms WHERE id = NEW.room_id AND tombstone_count >= 1000;
       UPDATE rooms SET tombstone_count = tombstone_count - 1
        WHERE id = NEW.room_id AND tombstone_count BETWEEN 1 AND 999;
     END`,
    `CREATE TRIGGER state_deleted AFTER UPDATE OF deleted ON state WHEN NEW.deleted AND NOT OLD.deleted BEGIN
       DELETE FROM living WHERE room_id = NEW.room_id AND scope = NEW.scope AND key = NEW.key;
       INSERT INTO living
       SELECT room_id, scope, key FROM state
        WHERE room_id = NEW.room_id AND NOT deleted
          AND (SELECT tombstone_count FROM rooms WHERE id = NEW.room_id) = 999;
       UPDATE rooms SET tombstone_count = tombstone_count + 1 WHERE id = NEW.room_id AND tombstone_count < 1000;
     END`,
  ],
  [
    `INSERT INTO living
     SELECT room_id, scope, key FROM rooms CROSS JOIN state ON state.room_id = rooms.id
      WHERE tombstone_count = 999 AND NOT deleted
        AND (SELECT COUNT(*) FROM state WHERE room_id = rooms.id) - key_count >= 1000`,
    `UPDATE rooms SET tombstone_count = 1000
      WHERE tombstone_count = 999 AND (SELECT COUNT(*) FROM state WHERE room_id = rooms.id) - key_count >= 1000`,
  ],
  // Orders the replies to a message, so that a thread is walked from one to the next (db/consistent_read/thread.ts).
  [`CREATE INDEX messages_answers ON messages (room_id, reply_to, id) WHERE reply_to IS NOT NULL`],
  [`DROP INDEX messages_replies`],
  // Puts the first due end into the row that every read of a room sees. Marks of an instance with a wrong clock may be
  // due in hours; none was meant to last longer than 30 s.
  [
    `ALTER TABLE rooms ADD COLUMN due INTEGER`,
    `CREATE INDEX waits_due ON waits (room_id, until)`,
    `CREATE TRIGGER waits_begun AFTER INSERT ON waits BEGIN
       UPDATE rooms SET due = NEW.until WHERE id = NEW.room_id AND (due IS NULL OR due > NEW.until);
     END`,
    `CREATE TRIGGER waits_over AFTER DELETE ON waits BEGIN
       UPDATE rooms SET due = (SELECT MIN(until) FROM waits WHERE room_id = OLD.room_id)
        WHERE id = OLD.room_id AND due = OLD.until;
     END`,
    `UPDATE waits SET until = MIN(until, unixepoch() * 1000 + 30000)`,
    `UPDATE rooms SET due = (SELECT MIN(until) FROM waits WHERE room_id = rooms.id)
      WHERE id IN (SELECT room_id FROM waits)`,
  ],
  // db/release.ts numbers the releases. A migration after which older code does not work raises the one row of
  // `compatibility`, and `requires` of all rooms for running instances.
  [
    `ALTER TABLE rooms ADD COLUMN requires INTEGER NOT NULL DEFAULT 0`,
    `CREATE TABLE compatibility (requires INTEGER NOT NULL) STRICT`,
    `INSERT INTO compatibility VALUES (0)`,
  ],
];
