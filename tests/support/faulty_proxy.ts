export type Behaviour =
  | "pass"
  /** Bytes go on as they come, each piece `DELAY_MS` later. */
  | "delay"
  /** Open connections are closed, new ones at once. */
  | "cut"
  /** Requests arrive; of each reply only a few bytes do, then the connection is closed. */
  | "cut in mid-reply"
  /** Requests arrive and are carried out; their replies never come. */
  | "swallow";

export interface FaultyProxy {
  url: string;
  /** Requests that were sent this way, and connections that were turned away. */
  readonly asked: number;
  /** How it treats what passes from now on. What it swallowed stays lost. */
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

export const DELAY_MS = 100;
const BYTES_OF_A_CUT_REPLY = 40;
const REQUEST_LINE = /(?:POST|GET) \/\S* HTTP\/1\.1\r\n/g;

/** Stands between a service and its libSQL server, and carries bytes as badly as it is told to. */
export function startFaultyProxy(target: string): FaultyProxy {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.Conn>();
  const running = new Set<Promise<unknown>>();
  let behaviour: Behaviour = "pass";
  let asked = 0;

  async function serve(near: Deno.Conn) {
    if (behaviour === "cut") {
      asked++;
      return near.close();
    }
    connections.add(near);
    const far = await Deno.connect({ hostname, port: Number(port) }).catch(() => undefined);
    if (!far) return close(near);
    connections.add(far);
    const ends = () => [near, far].forEach(close);
    let lost = false;
    const there = carry(near, far, (piece) => {
      asked += new TextDecoder("latin1").decode(piece).match(REQUEST_LINE)?.length ?? 0;
      return piece;
    });
    const back = carry(far, near, (piece) => {
      if (behaviour === "swallow") lost = true;
      if (lost) return undefined;
      if (behaviour !== "cut in mid-reply") return piece;
      setTimeout(ends);
      return piece.subarray(0, BYTES_OF_A_CUT_REPLY);
    });
    await Promise.race([there, back]);
    ends();
    await Promise.all([there, back]);
  }

  function close(connection: Deno.Conn) {
    if (connections.delete(connection)) connection.close();
  }

  async function carry(from: Deno.Conn, to: Deno.Conn, treat: (piece: Uint8Array) => Uint8Array | undefined) {
    try {
      const buffer = new Uint8Array(64 * 1024);
      for (let read; (read = await from.read(buffer)) !== null;) {
        const left = treat(buffer.slice(0, read));
        if (behaviour === "delay") await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
        for (let sent = 0; left && sent < left.length;) sent += await to.write(left.subarray(sent));
      }
    } catch {
      // One of the two ends has been closed.
    }
  }

  const accepting = (async () => {
    for await (const connection of listener) {
      const serving = serve(connection).finally(() => running.delete(serving));
      running.add(serving);
    }
  })();

  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    get asked() {
      return asked;
    },
    behave(next) {
      behaviour = next;
      if (next === "cut") [...connections].forEach(close);
    },
    async stop() {
      listener.close();
      [...connections].forEach(close);
      await accepting;
      await Promise.all(running);
    },
  };
}
