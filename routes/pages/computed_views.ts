import { compile, type Context, EvaluationFailed } from "../../cel/rooms/expression.ts";
import type { RoomContext } from "../../cel/rooms/context.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import type { Json } from "../../db/json.ts";
import type { Row } from "../../db/driver/statement.ts";
import { eyesOf, VIEW_SCOPE } from "../../db/state/entry.ts";
import { isBusy, mapYielding, yieldToOthers } from "../../db/yield.ts";
import type { EntryView, ScopeView } from "../../views/panels/state/state.tsx";
import { entryHead, shownOf } from "./shown.ts";

/** Adds the views to the scopes in which they are stored; puts the scopes of the system before those of agents. */
export function withComputed(scopes: ScopeView[], views: EntryView[]): ScopeView[] {
  const others = scopes.filter(({ scope }) => scope !== VIEW_SCOPE);
  const computed = { scope: VIEW_SCOPE, entries: views, total: views.length };
  return [...others, ...(views.length > 0 ? [computed] : [])].sort(byScope);
}

function byScope(a: { scope: string }, b: { scope: string }): number {
  const rank = (scope: string) => scope.startsWith("_") ? 0 : 1;
  return rank(a.scope) - rank(b.scope) || (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0);
}

/** A view's value, or its error and the position of that. */
type Computed = { value: Json } | { error: { code: string; message: string; position?: number } };

export async function computeViews(
  context: RoomContext,
  { definitions }: RoomData,
): Promise<Map<string, Computed>> {
  const computed = new Map<string, Computed>();
  for (const [name, result] of await context.views(definitions.keys())) {
    if ("error" in result && isBusy()) await yieldToOthers(); // finding the position evaluates it again
    const seen = "error" in result ? context.ofView(name) : undefined;
    const position = seen && positionOf(definitions.get(name)!.source, seen);
    computed.set(name, "error" in result ? { error: { ...result.error, position } } : result);
  }
  return computed;
}

/** Returns a room's views with what `computeViews` found. */
export async function viewEntries(
  rows: Row[],
  computed: ReadonlyMap<string, Computed>,
): Promise<EntryView[]> {
  return await mapYielding(rows, (row) => {
    const result = computed.get(row.key as string);
    return {
      ...entryHead(VIEW_SCOPE, row),
      shown: shownOf(result && "value" in result ? result.value : null),
      expr: row.expr as string,
      as: eyesOf(row),
      ...(result && "error" in result && { error: result.error }),
    };
  });
}

/** Returns the position at which an expression fails; undefined if it has none. */
function positionOf(source: string, context: Context): number | undefined {
  try {
    compile(source).evaluate(context);
  } catch (error) {
    if (error instanceof EvaluationFailed) return error.position;
  }
  return undefined;
}
