import { AGENTS, type AgentsLeft } from "./agents/agents.tsx";
import { CONSOLE, type Evaluated } from "./console/console.tsx";
import { MESSAGES, type MessagesShown, type NewestMessages } from "./messages/messages.tsx";
import { type Panel, PLACES, type RoomLook } from "./panel.ts";
import {
  RESERVATIONS,
  type ReservationsEnded,
  type ReservationsShown,
} from "./reservations/reservations.tsx";
import { STATE, type StateChanged, type StateShown } from "./state/state.tsx";
import { TIMELINE, type TimelineShown } from "./timeline/timeline.tsx";

/** What any change of a room may affect. */
export interface LiveRoom extends RoomLook, Pick<StateChanged, "views">, ReservationsShown, TimelineShown {}

/** A room as its page shows it at first. */
export interface RoomView extends LiveRoom, NewestMessages, StateShown, Evaluated {}

/** A room with what has changed of it. */
export interface RoomUpdate extends LiveRoom, MessagesShown, StateChanged, AgentsLeft, ReservationsEnded {}

/** The panels of the page, in its order. */
export const PANELS: Panel<RoomView, RoomUpdate>[] = [
  AGENTS,
  RESERVATIONS,
  MESSAGES,
  STATE,
  TIMELINE,
  CONSOLE,
];

/** The same as tabs of a narrow or low page, which begins with the conversation. */
export const TABS = [MESSAGES, ...PANELS.filter((panel) => panel !== MESSAGES)];

/** The style of all panels. On such a page only the panel of the chosen tab is shown; without a script all are. */
export const PANELS_STYLE = `${PANELS.map(({ style }) => style).join("\n")}
${PLACES.map((place) => `.${place} { grid-area: ${place}; }`).join("\n")}
@media (max-width: 699px) and (scripting: enabled), (max-height: 559px) and (scripting: enabled) {
  ${PANELS.map(({ id }) => `[data-tab="${id}"] .place > :not(#${id})`).join(", ")} { display: none; }
}`;
