import assert from "node:assert/strict";
import type { Subject } from "../support/backends.ts";
import type { Json } from "../support/client.ts";
import { bearer } from "../support/tokens.ts";

/** Asks of a room under one of its tokens, and is answered well. */
export const asker =
  (t: Subject, room: string) =>
  async (token: string, method: string, path: string, body?: Json): Promise<Json> => {
    const reply = await t.request(method, `/rooms/${room}${path}`, { body, headers: bearer(token) });
    assert.ok(reply.status < 300, reply.text);
    return reply.body;
  };
