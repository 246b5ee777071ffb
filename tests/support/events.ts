import assert from "node:assert/strict";
import { TextLineStream } from "./lines.ts";
import type { Json } from "./client.ts";

/** What a stream said: an event, a comment, or fields without data. */
export interface Said {
  id?: number;
  retry?: number;
  type?: string;
  comment?: boolean;
  data?: Json;
  at: number;
}

export interface EventStream {
  status: number;
  headers: Headers;
  /** Everything that was said so far. */
  said: Said[];
  /** The next event that has data, and for which `wanted` holds; undefined when the stream ended before. */
  next(wanted?: (data: Json) => boolean): Promise<Said | undefined>;
  /** Resolves when the stream has ended. */
  ended: Promise<void>;
  leave(): void;
}

/** Opens a stream of Server-Sent Events and reads all that it says. */
export async function openEvents(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  const said: Said[] = [];
  const heard = new EventTarget();
  let taken = 0;
  let over = !response.ok;

  async function read() {
    let block: string[] = [];
    const lines = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      if (line !== "") {
        block.push(line);
        continue;
      }
      said.push(toSaid(block));
      block = [];
      heard.dispatchEvent(new Event("said"));
    }
  }

  const ended = (response.ok ? read() : response.body!.cancel())
    .catch((error) => {
      if (!controller.signal.aborted) throw error;
    })
    .finally(() => {
      over = true;
      heard.dispatchEvent(new Event("said"));
    });

  return {
    status: response.status,
    headers: response.headers,
    said,
    ended,
    async next(wanted = () => true) {
      for (;;) {
        while (taken < said.length) {
          const one = said[taken++]!;
          if (one.data !== undefined && wanted(one.data)) return one;
        }
        if (over) return undefined;
        await new Promise((resolve) => heard.addEventListener("said", resolve, { once: true }));
      }
    },
    leave: () => controller.abort(),
  };
}

function toSaid(lines: string[]): Said {
  const said: Said = { at: Date.now() };
  const data: string[] = [];
  for (const line of lines) {
    const [, field, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
    if (field === "") said.comment = true;
    else if (field === "id" || field === "retry") said[field] = Number(value);
    else if (field === "event") said.type = value;
    else if (field === "data") data.push(value!);
  }
  if (data.length > 0) said.data = said.type === undefined ? JSON.parse(data.join("\n")) : data.join("\n");
  return said;
}

/** A reader's copy of a room's state and messages, made of the change sets that it was told. */
export function createChangesLog() {
  const versions = new Set<string>();
  const messages = new Set<number>();
  const state = new Map<string, Json>();
  return {
    add(changes: Json): void {
      for (const entry of changes.state) {
        const version = JSON.stringify([entry.scope, entry.key, entry.version]);
        assert.ok(!versions.has(version), `told twice: ${version}`);
        versions.add(version);
        const { revision: _, ...shown } = entry;
        if (entry.deleted) state.delete(entry.key);
        else state.set(entry.key, shown);
      }
      for (const { id } of changes.messages) {
        assert.ok(!messages.has(id), `told twice: message ${id}`);
        messages.add(id);
      }
    },
    assertIs(entries: Json[], present: Json[]): void {
      const byKey = (a: Json, b: Json) => a.key < b.key ? -1 : 1;
      assert.deepEqual([...state.values()].sort(byKey), entries.sort(byKey));
      assert.deepEqual([...messages], present.map(({ id }) => id));
    },
  };
}
