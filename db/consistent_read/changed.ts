/** Conditions on the row of a message: whether it is open (db/driver/schema.ts). */
export const CLAIMED = "claimed_by IS NOT NULL";
export const UNCLAIMED = "claimed_by IS NULL";

/** A part of a table that an index orders by the revision of the last change. */
export interface Source {
  /** SQL that begins with the table and ends with conditions. */
  from: string;
  /** The column of the revision, by which the index orders a room's rows. */
  revision: string;
}

/**
 * The sources of what changed in `:room`; each row is in one of them. The revision of an open message is its id, unless
 * it was claimed or blocked before.
 */
export const CHANGED: Record<"state" | "agents" | "messages" | "reservations" | "departed", Source[]> = {
  state: [{ from: "state INDEXED BY state_changed WHERE room_id = :room", revision: "revision" }],
  agents: [{ from: "agents INDEXED BY agents_changed WHERE room_id = :room", revision: "revision" }],
  messages: [
    {
      from: `messages INDEXED BY messages_unclaimed WHERE room_id = :room AND ${UNCLAIMED} AND revision = id`,
      revision: "id",
    },
    {
      from: `messages INDEXED BY messages_reopened WHERE room_id = :room AND ${UNCLAIMED} AND revision > id`,
      revision: "revision",
    },
    {
      from: `messages INDEXED BY messages_claimed WHERE room_id = :room AND ${CLAIMED}`,
      revision: "revision",
    },
  ],
  reservations: [
    { from: "reservations INDEXED BY reservations_changed WHERE room_id = :room", revision: "revision" },
  ],
  departed: [{ from: "departed INDEXED BY departed_changed WHERE room_id = :room", revision: "revision" }],
};
