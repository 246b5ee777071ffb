/** Whether somebody has claimed a message, on its row. */
export const CLAIMED = "claimed_by IS NOT NULL";
export const UNCLAIMED = "claimed_by IS NULL";

/** A part of a table, whose rows are found by the revision at which they last changed. */
export interface Source {
  /** Begins with the table and ends in its conditions. */
  from: string;
  /** What holds the revision: the index has it in this order, by room. */
  revision: string;
}

/**
 * Where to look for what changed in `:room`; a row is in one of the parts. Nothing but its claim changes a message:
 * the revision of an unclaimed one is its id.
 */
export const CHANGED: Record<"state" | "agents" | "messages", Source[]> = {
  state: [{ from: "state INDEXED BY state_changed WHERE room_id = :room", revision: "revision" }],
  agents: [{ from: "agents INDEXED BY agents_changed WHERE room_id = :room", revision: "revision" }],
  messages: [
    {
      from: `messages INDEXED BY messages_unclaimed WHERE room_id = :room AND ${UNCLAIMED}`,
      revision: "id",
    },
    {
      from: `messages INDEXED BY messages_claimed WHERE room_id = :room AND ${CLAIMED}`,
      revision: "revision",
    },
  ],
};
