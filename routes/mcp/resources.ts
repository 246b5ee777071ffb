import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import type { Api } from "./api.ts";
import { framed } from "./frame.ts";
import { PARTS_OF_ROOM } from "./rest.ts";
import { shorten } from "./shorten.ts";

export function registerResources(server: McpServer, api: Api, newFrame: () => string): void {
  server.registerResource(
    "guide",
    "convene://guide",
    { description: "The whole API on one page", mimeType: "text/markdown" },
    async ({ href }) => ({ contents: [{ uri: href, mimeType: "text/markdown", text: await api.text("/") }] }),
  );
  server.registerResource(
    "room",
    new ResourceTemplate("convene://rooms/{room}", { list: undefined }),
    { description: "A room as it is now: state, agents, counts of messages", mimeType: "text/plain" },
    async ({ href }, { room }) => {
      const { ok, text, body } = await api.snapshot(idOf(href, String(room)));
      if (!ok) throw new ResourceNotFoundError(href, String(body.message));
      const shown = framed(await shorten(text, PARTS_OF_ROOM), newFrame());
      return { contents: [{ uri: href, mimeType: "text/plain", text: shown }] };
    },
  );
}

/** Returns the room of an address. Errors: `ProtocolError` for an invalid escape. */
function idOf(href: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `${href} is no address: its % escapes are not UTF-8.`,
    );
  }
}
