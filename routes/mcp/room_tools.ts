import { z } from "zod";
import { READS } from "./annotations.ts";
import { agent, room } from "./arguments.ts";
import { registerJoin } from "./join_tool.ts";
import { PARTS_OF_ROOM } from "./rest.ts";
import type { Tools } from "./tools.ts";
import { WAIT } from "./waiting.ts";

export function registerRoomTools(tools: Tools): void {
  registerJoin(tools);

  tools.register("read_room", {
    description:
      "Show state, agents and message counts; with after or limit: what changed since a revision, in order.",
    shape: {
      room,
      after: z.int().min(0).optional().describe("The last revision you saw; 0: from the start"),
      limit: z.int().min(1).optional().describe("At most N; `more`: go on after `revision`"),
    },
    annotations: READS,
    rest: ({ after, limit }) =>
      after === undefined && limit === undefined
        ? PARTS_OF_ROOM
        : "The rest: read_room with after = the revision here, and the same limit.",
    act({ room, after, limit }, { api }) {
      if (after === undefined && limit === undefined) return api.snapshot(room);
      return api.list(
        (limit) => api.call("GET", ["rooms", room, "changes"], { query: { after, limit } }),
        limit,
      );
    },
  });

  tools.register("wait", {
    description: "Block until a CEL condition over the room is true, or time is up (triggered false).",
    shape: WAIT,
    annotations: READS,
    rest: "Include less, such as state.<scope>, or messages:after: with a later id. " + PARTS_OF_ROOM,
    act: ({ room, timeout_seconds, ...body }, { api, waitFor }) =>
      waitFor({
        room,
        agent: body.agent,
        seconds: timeout_seconds,
        ask: (timeout, signal) =>
          api.call("POST", ["rooms", room, "wait"], { body: { ...body, timeout }, signal }),
        isOver: ({ ok, body }) => !ok || body.triggered === true,
        nothing: { triggered: false },
      }),
  });

  tools.register("evaluate", {
    description: "Evaluate CEL over the room: state, agents, messages, self, now.",
    shape: {
      room,
      expr: z.string().describe("CEL, such as agents.filter(id, agents[id].role == 'worker')"),
      agent,
    },
    annotations: READS,
    rest: "Evaluate less: a member, some items of a list, .substring(0, 9000) of a text.",
    act: ({ room, ...body }, { api }) => api.call("POST", ["rooms", room, "eval"], { body }),
  });
}
