/** An answer as it is on the wire: `fetch` would unpack it. */
export interface Packed {
  header(name: string): string | undefined;
  /** The bytes of the body, without the framing of chunks, once the connection is closed. */
  rest(): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads the body while it comes, unpacked. */
  text(): { until(part: string): Promise<void> };
  /** The bytes of the body that came so far. */
  readonly size: number;
  leave(): void;
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Sends a request that accepts an encoding, and reads the head of the answer. */
export async function openPacked(
  url: string,
  path: string,
  encoding: string,
  method = "GET",
): Promise<Packed> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Accept-Encoding: ${encoding}`,
    "Accept: text/html",
    "Connection: close",
  ];
  await connection.write(encode([...lines, "", ""].join("\r\n")));
  const reader = connection.readable.getReader();
  let buffer = new Uint8Array(0);
  let size = 0;

  /** Reads on; false at the end. */
  async function more(): Promise<boolean> {
    const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
    if (value) buffer = new Uint8Array([...buffer, ...value]);
    return !done;
  }

  /** Takes the bytes before a line's end, with it. */
  async function line(): Promise<string> {
    for (;;) {
      const end = buffer.findIndex((byte, n) => byte === 13 && buffer[n + 1] === 10);
      if (end >= 0) {
        const taken = new TextDecoder("latin1").decode(buffer.subarray(0, end));
        buffer = buffer.slice(end + 2);
        return taken;
      }
      if (!await more()) throw new Error("closed within a line");
    }
  }

  const headers = new Map<string, string>();
  await line();
  for (let next = await line(); next !== ""; next = await line()) {
    const colon = next.indexOf(":");
    headers.set(next.slice(0, colon).toLowerCase(), next.slice(colon + 1).trim());
  }
  const chunked = headers.get("transfer-encoding") === "chunked";

  async function* parts(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (!chunked) {
      do {
        if (buffer.length > 0) yield buffer;
        size += buffer.length;
        buffer = new Uint8Array(0);
      } while (await more());
      return;
    }
    for (;;) {
      const length = parseInt(await line(), 16);
      while (buffer.length < length + 2) if (!await more()) return;
      const part = buffer.slice(0, length);
      buffer = buffer.slice(length + 2);
      if (length === 0) return;
      size += length;
      yield part;
    }
  }

  return {
    header: (name) => headers.get(name),
    get size() {
      return size;
    },
    async rest() {
      return await new Response(ReadableStream.from(parts())).bytes();
    },
    text() {
      const body = ReadableStream.from(parts());
      const isPacked = headers.get("content-encoding") === "gzip";
      const unpacked = isPacked ? body.pipeThrough(new DecompressionStream("gzip")) : body;
      const texts = unpacked.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      return {
        async until(part) {
          while (!text.includes(part)) {
            const { value, done } = await texts.read();
            if (done) throw new Error(`ended before "${part}"`);
            text += value;
          }
        },
      };
    },
    leave() {
      try {
        connection.close();
      } catch {
        // The reader has closed it.
      }
    },
  };
}
