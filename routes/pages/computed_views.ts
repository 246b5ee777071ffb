import { compile, EvaluationFailed } from "../../cel/language/expression.ts";
import { createContext, type RoomContext } from "../../cel/rooms/context.ts";
import type { RoomData } from "../../cel/rooms/reader.ts";
import type { Row } from "../../db/driver/statement.ts";
import { VIEW_SCOPE } from "../../db/state/entry.ts";
import { mapYielding } from "../../db/yield.ts";
import type { EntryView, ScopeView } from "../../views/panels/state/state.tsx";
import { shownOf } from "./shown.ts";

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

/** Returns a room's views with their values, or with their errors and the positions of these. */
export async function viewEntries(rows: Row[], data: RoomData): Promise<EntryView[]> {
  const context = createContext(data);
  const results = await context.views(data.definitions.keys());
  return await mapYielding(rows, (row) => {
    const result = results.get(row.key as string);
    const failed = result && "error" in result ? result.error : undefined;
    return {
      scope: VIEW_SCOPE,
      key: row.key as string,
      shown: shownOf(result && "value" in result ? result.value : null),
      version: Number(row.version),
      updated_at: row.updated_at as string,
      updated_by: row.updated_by as string | null,
      expr: row.expr as string,
      ...(failed && { error: { ...failed, position: positionOf(row.expr as string, context) } }),
    };
  });
}

/** Returns the position at which an expression fails; undefined if it has none. */
function positionOf(source: string, context: RoomContext): number | undefined {
  try {
    compile(source).evaluate(context.from({ self: null }).context);
  } catch (error) {
    if (error instanceof EvaluationFailed) return error.position;
  }
  return undefined;
}
