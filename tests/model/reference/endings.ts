import { endMarks } from "./agents.ts";
import { endReservations } from "./reservations.ts";
import type { Room } from "./room.ts";
import { endEntries } from "./state.ts";
import { endLeases } from "./tasks.ts";

/** Whatever is due ends: each kind in one revision, since there are fewer things of it than one takes. */
export function endAll(room: Room): void {
  endMarks(room);
  endLeases(room);
  endEntries(room);
  endReservations(room);
}
