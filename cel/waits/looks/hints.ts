/** A channel between instances, if the runtime has one. `hear` gets what the others post. */
export type OpenChannel = (hear: (posted: unknown) => void) => { post(data: unknown): void; close(): void };

/** Milliseconds for which written rooms are collected into one hint. */
const COLLECTED_MS = 5;
/** The maximum number of rooms in one hint, sent or received. Looks find the others. */
export const MAX_TOLD = 100;
/** Milliseconds after which the channel is closed while there are no waits and no writes. */
const IDLE_MS = 500;

/**
 * Creates the hints between instances that a room was written, by its id: over a channel, if the runtime has one. Nothing
 * depends on them. `hear` gets each room that another instance has written. The channel is open while there are waits
 * here, and for a moment after a write, since an open channel may keep the process from ending.
 */
export function createHints(open: OpenChannel | undefined, hear: (room: string) => void) {
  const told = new Set<string>();
  let channel: ReturnType<OpenChannel> | undefined;
  let listening = false;
  let closed = open === undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;

  function heard(posted: unknown) {
    if (!listening || !Array.isArray(posted)) return;
    for (const room of posted.slice(0, MAX_TOLD)) if (typeof room === "string") hear(room);
  }

  /** Uses the channel. Closes one that fails, since nothing depends on it. */
  function use(work: (channel: ReturnType<OpenChannel>) => void) {
    if (closed) return;
    try {
      work(channel ??= open!(heard));
    } catch {
      close();
    }
  }

  function flush() {
    timer = undefined;
    const rooms = [...told];
    told.clear();
    use((channel) => channel.post(rooms));
    restLater();
  }

  function restLater() {
    clearTimeout(idle);
    if (!listening && channel) idle = setTimeout(rest, IDLE_MS);
  }

  function rest() {
    const open = channel;
    channel = undefined;
    open?.close();
  }

  /** Closes the channel for good. */
  function close() {
    closed = true;
    clearTimeout(timer);
    clearTimeout(idle);
    told.clear();
    rest();
  }

  return {
    /** Tells the other instances that a room was written. */
    tell(room: string): void {
      if (closed || told.size >= MAX_TOLD) return;
      told.add(room);
      timer ??= setTimeout(flush, COLLECTED_MS);
    },
    /** Listens to the other instances until `mute`. */
    listen(): void {
      listening = true;
      clearTimeout(idle);
      use(() => {});
    },
    mute(): void {
      listening = false;
      restLater();
    },
    close,
  };
}
