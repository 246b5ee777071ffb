import { agentId, hue, reservationId } from "../../shared/addresses.ts";
import { Left } from "../../shared/times.tsx";
import { Short, type Shown, Value } from "../../shared/values.tsx";
import { Gone } from "../gone.tsx";
import type { Panel, RoomLook } from "../panel.ts";
import style from "./reservations.css" with { type: "text" };

/** A reservation, as the API shows it. */
export interface ReservationView {
  id: string;
  agent: string;
  paths: string[];
  mode: string;
  /** Undefined where there is none. */
  note: Shown | undefined;
  expires_at: string;
}

/** The oldest of the reservations in force, and how many there are. */
export interface ReservationsShown {
  reservations: { shown: ReservationView[]; total: number };
}

/** The ids of those that ended since. */
export interface ReservationsEnded {
  ended: string[];
}

export const RESERVATIONS_SHOWN = 100;

export const RESERVATIONS: Panel<
  RoomLook & ReservationsShown,
  RoomLook & ReservationsShown & ReservationsEnded
> = {
  id: "reservations",
  name: "Paths",
  place: "left",
  style,
  async section({ id, now, reservations }, each) {
    const draw = (reservation: ReservationView) => (
      <Reservation reservation={reservation} room={id} now={now} />
    );
    return (
      <section id="reservations" aria-labelledby="reservations-title">
        <h2 id="reservations-title">Reserved paths</h2>
        <ul id="reservation-list" class="reservations">{await each(reservations.shown, draw)}</ul>
        <Hidden reservations={reservations} />
        <p class="quiet when-empty">Nothing is reserved.</p>
      </section>
    );
  },
  fragments: ({ id: room, now, reservations, ended }) => [
    ...ended.map(reservationId).map((id) => ({ id, draw: () => <Gone id={id} />, once: true })),
    ...reservations.shown.map((reservation) => ({
      id: reservationId(reservation.id),
      draw: () => <Reservation reservation={reservation} room={room} now={now} />,
    })),
    { id: "reservations-hidden", draw: () => <Hidden reservations={reservations} /> },
  ],
};

/** How many reservations the list does not show; it changes while the page is open. */
function Hidden({ reservations: { shown, total } }: ReservationsShown) {
  const hidden = total - shown.length;
  return (
    <p id="reservations-hidden" class="quiet">
      {hidden > 0 && `${hidden.toLocaleString("en")} more ${hidden === 1 ? "is" : "are"} not shown.`}
    </p>
  );
}

function Reservation({ reservation, room, now }: { reservation: ReservationView; room: string; now: Date }) {
  const { id, agent, paths, mode, note, expires_at } = reservation;
  return (
    <li
      id={reservationId(id)}
      class={`reservation ${hue(agent)}`}
      data-into="reservation-list"
      tabindex={-1}
    >
      <p class="head">
        <span class="dot" aria-hidden="true" />
        <a href={`#${agentId(agent)}`} class="name">
          <Short text={agent} />
        </a>
        <span class="quiet">{mode}</span>
        <span class="spring" />
        <Left at={expires_at} now={now} />
      </p>
      <ul class="paths">
        {paths.map((path) => (
          <li>
            <code>{path}</code>
          </li>
        ))}
      </ul>
      {note && (
        <div class="note">
          <Value shown={note} prose source={`/rooms/${encodeURIComponent(room)}/reservations`} />
        </div>
      )}
    </li>
  );
}
