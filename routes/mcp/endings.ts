/** An agent in its room, and what was sent in its name: one message, or a batch of them. */
interface Call {
  room: unknown;
  agent: unknown;
  /** The hash of its token: nobody ends waits of others. */
  holder: string | undefined;
  sent: object;
}

/** Identifies a wait by the call that began it, and by its request in the client's session. */
interface WaitNames extends Call {
  session?: string;
  request: string | number;
}

interface WaitEnds {
  /** The agent has made another call, so the wait's client has abandoned it. */
  replaced(): void;
  /** The client has cancelled the request. */
  cancelled(): void;
}

export type Endings = ReturnType<typeof createEndings>;

interface Held {
  end: () => void;
  sent: object;
}
type Message = { method?: unknown; params?: Record<string, unknown> } | null;

/**
 * Ends waits of the protocol's clients when their agents call again. Else the wait of a client that has given up, or
 * whose leaving the runtime missed, would last until its timeout.
 */
export function createEndings() {
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
    /** Holds a wait until the returned function is called. */
    hold(
      { room, agent, holder, sent, session, request }: WaitNames,
      { replaced, cancelled }: WaitEnds,
    ): () => void {
      const notes = [
        ...(agent === undefined ? [] : [note(nameOf("agent", room, agent, holder), { end: replaced, sent })]),
        ...(session === undefined
          ? []
          : [note(nameOf("request", session, request), { end: cancelled, sent })]),
      ];
      return () => notes.forEach((release) => release());
    },
    /** Ends the agent's waits on a valid call, except those sent with it. */
    called({ room, agent, holder, sent }: Call): void {
      if (agent !== undefined) end(nameOf("agent", room, agent, holder), sent);
    },
    /** Ends the waits whose requests a message, or a batch of them, cancels. */
    hear(session: string | undefined, message: unknown): void {
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

/** Maximum messages of a batch. The protocol's library refuses a longer one, which cancels nothing. */
const BATCH = 100;

export function messagesOf(message: unknown): NonNullable<Message>[] {
  const all = (Array.isArray(message) ? message : [message]) as Message[];
  if (all.length > BATCH) return [];
  return all.filter((one) => typeof one === "object" && one !== null) as NonNullable<Message>[];
}
