import type { Row } from "../../db/driver/statement.ts";
import { EVENTS_SHOWN, type TimelineEvent } from "../../views/panels/timeline/timeline_layout.ts";
import { entryId } from "../../views/shared/addresses.ts";

/** Merges the rows of `selectRecent` in the order of time. */
export function eventsOf(writes: Row[], messages: Row[]): TimelineEvent[] {
  const events: TimelineEvent[] = [];
  for (const row of messages) {
    const [id, at] = [Number(row.id), row.created_at as string];
    const [from, to, by] = [row.from_agent, row.to_agent, row.claimed_by] as Array<string | null>;
    const href = `#m${id}`;
    const label = `${id} ${from ?? "somebody"} to ${to ?? "all"}: ${row.kind} ${row.body}`;
    events.push({ id: `event/m${id}`, kind: "message", at, revision: id, from: from!, to, label, href });
    if (by !== null) {
      const claimed = `${by} claimed message ${id}`;
      events.push({
        id: `event/c${id}`,
        kind: "claim",
        at: row.claimed_at as string,
        revision: id,
        from: by!,
        label: claimed,
        href,
      });
    }
  }
  for (const row of writes) {
    const { scope, key, version, deleted } = row as Record<string, string>;
    const verb = deleted ? "deleted" : "wrote";
    const label = `${row.updated_by ?? "somebody"} ${verb} ${scope}/${key}, version ${version}`;
    events.push({
      id: `event/${entryId(scope!, key!)}`,
      kind: "write",
      at: row.updated_at as string,
      revision: Number(row.revision),
      from: row.updated_by as string | null,
      label,
      href: `#${entryId(scope!, key!)}`,
    });
  }
  const before = (a: TimelineEvent, b: TimelineEvent) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : a.revision - b.revision;
  return events.sort(before).slice(-EVENTS_SHOWN);
}
