import type { Json } from "../json.ts";

export const MESSAGE_STATUSES = ["open", "blocked", "claimed", "done", "failed"] as const;
export type MessageStatus = typeof MESSAGE_STATUSES[number];

/** The columns of a message that reads, lists, changes and pages bring, for `toMessage` (read.ts). */
export const COLUMNS = [
  ...[
    "id",
    "room_id",
    "from_agent",
    "to_agent",
    "verified",
    "kind",
    "body",
    "created_at",
    "reply_to",
    "revision",
  ],
  ...["claimed_by", "claimed_at", "status", "claimed_until", "fence", "attempts", "max_attempts"],
  ...["needs", "done_at", "result_id", "failure"],
];

// A message that earlier releases posted or claimed has null where `claimed_by` and `revision` tell enough
// (db/driver/schema.ts). The SQL of values that are shown, on its row:
export const STATUS = `COALESCE(status, CASE WHEN claimed_by IS NULL THEN 'open' ELSE 'claimed' END)`;
export const HOLDER = `NULLIF(claimed_by, '')`;
export const FENCE = `CASE WHEN claimed_by <> '' THEN COALESCE(fence, revision) END`;
export const ATTEMPTS = `COALESCE(attempts, claimed_by IS NOT NULL)`;

/** What a message has as a task. Times are ISO 8601. */
export interface Task {
  /** Who has it, or finished it. */
  claimed_by: string | null;
  claimed_at: string | null;
  status: MessageStatus;
  /** When the claim ends by itself. */
  claimed_until: string | null;
  /** The revision at which the last claim began, while it counts. */
  fence: number | null;
  attempts: number;
  max_attempts: number | null;
  needs: number[];
  done_at: string | null;
  result_id: number | null;
  /** `{ reason, error?, message? }` of a failed one. */
  failure: Json;
}

/** A task that nobody has claimed yet. */
export const OPEN: Task = {
  claimed_by: null,
  claimed_at: null,
  status: "open",
  claimed_until: null,
  fence: null,
  attempts: 0,
  max_attempts: null,
  needs: [],
  done_at: null,
  result_id: null,
  failure: null,
};
