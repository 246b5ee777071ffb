import type { Holder, Renewal } from "./claim.ts";
import type { Call, Connection } from "./connection.ts";
import { ConveneError } from "./errors.ts";
import type { Json, JsonOf } from "./json.ts";
import { LINGER, lingering } from "./linger.ts";
import { parted } from "./options.ts";
import type { Reservation } from "./reservation.ts";
import { Pace } from "./pace.ts";
import { MARGIN, nextPart } from "./until.ts";

export interface ReserveOptions<N = Json> extends Holder {
  /** `exclusive` (the default) conflicts with all overlapping ones of others, `shared` only with exclusive ones. */
  mode?: "exclusive" | "shared";
  /** Whole seconds after which it ends unless it is renewed. Default: 900. */
  ttl?: number;
  note?: N & JsonOf<N>;
  /** Milliseconds to wait until the paths are free; `Infinity`: as long as it takes. Default: 0. */
  timeout?: number;
}

/** The reservations of a room: which agent works on which paths. */
export class Reservations {
  constructor(readonly connection: Connection, readonly room: string, readonly agent: string | undefined) {}

  /**
   * Reserves all of the paths. Errors: `reserved`, with `conflicts` in its body, if others have reserved some of them.
   */
  async reserve<N = Json>(
    paths: string[],
    { timeout = 0, signal, within, patience, agent = this.agent, ...options }: ReserveOptions<N> = {},
  ): Promise<Reservation> {
    const start = performance.now();
    const left = () => Math.max(0, start + timeout - performance.now());
    const pace = new Pace();
    for (;;) {
      signal?.throwIfAborted();
      const ms = nextPart(left());
      const sent = { ...options, agent, paths, timeout: ms };
      const call = { patience, within: within ?? ms + MARGIN };
      pace.sends(ms);
      try {
        const made = await lingering(signal, LINGER, (late) => {
          return this.connection.write<Reservation>("POST", this.#path(), sent, { ...call, signal: late });
        });
        if (!signal?.aborted) return made.body;
        await this.release(made.body.id, { ...made.body, patience: 0 }).catch(() => {}); // it ends by itself
        throw signal.reason;
      } catch (error) {
        const taken = error instanceof ConveneError && error.code === "reserved";
        if (!taken || left() === 0) throw error;
        await pace.next(left(), signal);
      }
    }
  }

  /** The reservations in force, oldest first. `path`: only those that overlap this path or glob. */
  async list({ signal, ...query }: Call & { agent?: string; path?: string } = {}): Promise<Reservation[]> {
    return (await this.connection.list<Reservation>(this.#path(), query, { signal })).body;
  }

  /** Makes it end `ttl` seconds from now. Errors: `lease_lost`, `reservation_not_found`. */
  async renew(id: string, options: Renewal): Promise<Reservation> {
    const [call, sent] = parted(options, this.agent);
    return (await this.connection.write<Reservation>("POST", `${this.#path(id)}/renew`, sent, call)).body;
  }

  /** Ends it. Returns whether it was in force. */
  async release(
    id: string,
    { fence, ...options }: Holder & { fence?: number } = {},
  ): Promise<boolean> {
    const [call, { agent }] = parted(options, this.agent);
    const path = this.#path(id);
    const { body } = await this.connection.write<{ released: boolean }>(
      "DELETE",
      path,
      { agent, fence },
      call,
    );
    return body.released;
  }

  #path = (id?: string) => `${this.room}/reservations${id === undefined ? "" : `/${encodeURIComponent(id)}`}`;
}
