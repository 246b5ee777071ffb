import { StoredJson } from "../../db/json.ts";
import type { Row } from "../../db/driver/statement.ts";
import { type Message, toHead } from "../../db/messages/message.ts";
import { LONGEST, LONGEST_NOTE, toCut } from "../../db/snapshots/page_queries.ts";
import { type Entry, expiryOf } from "../../db/state/entry.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../db/yield.ts";
import type { MessageView } from "../../views/panels/messages/message.tsx";
import type { NeedView } from "../../views/panels/messages/task.tsx";
import type { ReservationView } from "../../views/panels/reservations/reservations.tsx";
import type { EntryView, ScopeView } from "../../views/panels/state/state.tsx";
import type { Shown } from "../../views/shared/values.tsx";

/** Returns a value, or the beginning of a long one. */
export function shownOf(value: unknown): Shown {
  const isStored = value instanceof StoredJson;
  const json = isStored ? value.text : JSON.stringify(value);
  if (json.length > LONGEST) return { cut: json.slice(0, LONGEST), size: json.length };
  return { value: isStored ? value.toJSON() : value };
}

export function messageView({ body, ...message }: Message): MessageView {
  return { ...message, shown: shownOf(body) };
}

/** Converts rows of messages, yielding in between. */
export function messageViews(rows: Row[]): Promise<MessageView[]> {
  return mapYielding(rows, (row) => ({ ...toHead(row), shown: toCut(row, "body") }));
}

export function needView(row: Row): NeedView {
  return { id: Number(row.id), status: row.status as NeedView["status"] };
}

export function reservationView(row: Row): ReservationView {
  return {
    id: row.id as string,
    agent: row.agent_id as string,
    paths: JSON.parse(row.paths as string),
    mode: row.mode as string,
    note: row.note === "null" ? undefined : toCut(row, "note", LONGEST_NOTE),
    expires_at: new Date(Number(row.expires_at)).toISOString(),
  };
}

/** Shows an entry of a scope, but for its value. */
export function entryHead(scope: string, row: Row): Omit<EntryView, "shown"> {
  return {
    scope,
    key: row.key as string,
    version: Number(row.version),
    updated_at: row.updated_at as string,
    updated_by: row.updated_by as string | null,
    verified_by: Boolean(row.verified),
    expires_at: expiryOf(row),
  };
}

/** Groups the rows of a window of the state by scope, yielding in between. */
export async function scopesOf(rows: Row[]): Promise<ScopeView[]> {
  const scopes = new Map<string, ScopeView>();
  for (const row of rows) {
    if (isBusy()) await yieldToOthers();
    const scope = row.scope as string;
    if (!scopes.has(scope)) scopes.set(scope, { scope, entries: [], total: Number(row.total) });
    scopes.get(scope)!.entries.push({ ...entryHead(scope, row), shown: toCut(row) });
  }
  return [...scopes.values()];
}

export function entryView({ value, ...entry }: Entry): EntryView {
  return { ...entry, shown: shownOf(value) };
}
