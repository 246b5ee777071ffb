import { pause } from "../../db/pause.ts";
import { createReport } from "../http/reports.ts";

/** Descriptors reserved for the database: its connections, their replacements, and name look-ups. */
const RESERVE = 16;

/** Milliseconds for a distant caller just accepted to send its request, and between two attempts to listen. */
const PAUSE_MS = 250;

const REPORT_EVERY_MS = 60_000;

/**
 * Serves HTTP whatever connections come. `Deno.serve` gives up at the first connection that it cannot accept, such
 * as when connections have taken every descriptor. Another then takes its place on the same port. The one that gave
 * up closes its idle connections, those with half a head among them, and goes on with its requests, waits and
 * streams. The runtime has no time limit for heads and for idle connections; this is what gives their descriptors
 * back. Where all of them are in use, nothing is accepted until some are free. Errors: those of the first listening.
 */
export function serveOn(options: Deno.ServeTcpOptions, handler: Deno.ServeHandler<Deno.NetAddr>) {
  const leaving = new Set<Promise<unknown>>();
  const report = createReport(REPORT_EVERY_MS, notAccepted);
  let ending = false;
  let reserve: Deno.Listener[] | undefined;
  let server = open(options);
  reserve = takeReserve();

  function open(options: Deno.ServeTcpOptions): Deno.HttpServer<Deno.NetAddr> {
    const opened = Deno.serve(options, handler);
    opened.finished.catch((error) => ending ? undefined : replace(opened, error));
    return opened;
  }

  /** Listens once more on the port of the first time; false where that is not possible now. */
  function reopen(): boolean {
    try {
      server = open({ ...options, port: server.addr.port, onListen() {} });
      return true;
    } catch {
      return false;
    }
  }

  async function replace(old: Deno.HttpServer, error: Error) {
    report(error);
    const hadReserve = reserve !== undefined;
    reserve = void reserve?.forEach((socket) => socket.close());
    await pause(PAUSE_MS);
    // Before idle connections are closed: their callers may come back at once.
    let listens = !ending && hadReserve && reopen();
    leave(old);
    do {
      await pause(PAUSE_MS);
      if (ending) return;
      reserve ??= takeReserve();
      listens ||= reserve !== undefined && reopen();
    } while (!listens);
  }

  function leave(old: Deno.HttpServer) {
    const left = old.shutdown().catch(() => {}).finally(() => leaving.delete(left));
    leaving.add(left);
  }

  return {
    /** Resolves when every request that was taken in is answered. */
    async shutdown() {
      ending = true;
      reserve?.forEach((socket) => socket.close());
      await Promise.all([server.shutdown(), ...leaving]);
    },
  };
}

/** Opens sockets to reserve descriptors: all, undefined if there are too few, none without the permission. */
function takeReserve(): Deno.Listener[] | undefined {
  const taken: Deno.Listener[] = [];
  try {
    while (taken.length < RESERVE) taken.push(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    return taken;
  } catch (error) {
    for (const socket of taken) socket.close();
    return error instanceof Deno.errors.NotCapable ? [] : undefined;
  }
}

function notAccepted(times: number, { message }: Error): string {
  return `No connection could be accepted (${times} times): ${message}. Idle connections are closed. docs/operate.md`;
}
