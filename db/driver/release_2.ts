/**
 * The migrations of release 2, after those of release 1: what ends by itself, tasks and what is known of them. A room
 * that uses any of it requires release 2. They are not changed any more.
 */
export const RELEASE_2: string[][] = [
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
];
