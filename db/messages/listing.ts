import { CLAIMED, UNCLAIMED } from "../consistent_read/changed.ts";
import { createConditions } from "../consistent_read/conditions.ts";
import type { Listing, Through } from "../consistent_read/listing.ts";
import { COLUMNS, type MessageStatus } from "./message.ts";

/** Which messages a list has; all conditions must hold. */
export interface MessageFilter {
  /** The id that a message's must exceed. */
  after?: number;
  kind?: string;
  from?: string;
  to?: string;
  /** The root of a thread: this message and every reply below it. */
  thread?: number;
  /** Direct replies to this message. */
  replyTo?: number;
  status?: MessageStatus;
  claimedBy?: string;
  unclaimed?: boolean;
  /** Selects the newest instead of the oldest. */
  newest?: boolean;
  limit: number;
}

/** Finds messages of a kind by indexes each of which has only some: posting a message writes only one of them. */
const OPEN_OF_KIND = [
  { where: `${UNCLAIMED} AND to_agent IS NULL` },
  { where: `${UNCLAIMED} AND to_agent IS NOT NULL` },
];
const OF_KIND = [...OPEN_OF_KIND, { where: CLAIMED }];

/** Finds messages of a sender by the blocks of 256 ids in which it has posted. */
const bySender = (blocks: string): Through => ({
  from: `(SELECT block FROM senders WHERE room_id = :room AND agent_id = :from ${blocks}) AS sent
    CROSS JOIN messages ON id BETWEEN block << 8 AND (block << 8) + 255`,
  order: "block",
  at: (id) => `${id} >> 8`,
});
const BY_SENDER = bySender("");
const BY_SENDER_AFTER = bySender("AND block >= :after >> 8");

/** Selects the messages of a filter, and one beyond its limit, which tells whether more follow. */
export function selectMessages(room: string, filter: MessageFilter): Listing {
  const { after, kind, from, to, replyTo, status, claimedBy, newest, limit } = filter;
  const { args, where, sql } = createConditions("room_id = :room", { room });
  where("id > :after", "after", after);
  where("kind = :kind", "kind", kind);
  where("from_agent = :from", "from", from);
  where("to_agent = :to", "to", to);
  where("reply_to = :reply_to", "reply_to", replyTo);
  const live = [
    ...(isOpen(filter) ? [UNCLAIMED] : []),
    ...(status !== undefined && status !== "open" ? [IN_STATUS[status]] : []),
    ...(claimedBy !== undefined ? [CLAIMED_BY] : []),
  ];
  if (claimedBy !== undefined) args.claimed_by = claimedBy;
  return {
    ...listingOf(sql(), args),
    ...wayTo(filter),
    ...(live.length > 0 && { live: live.join(" AND ") }),
    descending: newest,
    limit: limit + 1,
  };
}

/** Conditions on the row of a message that is not open. */
const IN_STATUS = {
  claimed: `(${CLAIMED} AND status IS NULL)`,
  blocked: "status = 'blocked'",
  done: "status = 'done'",
  failed: "status = 'failed'",
};

/** `claimed_by` is '' of a blocked message, and of one that failed or was finished without a claim. */
const CLAIMED_BY = "(claimed_by = :claimed_by AND claimed_by <> '')";

const isOpen = ({ unclaimed, status }: MessageFilter) => unclaimed || status === "open";

/** Chooses how the messages of a filter are found: by which index, or by passing a bounded number of rows a page. */
function wayTo(filter: MessageFilter): Partial<Listing> {
  const { after, kind, from, to, replyTo, thread, status, claimedBy } = filter;
  const unclaimed = isOpen(filter);
  const others = [kind, from, to, claimedBy, ...status === "open" ? [] : [status]];
  if (thread !== undefined) {
    const filtered = unclaimed || [after, replyTo, ...others].some((wanted) => wanted !== undefined);
    return { thread: { root: thread, filtered } };
  }
  const rest = after === undefined ? "" : " AND id > :after";
  if (replyTo !== undefined) {
    const passed = `room_id = :room AND reply_to = :reply_to${rest}`;
    const filtered = unclaimed || others.some((wanted) => wanted !== undefined);
    return { parts: [{ from: "messages INDEXED BY messages_answers" }], ...(filtered && { passed }) };
  }
  const passed = `room_id = :room${rest}`;
  if (from !== undefined) return { passed, through: after === undefined ? BY_SENDER : BY_SENDER_AFTER };
  const few = claimedBy !== undefined || status !== undefined && status !== "open";
  return {
    ...((few || to !== undefined && (kind !== undefined || unclaimed)) && { passed }),
    ...(kind !== undefined && to === undefined && { parts: unclaimed ? OPEN_OF_KIND : OF_KIND }),
  };
}

/** Selects messages by id, as rows for `toMessage`. */
export function listingOf(where: string, args: Listing["args"]): Listing {
  return { table: "messages", columns: COLUMNS, where, args, order: ["id"] };
}
