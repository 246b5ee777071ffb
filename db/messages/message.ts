import { shownRoom } from "../access/locked.ts";
import type { Row } from "../driver/statement.ts";
import type { Json } from "../json.ts";

export const MESSAGE_STATUSES = ["open", "blocked", "claimed", "done", "failed"] as const;
export type MessageStatus = typeof MESSAGE_STATUSES[number];

/** The columns that `toMessage` reads, for reads, lists, changes and pages. */
export const COLUMNS = [
  ...["id", "room_id", "from_agent", "to_agent", "verified", "kind", "body", "created_at", "reply_to"],
  ...["revision", "claimed_by", "claimed_at", "status", "claimed_until", "fence", "attempts", "max_attempts"],
  ...["needs", "done_at", "result_id", "failure"],
];

/** What a post may further set, each in the column of its name, else null. A post that does goes alone. */
export const FURTHER = ["reply_to", "max_attempts"] as const;
export type Further = Pick<Message, typeof FURTHER[number]>;

// A message that earlier releases posted or claimed has null where `claimed_by` and `revision` tell enough
// (db/driver/schema.ts). The SQL of values that are shown, on its row:
export const STATUS = `COALESCE(status, CASE WHEN claimed_by IS NULL THEN 'open' ELSE 'claimed' END)`;
export const HOLDER = `NULLIF(claimed_by, '')`;
export const FENCE = `CASE WHEN claimed_by <> '' THEN COALESCE(fence, revision) END`;
export const ATTEMPTS = `COALESCE(attempts, claimed_by IS NOT NULL)`;

/** What a message is as a task. Times are ISO 8601. */
export interface Task {
  /** The agent that holds or finished it; null while it is open or blocked. */
  claimed_by: string | null;
  claimed_at: string | null;
  status: MessageStatus;
  /** When the claim expires; null where it does not. */
  claimed_until: string | null;
  /** The revision at which the claim of `claimed_by` began; null while the message is open or blocked. */
  fence: number | null;
  /** How often it was claimed. */
  attempts: number;
  /** How often it may be claimed; null for any number. */
  max_attempts: number | null;
  /** The messages that must be done before it is open. */
  needs: number[];
  done_at: string | null;
  result_id: number | null;
  /** `{ reason, error?, message? }` where it has failed, else null. */
  failure: Json;
}

/** A message as it is shown. */
export interface Message extends Task {
  id: number;
  room_id: string;
  from_agent: string | null;
  to_agent: string | null;
  /** Whether the sender proved who it is, by its token or an admin's. */
  verified: boolean;
  kind: string;
  body: Json;
  created_at: string;
  reply_to: number | null;
}

/** A new message that is no reply, as a task without needs. */
export const OPEN: Task & Further = {
  reply_to: null,
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

/** Makes a message of a row with `COLUMNS`. `read` parses its body. */
export function toMessage(row: Row, read: (json: string) => Json = JSON.parse): Message {
  return { ...toHead(row), body: read(row.body as string) };
}

/** Makes a message without its body, of a row with `COLUMNS`. */
export function toHead(row: Row): Omit<Message, "body"> {
  return {
    id: Number(row.id),
    room_id: shownRoom(row.room_id as string),
    from_agent: row.from_agent as string | null,
    to_agent: row.to_agent as string | null,
    verified: Boolean(row.verified),
    kind: row.kind as string,
    created_at: row.created_at as string,
    reply_to: toNumber(row.reply_to),
    ...toTask(row),
  };
}

/** Makes the members of a task. Most messages are open and have never been anything else. */
function toTask(row: Row): Task {
  const { status, claimed_by, claimed_until, needs, failure } = row;
  const isOpen = claimed_by === null;
  return {
    claimed_by: claimed_by as string || null,
    claimed_at: row.claimed_at as string | null,
    status: status as MessageStatus | null ?? (isOpen ? "open" : "claimed"),
    claimed_until: claimed_until === null ? null : new Date(Number(claimed_until)).toISOString(),
    fence: claimed_by ? toNumber(row.fence ?? row.revision) : null,
    attempts: Number(row.attempts ?? !isOpen),
    max_attempts: toNumber(row.max_attempts),
    needs: needs === null ? [] : JSON.parse(needs as string),
    done_at: row.done_at as string | null,
    result_id: toNumber(row.result_id),
    failure: failure === null ? null : JSON.parse(failure as string),
  };
}

function toNumber(cell: unknown): number | null {
  return cell === null ? null : Number(cell);
}
