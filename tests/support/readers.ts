const ENCODER = new TextEncoder();
/** A character a byte, so that the lengths of chunks count characters. */
const DECODER = new TextDecoder("latin1");

/** A reader of a stream on a connection of its own, at a small cost, so that a test can have hundreds of them. */
export interface Reader {
  connection: Deno.TcpConn;
  /** Reads until all that came since the last call ends with a text; gives it. Throws where the stream ends before. */
  until(ending: string): Promise<string>;
  close(): void;
}

/** Connects and asks for a stream; nothing of the answer is read. */
export async function ask(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(ENCODER.encode(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${fields}\r\n`));
  return connection;
}

/** Opens a stream, and has read its beginning. Throws what was answered where it is refused. */
export async function openReader(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Reader> {
  const reader = readerOf(await ask(url, path, { ...headers, Connection: "close" }));
  try {
    await reader.until("\n\n\r\n");
    return reader;
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** Reads what comes on a connection. */
export function readerOf(connection: Deno.TcpConn): Reader {
  const buffer = new Uint8Array(128 * 1024);
  return {
    connection,
    async until(ending) {
      const parts: Uint8Array[] = [];
      for (let tail = "";;) {
        const count = await connection.read(buffer);
        if (count === null) throw new Error(`The stream ended: ${textOf(parts).slice(0, 500)}`);
        parts.push(buffer.slice(0, count));
        tail = (tail + DECODER.decode(parts.at(-1)!.subarray(-ending.length))).slice(-ending.length);
        if (tail === ending) return textOf(parts);
      }
    },
    close() {
      try {
        connection.close();
      } catch {
        // It was closed before.
      }
    },
  };
}

/** What chunks carried, without their lengths. */
export function unchunked(text: string): string {
  let carried = "";
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\r\n", at);
    const length = parseInt(text.slice(at, end), 16);
    if (!(length > 0)) break;
    carried += text.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
  return carried;
}

function textOf(parts: Uint8Array[]): string {
  return parts.map((part) => DECODER.decode(part)).join("");
}
