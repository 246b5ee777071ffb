import type { JudgedCondition } from "../../cel/rooms/conditions.ts";
import type { RoomContext } from "../../cel/rooms/context.ts";
import { NOTHING } from "../../cel/rooms/definitions.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import { scopesWith } from "../../cel/rooms/scopes.ts";
import type { Reads } from "../../cel/language/dependencies.ts";
import { FAMILY_NAMES } from "../../cel/language/families.ts";
import type { MessageReads } from "../../cel/language/message_reads.ts";
import { toJson } from "../../cel/language/values.ts";
import { toCut } from "../../db/snapshots/page_queries.ts";
import { SHARED_SCOPE, VIEW_SCOPE } from "../../db/state/entry.ts";
import type { Row } from "../../db/driver/statement.ts";
import type { AgentView, ConditionView, PresentView, WholeView } from "../../views/panels/agents/model.ts";
import { agentId, entryId, scopeId } from "../../views/shared/addresses.ts";
import { shownOf } from "./shown.ts";

type Key = { scope: string; key: string };

const nameOf = ({ scope, key }: Key) => JSON.stringify([scope, key]);

/**
 * Returns the keys that any of the reads names, each once. Their union would not do: it drops the keys of a scope that
 * one of them reads whole.
 */
export function keysNamed(list: Reads[]): Key[] {
  const keys = list.flatMap(({ state }) => state === "all" ? [] : state.keys);
  return [...new Map(keys.map((key) => [nameOf(key), key])).values()];
}

/**
 * Shows for each part of a condition what it reads, and on whom it depends. `data` holds all that the parts read,
 * `rows` the entries of `keys`.
 */
export async function conditionViews(
  { data, context, keys, rows, agents }: {
    data: RoomData;
    context: RoomContext;
    keys: Key[];
    rows: Row[];
    agents: AgentView[];
  },
): Promise<(judged: JudgedCondition) => ConditionView> {
  const known = new Map(agents.map((agent) => [agent.id, agent]));
  const presentKeys = await viewKeys(data, context, keys, rows);

  function presents(source: string, { state, agents: ids, messages, facts }: Reads): PresentView[] {
    return [
      ...(state === "all" ? [] : state.keys.map((key) => presentKeys.get(nameOf(key))!)),
      ...(ids === "all" ? [] : ids.flatMap((id) => {
        const agent = known.get(id);
        return agent ? { name: id, href: `#${agentId(id)}`, shown: { value: agent.status } } : [];
      })),
      ...(messages ? messagesRead(source, facts, data) : []),
    ];
  }

  function wholes({ state, agents: ids }: Reads): WholeView[] {
    return [
      ...(state === "all" ? [{ of: "state" as const, count: sizeOf(data) }] : state.scopes.map((scope) => ({
        of: "scope" as const,
        scope,
        href: `#${scopeId(scope)}`,
        count: sizeOf(data, scope),
      }))),
      ...(ids === "all" ? [{ of: "agents" as const, count: agents.length }] : []),
    ];
  }

  return function view(judged): ConditionView {
    if ("all" in judged) return { all: judged.all.map(view), truth: judged.truth };
    if ("any" in judged) return { any: judged.any.map(view), truth: judged.truth };
    const { reads = NOTHING, ...part } = judged;
    const scopes = reads.state === "all"
      ? []
      : [...reads.state.scopes, ...reads.state.keys.map(({ scope }) => scope)];
    const named = reads.agents === "all" ? [] : reads.agents;
    const owners = new Set([...named, ...scopes.filter((scope) => known.has(scope))]);
    return {
      ...part,
      present: presents(part.source, reads),
      whole: wholes(reads),
      awaits: part.truth ? [] : [...owners].filter((id) => known.has(id)),
      absent: named.filter((id) => !known.has(id)),
    };
  };
}

/** Shows the present value of each key. A key with neither a row nor a definition is not set. */
async function viewKeys({ definitions }: RoomData, context: RoomContext, keys: Key[], rows: Row[]) {
  const found = new Map(rows.map((row) => [nameOf(row as unknown as Key), row]));
  const isView = ({ scope, key }: Key) => scope === VIEW_SCOPE && definitions.has(key);
  const results = await context.views(keys.filter(isView).map(({ key }) => key));
  return new Map(keys.map((one): [string, PresentView] => {
    const { scope, key } = one;
    const name = scope === SHARED_SCOPE ? key : `${scope}.${key}`;
    const href = `#${entryId(scope, key)}`;
    const row = found.get(nameOf(one));
    const result = isView(one) ? results.get(key) : undefined;
    if (result && "error" in result) return [nameOf(one), { name, href, failure: result.error.message }];
    if (result) return [nameOf(one), { name, href, shown: shownOf(result.value) }];
    if (row === undefined) return [nameOf(one), { name }];
    const [by, at] = [row.updated_by as string | null, row.updated_at as string];
    return [nameOf(one), { name, href, shown: toCut(row), by, at }];
  }));
}

/** Shows what is read of messages: the members that a source names, both counts if it names none. */
function messagesRead(source: string, { last, ...read }: MessageReads, data: RoomData): PresentView[] {
  const { facts: { families, last: newest }, snapshot: { counts } } = data;
  const names = (name: string) => new RegExp(`messages\\W+${name}\\b`).test(source);
  const all = [...Object.entries(counts), ...(last ? [["last", newest ?? 0] as const] : [])];
  const shown = all.filter(([name]) => names(name));
  const members = FAMILY_NAMES.flatMap((family) =>
    read[family].flatMap((name) => {
      const path = typeof name === "number" ? `messages.${family}[${name}]` : `messages.${family}.${name}`;
      const record = families[family].get(name);
      if (record === undefined) return [{ name: path }];
      return [...record].filter(([field]) => new RegExp(`(?<!messages)\\.${field}\\b`).test(source))
        .map(([field, value]) => ({ name: `${path}.${field}`, shown: shownOf(toJson(value)) }));
    })
  );
  const some = shown.length + members.length > 0 ? shown : Object.entries(counts);
  return [...some.map(([name, value]) => ({ name: `messages.${name}`, shown: { value } })), ...members];
}

/** Counts the keys of a scope that was loaded whole, or of the whole state. */
function sizeOf(data: RoomData, scope?: string): number {
  const { definitions, snapshot: { agentIds } } = data;
  const scopes = scopesWith(data, agentIds, (_, seen) => seen);
  if (scope === VIEW_SCOPE) return definitions.size;
  if (scope !== undefined) return scopes.get(scope)?.size ?? 0;
  return [...scopes.values()].reduce((sum, { size }) => sum + size, definitions.size);
}
