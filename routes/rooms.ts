import type { Context, Hono } from "hono";
import { isLocked, lockedRoom } from "../db/access/locked.ts";
import { createRoom } from "../db/rooms/create.ts";
import { mergeMeta } from "../db/rooms/merge_meta.ts";
import { deleteRoom } from "../db/rooms/delete.ts";
import { isRefusal } from "../db/refusal.ts";
import { findRoom, getRoom, listRooms, type RoomCursor } from "../db/rooms/read.ts";
import type { Room } from "../db/rooms/room.ts";
import { isByOperator, storedRoom, viewerIn } from "./http/callers/credentials.ts";
import { requireOperator } from "./http/callers/rights.ts";
import { invalidMember } from "./http/errors.ts";
import { etag, unchanged } from "./http/etags.ts";
import { answerOnce, shownOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { queryCount, queryOf } from "./http/input/queries.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import {
  checkSize,
  linkNext,
  readBody,
  refuseMembers,
  reply,
  replyAll,
  replyLarge,
  roomOf,
} from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { flag, IF_NONE_MATCH, KEY, LIMIT, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const shown = { id: "demo", created_at: EXAMPLE_TIME, meta: {} };

export const ROOMS = describe({
  bodies: ({ z, absent, id, jsonObject, metaOf }) => ({
    RoomRequest: z.strictObject({
      id: absent(id).describe("A random UUID by default"),
      meta: metaOf(),
      locked: absent(z.boolean()).describe(
        "`true`: it answers only who shows a token of it; the answer has an admin's, this once",
      ),
      listed: absent(z.boolean()).describe("`false`: `GET /rooms` leaves it out, as it does locked rooms"),
    }),
    RoomPatch: z.strictObject({
      meta: jsonObject
        .describe(
          `Merged into the room's; \`null\` removes a member. The result may have at most ${LIMITS.valueBytes} bytes`,
        ),
    }),
  }),
  answers({ z, time, object }) {
    const Room = z.object({
      id: z.string(),
      created_at: time,
      meta: object,
      locked: z.literal(true).optional().describe("Of a locked room"),
      listed: z.literal(false).optional().describe("Of an open room that lists leave out"),
    });
    return {
      Room,
      MadeRoom: Room.extend({
        token: z.string().nullable().optional().describe(
          "Of a locked room, an admin's: shown once; null in a repetition",
        ),
        hint: z.string().optional(),
      }),
      RoomList: z.array(Room),
      DeletedRoom: z.object({ deleted: z.literal(true) }),
    };
  },
  operations: {
    "/rooms": {
      get: {
        id: "listRooms",
        summary: "List rooms, newest first",
        description: "If there are more, `Link` names the next page.",
        parameters: [
          LIMIT,
          query("all", "`true`: those too that lists leave out; the operator asks", flag),
          query("before", "Only rooms created before this time", { type: "string", format: "date-time" }),
          query(
            "before_id",
            "Tells apart rooms created in the same millisecond, as in the `Link` of an answer",
          ),
        ],
        answers: { 200: "RoomList" },
        shown: [shown],
        headers: ["Link"],
      },
      post: {
        id: "createRoom",
        summary: "Create a room, or join the one that has this id",
        description:
          "201 if it was created; 200 with the room as it is if it existed. With `locked` it is always created.",
        parameters: [{
          ...KEY,
          description: `${KEY.description}; at least ${LIMITS.roomlessKeyLength} if no room id is given`,
        }],
        body: "RoomRequest",
        example: { id: "demo" },
        answers: { 200: "Room", 201: "MadeRoom" },
        shown,
        errors: ["room_exists", "id_unavailable"],
      },
    },
    "/rooms/{room}": {
      get: {
        id: "getRoom",
        summary: "Read a room",
        description: "Its `ETag` is the room's revision, which every change of the room raises.",
        parameters: [IF_NONE_MATCH],
        answers: { 200: "Room", 304: [] },
        shown,
        headers: ["ETag"],
      },
      patch: {
        id: "patchRoom",
        summary: "Merge into a room's meta",
        description:
          "By RFC 7396: `null` removes a member. `/changes` shows the change as `room`. In a locked room an admin does it.",
        parameters: [KEY],
        body: "RoomPatch",
        example: { meta: { goal: "ship" } },
        answers: { 200: "Room" },
        shown: { ...shown, meta: { goal: "ship" } },
        errors: ["forbidden", "too_large"],
      },
      delete: {
        id: "deleteRoom",
        summary: "Delete a room",
        description:
          "An admin of a locked room does so, or the operator. It is gone at once; its id is free when all of it is removed.",
        answers: { 200: "DeletedRoom" },
        shown: { deleted: true },
        errors: ["unauthenticated", "forbidden"],
      },
    },
  },
});

/** What those may do who may not list rooms. */
const BY_ID = " Whoever knows a room reads it by its id.";

/** The hint of a repetition, which does not show a locked room's first token again. */
const TOKEN_LOST = "A token is shown once, and without this one nobody enters the room: make another room.";

export function mountRooms(app: Hono, services: Services): void {
  const { database, viewerOf, rules } = services;

  /** Returns the locked room with this id if the request shows a token of it; else undefined. */
  async function ownRoom(c: Context, id: string): Promise<Room | undefined> {
    const room = isByOperator(c) ? await findRoom(database, id) : storedRoom(c, id);
    if (!isLocked(room)) return undefined;
    try {
      return await getRoom(database, viewerIn(c, id), room);
    } catch (error) {
      if (isRefusal(error, "room_not_found")) return undefined;
      throw error;
    }
  }

  serve(app, services, ROOMS, "/rooms", {
    async POST(c) {
      const { id, meta = {}, locked, listed } = await readBody(c, ROOMS, "RoomRequest");
      checkSize(meta, "meta");
      if (locked && listed) {
        throw invalidMember(["listed"], "A locked room is in no list.", "Leave `listed` out, or `locked`.");
      }
      const own = locked || id === undefined ? undefined : await ownRoom(c, id);
      if (own) return replyAll(own);
      // A locked room's keys are its own, so that no other request of its id meets them.
      const scope = id !== undefined && locked ? lockedRoom(id) : id;
      const onlyJoin = !locked && !rules.openRooms && !isByOperator(c);
      const operation = createRoom(database, { id, meta, locked, listed, onlyJoin });
      return await answerOnce(c, services, scope, operation, ({ room, created, token }) => {
        const shown = { ...roomReply(room), ...shownOnce(token, TOKEN_LOST) };
        return reply(room.revision, shown, created ? 201 : 200);
      });
    },
    GET: large(async (c) => {
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const all = queryOf(c).all === "true";
      if (all || !rules.listRooms) await requireOperator(c, database, BY_ID);
      const { rooms, more } = await listRooms(database, viewerOf(c), { before: cursorOf(c), limit, all });
      const last = rooms.at(-1);
      const next = more ? linkNext(c, { before: last!.created_at, before_id: last!.id }) : undefined;
      return await replyLarge(c, undefined, rooms.map(roomReply), next);
    }),
  });

  serve(app, services, ROOMS, "/rooms/{room}", {
    async GET(c) {
      const room = await getRoom(database, viewerOf(c), roomOf(c));
      const { revision } = room;
      return unchanged(c, revision, revision) ?? reply(revision, roomReply(room), 200, etag(revision));
    },
    async DELETE(c) {
      await refuseMembers(c);
      const revision = await deleteRoom(database, viewerOf(c), roomOf(c));
      return reply(revision, { deleted: true });
    },
    async PATCH(c) {
      const id = roomOf(c);
      const { meta } = await readBody(c, ROOMS, "RoomPatch");
      checkSize(meta, "meta");
      const operation = mergeMeta(database, id, meta, LIMITS.valueBytes);
      return await answerOnce(c, services, id, operation, ({ room }) => replyAll(room));
    },
  });
}

function roomReply({ revision: _, ...shown }: Room) {
  return shown;
}

/** Returns where the list continues: at `before`, and at `before_id` among rooms of that time. Errors: `invalid_request`. */
function cursorOf(c: Context): RoomCursor | undefined {
  const { before, before_id = "" } = queryOf(c);
  if (before === undefined) return undefined;
  const time = new Date(before);
  if (Number.isNaN(time.getTime())) {
    throw invalidMember(
      ["before"],
      "before must be a time, such as a room's created_at.",
      "Send the next page's address unchanged, as the `Link` of the answer has it.",
    );
  }
  return { created_at: time.toISOString(), id: existingId(before_id) };
}
