export interface Cutting {
  url: string;
  /** How many replies were cut so far. */
  readonly cuts: number;
  stop(): Promise<void>;
}

/**
 * Stands before an HTTP server and cuts replies off: the request goes through, its reply breaks off after a few
 * bytes. `cuts` says of the request with this number, counted from 0, whether its reply is cut.
 */
export function startCutting(target: string, cuts: (request: number) => boolean): Cutting {
  const { hostname, port } = new URL(target);
  const open = new Set<Deno.Conn>();
  let asked = 0;
  let cut = 0;

  async function serve(near: Deno.Conn): Promise<void> {
    const far = await Deno.connect({ hostname, port: Number(port) });
    const both = [near, far];
    for (const end of both) open.add(end);
    try {
      await pass(near, far);
    } catch {
      // One of the two has gone; so does the other.
    } finally {
      for (const end of both) close(end);
    }
  }

  /** HTTP/1.1 without pipelining: the first bytes that come back after a request begin its reply. */
  async function pass(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    let replying = false;
    const there = each(near, async (bytes) => {
      replying = false;
      await writeAll(far, bytes);
      return true;
    });
    const back = each(far, async (bytes) => {
      const first = !replying;
      replying = true;
      const last = first && cuts(asked++);
      if (last) cut++;
      await writeAll(near, last ? bytes.subarray(0, 40) : bytes);
      return !last;
    });
    await Promise.race([there, back]);
    there.catch(() => {});
    back.catch(() => {});
  }

  function close(end: Deno.Conn) {
    if (open.delete(end)) end.close();
  }

  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) serve(connection).catch(() => connection.close());
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    get cuts() {
      return cut;
    },
    async stop() {
      listener.close();
      for (const end of open) close(end);
      await accepting;
    },
  };
}

/** Hands on what comes in, until it ends or `take` wants no more. */
async function each(from: Deno.Conn, take: (bytes: Uint8Array) => Promise<boolean>): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let read; (read = await from.read(buffer)) !== null;) {
    if (!await take(buffer.slice(0, read))) return;
  }
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}
