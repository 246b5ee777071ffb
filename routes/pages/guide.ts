import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import { IF_NONE_MATCH, query } from "../openapi/parameters.ts";

export const FRONT = describe({
  operations: {
    "/": {
      get: {
        id: "guide",
        summary: "Read the guide; with `room`, a room's live page",
        description:
          "Without `room`: Markdown, or a page if `Accept` asks for `text/html`. Either may be cached for " +
          `${LIMITS.documentSeconds} seconds, has an \`ETag\`, and is sent as gzip if \`Accept-Encoding\` allows it. ` +
          "With `room`: always a page.",
        parameters: [
          query("room", "The room whose live page is shown; without it the guide"),
          query("expr", "A CEL expression that the room's page evaluates"),
          query("agent", "The agent that is `self` in it"),
          IF_NONE_MATCH,
        ],
        answers: {
          200: ["text/markdown", "text/plain", "text/html"],
          304: [],
          404: ["text/html"],
          503: ["text/html"],
        },
        headers: ["ETag", "Vary"],
      },
    },
  },
});
