import fc from "fast-check";
import { judge, source } from "../reference/conditions.ts";
import type { Expected } from "../reference/room.ts";
import { sorted } from "../reference/state.ts";
import { agent, command, condition, limit, optional, query, revision } from "./command.ts";

const pieces = (pattern: RegExp, found: unknown[], older?: number): Expected => ({
  status: 200,
  pieces: { pattern, found: found.map(String) },
  older,
});

/** What the page of a room asks for: pieces of HTML, of which the marks of things are compared. */
export const liveCommands = [
  command(
    "live messages",
    { before: optional(revision), limit: optional(limit) },
    (asked) => ({ method: "GET", path: `/live/messages${query(asked)}` }),
    ({ before = Infinity, limit = 100 }, room) => {
      const ids = room.messages.map(({ id }) => id).filter((id) => id < before);
      return pieces(/<li id="m(\d+)"/g, ids.slice(-limit), ids.length - Math.min(limit, ids.length));
    },
  ),
  command(
    "live entries",
    { scope: fc.constantFrom("_shared", "ann"), from: optional(fc.nat(3)) },
    (asked) => ({ method: "GET", path: `/live/entries${query(asked)}` }),
    ({ scope, from = 0 }, room) => {
      const keys = sorted(room).filter((entry) => entry.scope === scope && !entry.deleted).map(({ key }) =>
        key
      );
      return pieces(/data-key="(\w+)"/g, keys.slice(from), 0);
    },
  ),
  command(
    "live evaluation",
    { condition, agent: optional(agent) },
    ({ condition, agent }) => ({
      method: "GET",
      path: `/live/evaluation${query({ expr: source(condition), agent })}`,
    }),
    ({ condition, agent }, room) => {
      const judged = judge(room, condition, agent ?? null);
      return pieces(/>(true|false)<|class="(error)"/g, ["value" in judged ? judged.value : "error"]);
    },
  ),
];
