/** An agent in its room, and what was sent in its name: one message, or a batch of them. */
export interface Call {
  room: unknown;
  agent: unknown;
  sent: object;
}

/** What names a wait: the call that began it, and its request in its client's session. */
export interface WaitNames extends Call {
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
  /** Ends the agent's waits, for a call that is understood. Those that came with it stay. */
  called(call: Call): void;
  /** Takes in a message, or a batch of them, which may cancel requests. */
  hear(session: string | undefined, message: unknown): void;
}

interface Held {
  end: () => void;
  sent: object;
}
type Message = { method?: unknown; params?: Record<string, unknown> } | null;

export function createEndings(): Endings {
  const byName = new Map<string, Set<Held>>();

  function note(name: string, wait: Held): () => void {
    const waits = byName.get(name) ?? new Set();
    byName.set(name, waits.add(wait));
    return () => {
      waits.delete(wait);
      if (waits.size === 0 && byName.get(name) === waits) byName.delete(name);
    };
  }

  function end(name: string, except?: object): void {
    for (const { end, sent } of [...byName.get(name) ?? []]) if (sent !== except) end();
  }

  return {
    hold({ room, agent, sent, session, request }, { replaced, cancelled }) {
      const notes = [
        ...(agent === undefined ? [] : [note(nameOf("agent", room, agent), { end: replaced, sent })]),
        ...(session === undefined
          ? []
          : [note(nameOf("request", session, request), { end: cancelled, sent })]),
      ];
      return () => notes.forEach((release) => release());
    },
    called({ room, agent, sent }) {
      end(nameOf("agent", room, agent), sent);
    },
    hear(session, message) {
      if (session === undefined) return;
      for (const { method, params } of messagesOf(message)) {
        if (method === "notifications/cancelled") end(nameOf("request", session, params?.requestId));
      }
    },
  };
}

function nameOf(kind: "agent" | "request", ...parts: unknown[]): string {
  return JSON.stringify([kind, ...parts]);
}

/** Messages of a batch that are answered: a longer one is refused by the protocol's library, and cancels nothing. */
const BATCH = 100;

/** The messages of a request's body. */
export function messagesOf(message: unknown): NonNullable<Message>[] {
  const all = (Array.isArray(message) ? message : [message]) as Message[];
  if (all.length > BATCH) return [];
  return all.filter((one) => typeof one === "object" && one !== null) as NonNullable<Message>[];
}
