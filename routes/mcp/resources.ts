import {
  type McpServer,
  ProtocolError,
  ResourceNotFoundError,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import type { Api } from "./api.ts";

/** JSON-RPC's code for what the caller got wrong. */
const INVALID_PARAMS = -32_602;

export function registerResources(server: McpServer, api: Api): void {
  server.registerResource(
    "guide",
    "convene://guide",
    { description: "The whole API on one page", mimeType: "text/markdown" },
    async ({ href }) => ({ contents: [{ uri: href, mimeType: "text/markdown", text: await api.text("/") }] }),
  );
  server.registerResource(
    "room",
    new ResourceTemplate("convene://rooms/{room}", { list: undefined }),
    { description: "A room as it is now: state, agents, counts of messages", mimeType: "application/json" },
    async ({ href }, { room }) => {
      const { ok, text, body } = await api.snapshot(idOf(href, String(room)));
      if (!ok) throw new ResourceNotFoundError(href, String(body.message));
      return { contents: [{ uri: href, mimeType: "application/json", text }] };
    },
  );
}

/** Returns the room of an address. Errors: `ProtocolError` for an invalid escape. */
function idOf(href: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ProtocolError(INVALID_PARAMS, `${href} is no address: its % escapes are not UTF-8.`);
  }
}
