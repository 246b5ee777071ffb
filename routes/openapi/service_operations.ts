import { VERSION } from "../../version.ts";
import type { Operation } from "./operations.ts";
import * as parameters from "./parameters.ts";

/** What is about no room: the guide, and whether all is well. */
export const SERVICE_OPERATIONS: Record<string, { get: Operation }> = {
  "/": {
    get: {
      id: "guide",
      summary: "The guide; a room's live page with `room`",
      description: "Markdown, or a page where `Accept` asks for `text/html`.",
      parameters: [...parameters.PAGE_PARAMETERS, parameters.IF_NONE_MATCH],
      answers: { 200: "text/markdown", 304: "nothing" },
      headers: ["ETag"],
      errors: [],
    },
  },
  "/healthz": {
    get: {
      id: "health",
      summary: "Whether the service and its database answer",
      answers: { 200: "Health" },
      shown: { ok: true, version: VERSION },
      errors: [],
    },
  },
};
