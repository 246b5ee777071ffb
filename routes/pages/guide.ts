import { LIMITS } from "../http/limits.ts";
import { describe } from "../openapi/operation.ts";
import { IF_NONE_MATCH, query } from "../openapi/parameters.ts";

export const FRONT = describe({
  operations: {
    "/": {
      get: {
        id: "guide",
        summary: "The guide; a room's live page with `room`",
        description:
          "Without `room` Markdown, or a page where `Accept` asks for `text/html`: either may be kept for " +
          `${LIMITS.documentSeconds} seconds, has an \`ETag\`, and comes as gzip where \`Accept-Encoding\` takes it. ` +
          "With `room` a page, whatever is asked for.",
        parameters: [
          query("room", "The room whose live page is shown; without it, the guide"),
          query("expr", "A CEL expression that the room's page evaluates"),
          query("agent", "Who evaluates: `self` in it"),
          IF_NONE_MATCH,
        ],
        answers: { 200: ["text/markdown", "text/plain", "text/html"], 304: [], 404: ["text/html"] },
        headers: ["ETag", "Vary"],
      },
    },
  },
});
