/** Stands before the server TARGET and lets DELAY_MS pass in each round trip, half on the way there. */

const target = new URL(Deno.env.get("TARGET")!);
const halfway = Number(Deno.env.get("DELAY_MS")) / 2;

/** Passes on what comes in, in order, each piece as much later as the way is long. */
async function carry(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  let last = Promise.resolve();
  const buffer = new Uint8Array(64 * 1024);
  for (let read; (read = await from.read(buffer)) !== null;) {
    const piece = buffer.slice(0, read);
    const arrives = new Promise<void>((resolve) => setTimeout(resolve, halfway));
    last = last.then(() => arrives).then(() => writeAll(to, piece));
    last.catch(() => {});
  }
  await last;
}

async function writeAll(to: Deno.Conn, piece: Uint8Array): Promise<void> {
  for (let sent = 0; sent < piece.length;) sent += await to.write(piece.subarray(sent));
}

async function serve(near: Deno.TcpConn): Promise<void> {
  const far = await Deno.connect({ hostname: target.hostname, port: Number(target.port) });
  near.setNoDelay(true);
  far.setNoDelay(true);
  await Promise.race([carry(near, far), carry(far, near)].map((carried) => carried.catch(() => {})));
  for (const end of [near, far]) end.close();
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
for await (const connection of listener) serve(connection).catch(() => connection.close());
