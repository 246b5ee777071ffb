import type { Agent, Changes, Entry, Message, Reservation } from "../client/mod.ts";
import { having } from "./having.ts";
import { lineOf as messageLine } from "./messages.ts";
import { plain } from "./plain.ts";
import { lineOf as reservationLine } from "./reserve.ts";
import { lineOf as entryLine } from "./state.ts";

/** The known state of a room. */
export interface Picture {
  room: string;
  agents: Map<string, Agent>;
  state: Map<string, Entry>;
  reservations: Map<string, Reservation>;
  /** The last messages, ids ascending. */
  messages: Message[];
}

const MAX_MESSAGES = 100;

/** Applies changes to a picture. A `reset` clears it first. */
export function take(
  picture: Picture,
  { agents, state, messages, reservations = [], reset }: Changes,
): void {
  if (reset) {
    picture.agents.clear();
    picture.reservations.clear();
    picture.state.clear();
    picture.messages = [];
  }
  for (const agent of agents) {
    if ("left" in agent) picture.agents.delete(agent.id);
    else picture.agents.set(agent.id, agent);
  }
  for (const reservation of reservations) {
    if ("ended" in reservation) picture.reservations.delete(reservation.id);
    else picture.reservations.set(reservation.id, reservation);
  }
  for (const entry of state) {
    const id = JSON.stringify([entry.scope, entry.key]);
    if ("deleted" in entry) picture.state.delete(id);
    else picture.state.set(id, entry);
  }
  const byId = new Map([...picture.messages, ...messages].map((message) => [message.id, message]));
  picture.messages = [...byId.values()].sort((a, b) => a.id - b.id).slice(-MAX_MESSAGES);
}

/** The lines of the screen, cut to its width and height. */
export function screenOf(
  { room, agents, state, messages, reservations }: Picture,
  { width, height, color }: { width: number; height: number; color: boolean },
): string[] {
  const parts = reservations.size === 0 ? 3 : 4;
  const max = Math.max(1, Math.floor((height - 1 - parts) / parts));
  const title = (text: string) => color ? `\x1b[1m${cut(text, width)}\x1b[0m` : cut(text, width);
  const part = (name: string, lines: string[]) => [
    title(`${name} (${lines.length})`),
    ...lines.slice(-max).map((line) => cut(plain(`  ${line}`), width)),
  ];
  return [
    title(plain(`Room ${room}`)),
    ...part("Agents", [...agents.values()].map(agentLine)),
    ...(reservations.size === 0 ? [] : part("Reservations", [...reservations.values()].map(reservationLine))),
    ...part("Messages", messages.map(messageLine)),
    ...part("State", [...state.values()].map(entryLine)),
  ].slice(0, height);
}

/** Formats an agent on one line: `ada waiting: state._shared.turn == "ada"`. */
export function agentLine(agent: Agent): string {
  const { id, status, waiting_on } = having(agent, "id", "status", "waiting_on");
  return `${id} ${status}${waiting_on === null ? "" : `: ${waiting_on}`}`;
}

/** Cuts a line to a number of characters. Characters wider than one column may still wrap. */
function cut(line: string, width: number): string {
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}
