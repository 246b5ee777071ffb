import type { Context, Hono } from "hono";
import { createRoom, getRoom, listRooms, type Room, type RoomCursor } from "../db/rooms.ts";
import { invalidMember } from "./http/errors.ts";
import { etag, unchanged } from "./http/etags.ts";
import { answerOnce } from "./http/idempotency.ts";
import { existingId } from "./http/ids.ts";
import { LIMITS } from "./http/limits.ts";
import { large, resource } from "./http/methods.ts";
import { queryCount, queryText } from "./http/input/queries.ts";
import { checkSize, linkNext, readBody, reply, replyLargeList, roomOf } from "./http/requests.ts";
import type { Services } from "./services.ts";

export function mountRooms(app: Hono, services: Services): void {
  const { database, viewerOf } = services;
  resource(app, "/rooms", {
    async POST(c) {
      const { id, meta = {} } = await readBody(c, "roomBody");
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
      return await replyLargeList(rooms.map(roomReply), next);
    }),
  }, { GET: ["limit", "before", "before_id"] });

  resource(app, "/rooms/:room", {
    async GET(c) {
      const room = await getRoom(database, viewerOf(c), roomOf(c));
      const { revision } = room;
      return unchanged(c, revision, revision) ?? reply(revision, roomReply(room), 200, etag(revision));
    },
  });
}

function roomReply({ id, created_at, meta }: Room) {
  return { id, created_at, meta };
}

/** Where the list goes on: `before`, and between rooms of that very moment `before_id`, as our own links have it. */
function cursorOf(c: Context): RoomCursor | undefined {
  const before = queryText(c, "before");
  if (before === undefined) return undefined;
  const time = new Date(before);
  if (Number.isNaN(time.getTime())) {
    throw invalidMember(["before"], "before must be a time, such as a room's created_at.");
  }
  return { created_at: time.toISOString(), id: existingId(queryText(c, "before_id") ?? "") };
}
