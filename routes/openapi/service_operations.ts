import { VERSION } from "../../version.ts";
import { LIMITS } from "../http/limits.ts";
import type { Operations } from "./operation.ts";
import * as parameters from "./parameters.ts";

/** What is about no room: the guide, and whether all is well. */
export const SERVICE_OPERATIONS: Operations = {
  "/": {
    get: {
      id: "guide",
      summary: "The guide; a room's live page with `room`",
      description:
        "Without `room` Markdown, or a page where `Accept` asks for `text/html`: either may be kept for " +
        `${LIMITS.documentSeconds} seconds, has an \`ETag\`, and comes as gzip where \`Accept-Encoding\` takes it. ` +
        "With `room` a page, whatever is asked for.",
      parameters: [...parameters.PAGE_PARAMETERS, parameters.IF_NONE_MATCH],
      answers: { 200: ["text/markdown", "text/plain", "text/html"], 304: [], 404: ["text/html"] },
      headers: ["ETag", "Vary"],
      errors: [],
    },
  },
  "/healthz": {
    get: {
      id: "health",
      summary: "Whether the service and its database answer",
      description: "It counts for nobody's share.",
      answers: { 200: "Health" },
      shown: { ok: true, version: VERSION },
      errors: [],
    },
  },
};
