import { isVerified, mayAllAct, OWN_COUNT, ownArgs, rowsOf } from "../access/actors.ts";
import { weightOfJson } from "../batching/coalesce.ts";
import type { Database } from "../database.ts";
import { selectRecipients } from "../agents/recipients.ts";
import type { Viewer } from "../viewer.ts";
import { advance } from "../write/admission.ts";
import { type CoalescedWrite, createCoalescedWrites } from "../write/coalesced_write.ts";
import { OPEN_TO_ALL, WRITABLE } from "../write/due.ts";
import { type CountedKind, countPosts } from "./counts.ts";

/** A post that sets nothing further and has no needs. */
export interface CoalescedPost extends CoalescedWrite {
  from: string | null;
  to: string | null;
  kind: string;
  /** JSON. */
  body: string;
}

/** The columns of any post, and the names of their values. */
export const SENT_COLUMNS = ["from_agent", "to_agent", "kind", "body", "created_at"];
export const SENT = ["from", "to", "kind", "body", "now"] as const;

const ADDED = "(added.value ->> 1)";
const RETURNED = "RETURNING id AS room, revision";
const admitWhere = (conditions: string) => `
  ${advance("messages", posted(ADDED), ADDED)} FROM json_each(:added) AS added
   WHERE rooms.id = added.value ->> 0 AND ${conditions}
  ${RETURNED}`;
const ADMIT = {
  open: admitWhere(OPEN_TO_ALL),
  own: admitWhere(`${WRITABLE} AND ${OWN_COUNT}`),
  each: admitWhere(`${WRITABLE} AND ${mayAllAct("added.value ->> 2")}`),
};
const admitOneRoom = (conditions: string) =>
  `${advance("messages", posted(":added"), ":added")}
   WHERE id = :room AND ${conditions}
  ${RETURNED}`;
// Take a server half the time to prepare, which it does anew each time.
const ADMIT_ONE_ROOM = {
  open: admitOneRoom(OPEN_TO_ALL),
  own: admitOneRoom(`${WRITABLE} AND ${OWN_COUNT}`),
};

/** Makes the assignments of a room's counts for posted messages, of which some are open. Both are SQL. */
export function posted(count: string, open = count): string[] {
  return [`message_count = message_count + ${count}`, `unclaimed_count = unclaimed_count + ${open}`];
}

/** The cells of a row of `:writes`. Where rows have the room's, it comes last. */
const CELLS = ["later", ...SENT_COLUMNS];
const joined = (cells: string[]) =>
  cells.map((cell, n) => `CROSS JOIN json_each(write.value, '$[${n}]') AS ${cell}`).join("\n  ");

const OF_EACH_ROOM = `FROM json_each(:writes) AS write
  ${joined([...CELLS, "room"])}
  CROSS JOIN rooms ON rooms.id = room.value AND rooms.admitted = :nonce`;
const OF_ONE_ROOM = `FROM rooms
  CROSS JOIN json_each(:writes) AS write
  ${joined(CELLS)}
  WHERE rooms.id = :room AND rooms.admitted = :nonce`;

// Joins extract the cells, since a function call may fail: for that, SQLite would copy each page to a file before the
// statement changes it. OR FAIL avoids this copy too. A failure rolls back the whole batch.
const insertFrom = (rows: string, column = "", value = "") => `
  INSERT OR FAIL INTO messages (room_id, id, revision, attempts, ${SENT_COLUMNS.join(", ")}${column})
  SELECT
    rooms.id, rooms.revision - later.value, rooms.revision - later.value, 0,
    ${SENT_COLUMNS.map((name) => `${name}.value`).join(", ")}${value}
  ${rows}`;
const POSTS = {
  open: insertFrom(OF_EACH_ROOM),
  own: insertFrom(OF_EACH_ROOM, ", verified", `, ${isVerified.own()}`),
  each: insertFrom(OF_EACH_ROOM, ", verified", `, ${isVerified.each("from_agent.value")}`),
};
const POSTS_OF_ONE_ROOM = {
  open: insertFrom(OF_ONE_ROOM),
  own: insertFrom(OF_ONE_ROOM, ", verified", `, ${isVerified.own()}`),
};

const cellsOf = (post: CoalescedPost, later: number) => [later, ...SENT.map((name) => post[name])];

/** Coalesces any number of posts into four statements, and one more where any has a recipient. */
const COALESCED_POSTS = createCoalescedWrites<CoalescedPost>({
  admission(items, judging) {
    const rooms = [...Map.groupBy(items, ({ room }) => room)];
    const actorsIn = (own: CoalescedPost[]) => judging === "each" ? [rowsOf(own.map(({ by }) => by))] : [];
    const added = rooms.map(([room, own]) => [room, own.length, ...actorsIn(own)]);
    const args = { added: JSON.stringify(added), nonce: items[0]!.nonce };
    return { sql: ADMIT[judging], args: { ...args, ...ownArgs(items, judging) } };
  },
  effects: POSTS,
  inOneRoom(items, later, judging) {
    const [{ room, nonce }] = items as [CoalescedPost];
    const writes = JSON.stringify(items.map((item) => cellsOf(item, later.get(item)!)));
    const added = { room, nonce, added: items.length, ...ownArgs(items, judging) };
    return [
      { sql: ADMIT_ONE_ROOM[judging], args: added },
      { sql: POSTS_OF_ONE_ROOM[judging], args: { room, nonce, writes } },
    ];
  },
  asRow: (post, later) => [...cellsOf(post, later), post.room],
  count: (items, later) => countPosts(countByKind(items, later), items[0]!.nonce),
  tellsAgents: true,
  beside: (items) =>
    items.some(({ to }) => to !== null)
      ? selectRecipients(items.map(({ room, to }) => to === null ? null : [room, to]))
      : undefined,
});

/** Counts posts by room and kind, for `countPosts`. */
function countByKind(items: CoalescedPost[], later: Map<CoalescedPost, number>) {
  const kinds = Map.groupBy(items, ({ room, kind }) => `${room}\0${kind}`); // a room's id has no NUL
  return [...kinds.values()].map((own): CountedKind => {
    const { room, kind } = own[0]!;
    return [room, kind, own.length, later.get(own.at(-1)!)!];
  });
}

/** Posts a message, coalesced with others; returns undefined where it must go alone, which tells why. */
export async function postCoalesced(database: Database, viewer: Viewer, post: CoalescedPost) {
  const result = await database.commitCoalesced(viewer, COALESCED_POSTS, post, weightOfJson(post.body));
  if (result) database.announce({ room: post.room, part: "messages", revision: result.revision });
  return result;
}
