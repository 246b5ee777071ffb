/** What names a wait: its agent in its room, and the request that began it in its client's session. */
export interface WaitNames {
  room: string;
  agent?: string;
  session?: string;
  request: string | number;
}

export interface WaitEnds {
  /** Its agent has called again: whoever began the wait has given it up. */
  replaced(): void;
  /** Its client has cancelled the request. */
  cancelled(): void;
}

/**
 * The waits that this instance holds for clients of the protocol, to be ended when their agents are heard of again.
 * A client that gave up, or whose leaving the runtime missed, would else hold its wait until its time is over.
 */
export interface Endings {
  /** Notes a wait until it is given back. */
  hold(names: WaitNames, ends: WaitEnds): () => void;
  /** Takes in a message, or a batch of them, before it is answered. */
  hear(session: string | undefined, message: unknown): void;
}

type Message = { method?: unknown; params?: Record<string, unknown> } | null;

export function createEndings(): Endings {
  const byName = new Map<string, Set<() => void>>();

  function note(name: string, end: () => void): () => void {
    const ends = byName.get(name) ?? new Set();
    byName.set(name, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && byName.get(name) === ends) byName.delete(name);
    };
  }

  function end(name: string): void {
    for (const end of [...byName.get(name) ?? []]) end();
  }

  return {
    hold({ room, agent, session, request }, { replaced, cancelled }) {
      const notes = [
        ...(agent === undefined ? [] : [note(nameOf("agent", room, agent), replaced)]),
        ...(session === undefined ? [] : [note(nameOf("request", session, request), cancelled)]),
      ];
      return () => notes.forEach((giveBack) => giveBack());
    },
    hear(session, message) {
      for (const { method, params } of messagesOf(message)) {
        if (method === "tools/call") {
          const { room, ...given } = (params?.arguments ?? {}) as Record<string, unknown>;
          end(nameOf("agent", room, callerOf(params?.name, given)));
        } else if (method === "notifications/cancelled" && session !== undefined) {
          end(nameOf("request", session, params?.requestId));
        }
      }
    },
  };
}

/** Whom a call of a tool is by. Where others have a `from`, it is a filter. */
function callerOf(tool: unknown, { agent, from, from_agent }: Record<string, unknown>): unknown {
  return tool === "post_message" ? from ?? from_agent : agent;
}

function nameOf(kind: "agent" | "request", ...parts: unknown[]): string {
  return JSON.stringify([kind, ...parts]);
}

/** Messages of a batch that are answered: a longer one is refused by the protocol's library, and ends nothing. */
const BATCH = 100;

function messagesOf(message: unknown): NonNullable<Message>[] {
  const all = (Array.isArray(message) ? message : [message]) as Message[];
  if (all.length > BATCH) return [];
  return all.filter((one) => typeof one === "object" && one !== null) as NonNullable<Message>[];
}
