export interface Answer {
  status: number;
  text: string;
}

const HEAD_END = [13, 10, 13, 10];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A request as it goes over the wire. */
export function encodeRequest(
  method: string,
  path: string,
  body?: unknown,
  header?: string,
): Uint8Array<ArrayBuffer> {
  const payload = body === undefined ? "" : JSON.stringify(body);
  const shown = header ? `${header}\r\n` : "";
  const length = encoder.encode(payload).length;
  return encoder.encode(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n${shown}\r\n${payload}`,
  );
}

/**
 * A kept-alive HTTP connection that does no more than a benchmark needs, so that the client costs little beside
 * the server: one request at a time, answers with a Content-Length.
 */
export class Connection {
  #buffer = new Uint8Array(1_024);
  #filled = 0;

  private constructor(readonly socket: Deno.TcpConn) {}

  static async open(url: string): Promise<Connection> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    socket.setNoDelay(true);
    return new Connection(socket);
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const status = await this.exchange(encodeRequest(method, path, body));
    return { status, text: this.#body() };
  }

  /** Sends a request and reads its whole answer; gives the status. */
  async exchange(request: Uint8Array<ArrayBuffer>): Promise<number> {
    for (let sent = 0; sent < request.length;) sent += await this.socket.write(request.subarray(sent));
    this.#filled = 0;
    let end = -1;
    while ((end = this.#headEnd()) < 0) await this.#fill();
    this.#bodyFrom = end;
    const head = decoder.decode(this.#buffer.subarray(0, end)).toLowerCase();
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
    if (length === undefined && !head.startsWith("http/1.1 204")) {
      throw new Error(`No Content-Length: ${head}`);
    }
    while (this.#filled < end + Number(length ?? 0)) await this.#fill();
    return Number(head.slice(9, 12));
  }

  close(): void {
    try {
      this.socket.close();
    } catch {
      // It was closed by the other side.
    }
  }

  #bodyFrom = 0;

  #body(): string {
    return decoder.decode(this.#buffer.subarray(this.#bodyFrom, this.#filled));
  }

  async #fill(): Promise<void> {
    if (this.#filled === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 4);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const read = await this.socket.read(this.#buffer.subarray(this.#filled));
    if (read === null) throw new Error("The server closed the connection.");
    this.#filled += read;
  }

  /** Where the body begins, or -1 while the head is not complete. */
  #headEnd(): number {
    const { length } = HEAD_END;
    for (let at = 0; at + length <= this.#filled; at++) {
      if (HEAD_END.every((byte, n) => this.#buffer[at + n] === byte)) return at + length;
    }
    return -1;
  }
}
