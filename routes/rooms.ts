import type { Context, Hono } from "hono";
import { createRoom, getRoom, listRooms, mergeMeta, type Room, type RoomCursor } from "../db/rooms.ts";
import { invalidMember } from "./http/errors.ts";
import { etag, unchanged } from "./http/etags.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { queryCount, queryText } from "./http/input/queries.ts";
import { EXAMPLE_TIME } from "./http/input/wordings.ts";
import { LIMITS } from "./http/limits.ts";
import { large } from "./http/methods.ts";
import { checkSize, linkNext, readBody, reply, replyLargeList, roomOf } from "./http/requests.ts";
import { describe, serve } from "./openapi/operation.ts";
import { IF_NONE_MATCH, KEY, LIMIT, query } from "./openapi/parameters.ts";
import type { Services } from "./services.ts";

const shown = { id: "demo", created_at: EXAMPLE_TIME, meta: {} };

export const ROOMS = describe({
  bodies: ({ z, absent, id, jsonObject, metaOf, about }) => ({
    RoomRequest: z.strictObject({
      id: absent(id).meta(about("A random UUID by default")),
      meta: metaOf(),
    }),
    RoomPatch: z.strictObject({
      meta: jsonObject
        .meta(
          about(
            `Merged into the room's; \`null\` removes a member. The result may have at most ${LIMITS.valueBytes} bytes`,
          ),
        ),
    }),
  }),
  answers({ z, time, object }) {
    const Room = z.object({ id: z.string(), created_at: time, meta: object });
    return { Room, RoomList: z.array(Room) };
  },
  operations: {
    "/rooms": {
      get: {
        id: "listRooms",
        summary: "List rooms, newest first",
        description: "If there are more, `Link` names the next page.",
        parameters: [
          LIMIT,
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
        description: "201 if it was created; 200 with the room as it is if it existed.",
        parameters: [{
          ...KEY,
          description: `${KEY.description}; at least ${LIMITS.roomlessKeyLength} if no room id is given`,
        }],
        body: "RoomRequest",
        example: { id: "demo" },
        answers: { 200: "Room", 201: "Room" },
        shown,
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
        description: "By RFC 7396: `null` removes a member. `/changes` shows the change as `room`.",
        parameters: [KEY],
        body: "RoomPatch",
        example: { meta: { goal: "ship" } },
        answers: { 200: "Room" },
        shown: { ...shown, meta: { goal: "ship" } },
        errors: ["too_large"],
      },
    },
  },
});

export function mountRooms(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  serve(app, services, ROOMS, "/rooms", {
    async POST(c) {
      const { id, meta = {} } = await readBody(c, ROOMS, "RoomRequest");
      checkSize(meta, "meta");
      return await answerOnce(c, services, id, createRoom(database, { id, meta }), ({ room, created }) => {
        return reply(room.revision, roomReply(room), created ? 201 : 200);
      });
    },
    GET: large(async (c) => {
      const limit = queryCount(c, "limit") ?? LIMITS.listDefault;
      const { rooms, more } = await listRooms(database, viewerOf(c), { before: cursorOf(c), limit });
      const last = rooms.at(-1);
      const next = more ? linkNext(c, { before: last!.created_at, before_id: last!.id }) : undefined;
      return await replyLargeList(c, rooms.map(roomReply), next);
    }),
  });

  serve(app, services, ROOMS, "/rooms/{room}", {
    async GET(c) {
      const room = await getRoom(database, viewerOf(c), roomOf(c));
      const { revision } = room;
      return unchanged(c, revision, revision) ?? reply(revision, roomReply(room), 200, etag(revision));
    },
    async PATCH(c) {
      const id = roomOf(c);
      const { meta } = await readBody(c, ROOMS, "RoomPatch");
      checkSize(meta, "meta");
      const operation = mergeMeta(database, id, meta, LIMITS.valueBytes);
      return await answerOnce(
        c,
        services,
        id,
        operation,
        ({ room }) => reply(room.revision, roomReply(room)),
      );
    },
  });
}

function roomReply({ id, created_at, meta }: Room) {
  return { id, created_at, meta };
}

/** Returns where the list continues: at `before`, and among rooms created at that time at `before_id`. Errors: `invalid_request`. */
function cursorOf(c: Context): RoomCursor | undefined {
  const before = queryText(c, "before");
  if (before === undefined) return undefined;
  const time = new Date(before);
  if (Number.isNaN(time.getTime())) {
    throw invalidMember(["before"], "before must be a time, such as a room's created_at.");
  }
  return { created_at: time.toISOString(), id: existingId(queryText(c, "before_id") ?? "") };
}
