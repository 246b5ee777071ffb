import assert from "node:assert/strict";

export const CHUNKED = "Transfer-Encoding: chunked";

/** Sends the head of a request and the first byte of a body that does not come; by default it is to have 100. */
export async function slowRequest(
  url: string,
  method: string,
  path: string,
  length = "Content-Length: 100",
): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${length}\r\n\r\n`;
  const first = length === CHUNKED ? "1\r\n{\r\n" : "{";
  await connection.write(new TextEncoder().encode(head + first));
  return connection;
}

/** As `slowRequest`, with a body of 100 bytes; resolves once the service is reading it, which it says by 100 Continue. */
export async function slowRequestBeingRead(url: string, method: string, path: string): Promise<Deno.TcpConn> {
  const connection = await slowRequest(url, method, path, "Content-Length: 100\r\nExpect: 100-continue");
  const expected = "HTTP/1.1 100 Continue\r\n\r\n";
  const bytes = new Uint8Array(expected.length);
  for (let length = 0; length < bytes.length;) {
    const read = await connection.read(bytes.subarray(length));
    if (read === null) throw new Error("closed before it was read");
    length += read;
  }
  assert.equal(new TextDecoder().decode(bytes), expected);
  return connection;
}

/** Sends a request's head as it is (Latin-1), and reads the answer: what clients would not send. */
export async function send(url: string, ...lines: string[]): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(Uint8Array.from(head, (letter) => letter.charCodeAt(0)));
  return await readReply(connection);
}

/** Reads the answer to a request whose body has a Content-Length, and closes the connection. */
export async function readReply(connection: Deno.TcpConn): Promise<{ status: number; text: string }> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of connection.readable) {
    all += decoder.decode(chunk, { stream: true });
    const length = /\r\ncontent-length: (\d+)/i.exec(all)?.[1];
    const [, body] = all.split("\r\n\r\n");
    if (length !== undefined && body !== undefined && body.length >= Number(length)) break;
  }
  return { status: Number(all.slice(9, 12)), text: all.slice(all.indexOf("\r\n\r\n") + 4) };
}
