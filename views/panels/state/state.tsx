import { agentId, entryId, hue, scopeId } from "../../shared/addresses.ts";
import { Copy } from "../../shared/copy.tsx";
import type { Markup } from "../../shared/layout.tsx";
import { Ago, Left } from "../../shared/times.tsx";
import { type Shown, Source, Value } from "../../shared/values.tsx";
import { Verified } from "../../shared/verified.tsx";
import type { AgentView } from "../agents/model.ts";
import { Gone } from "../gone.tsx";
import type { Panel, RoomLook } from "../panel.ts";
import style from "./state.css" with { type: "text" };
import state from "./state.js" with { type: "text" };

export interface ScopeView {
  scope: string;
  entries: EntryView[];
  total: number;
}

export interface EntryView {
  scope: string;
  key: string;
  shown: Shown;
  version: number;
  updated_at: string;
  updated_by: string | null;
  /** It was written under the writer's own token, or an admin's. */
  verified_by: boolean;
  /** When it is deleted; null where it stays. */
  expires_at: string | null;
  expr?: string;
  /** Of a view: the agent with whose eyes it is computed; null for everybody's. */
  as?: string | null;
  /** Why a computed view has no value, and where in its expression. */
  error?: { code: string; message: string; position?: number };
}

/** The scopes of a room, each with the first of its entries. */
export interface StateShown {
  scopes: ScopeView[];
}

/** All computed views, and the other entries that were written or deleted. */
export interface StateChanged {
  views: EntryView[];
  entries: EntryView[];
  gone: Array<{ scope: string; key: string }>;
}

export const STATE: Panel<RoomLook & StateShown, RoomLook & StateChanged> = {
  id: "state",
  name: "State",
  place: "right",
  style,
  scripts: { state },
  async section({ id, now, scopes, agents }, each) {
    const drawn: Markup[] = [];
    for (const scope of scopes) {
      const entries = await each(scope.entries, (entry) => <Entry entry={entry} now={now} room={id} />);
      drawn.push(
        ...await each(
          [scope],
          () => <Scope scope={scope} drawn={entries} isPrivate={isPrivate(agents, scope.scope)} />,
        ),
      );
    }
    return (
      <section id="state" aria-labelledby="state-title">
        <h2 id="state-title">State</h2>
        <div id="scopes" class="scopes">{drawn}</div>
        <p class="quiet when-empty">Nothing is shared yet.</p>
      </section>
    );
  },
  fragments({ id: room, now, agents, views, entries, gone }) {
    const scopes = new Set([...entries, ...views].map(({ scope }) => scope));
    const fragmentOf = (entry: EntryView) => ({
      id: entryId(entry.scope, entry.key),
      draw: () => <Entry entry={entry} room={room} now={now} />,
    });
    return [
      // A scope is sent before its entries; a page that has it keeps it.
      ...[...scopes].map((scope) => ({
        id: scopeId(scope),
        draw: () => <Scope scope={{ scope, total: 0 }} isPrivate={isPrivate(agents, scope)} />,
      })),
      ...views.map(fragmentOf),
      ...entries.map((entry) => ({ ...fragmentOf(entry), once: true })),
      ...gone.map(({ scope, key }) => entryId(scope, key)).map((id) => ({
        id,
        draw: () => <Gone id={id} />,
        once: true,
      })),
    ];
  },
};

function isPrivate(agents: AgentView[], scope: string): boolean {
  return agents.some(({ id, isPrivate }) => isPrivate && id === scope);
}

/** A scope; `drawn`: the first of its entries, each as `Entry` draws it. Without any, the empty list. */
function Scope({ scope: { scope, total }, isPrivate, drawn = [] }: {
  scope: Omit<ScopeView, "entries">;
  isPrivate: boolean;
  drawn?: Markup[];
}) {
  const hidden = total - drawn.length;
  return (
    <section
      id={scopeId(scope)}
      class="scope"
      data-scope={scope}
      data-into="scopes"
      aria-label={`Scope ${scope}`}
    >
      <h3>
        {scope.startsWith("_") ? scope : (
          <a href={`#${agentId(scope)}`} class={hue(scope)}>
            <span class="dot" aria-hidden="true" />
            {scope}
          </a>
        )}
        {isPrivate && <span class="quiet">private</span>}
        {scope === "_view" && <span class="quiet">computed</span>}
      </h3>
      <ul class="entries" id={`entries/${encodeURIComponent(scope)}`}>
        {drawn}
      </ul>
      {hidden > 0 && (
        <p class="more scripted">
          <button type="button" data-load="entries" data-scope={scope}>
            Show more of {total} keys (<span data-count>{hidden}</span>)
          </button>
        </p>
      )}
    </section>
  );
}

export function Entry({ entry, room, now }: { entry: EntryView; room: string; now: Date }) {
  const { scope, key, shown, version, updated_at, updated_by, verified_by, expires_at, expr, as, error } =
    entry;
  const query = new URLSearchParams({ scope, key, ...(expr === undefined ? {} : { resolve: "true" }) });
  const source = `/rooms/${encodeURIComponent(room)}/state?${query}`;
  return (
    <li
      id={entryId(scope, key)}
      class="entry"
      data-into={`entries/${encodeURIComponent(scope)}`}
      data-key={key}
      data-get={source}
      tabindex={-1}
    >
      <p class="head">
        <a class="key" href={`#${entryId(scope, key)}`}>{key}</a>
        <span class="spring" />
        <Copy />
        {expires_at !== null && <Left at={expires_at} now={now} />}
        <span class="quiet">v{version}</span>
        {updated_by !== null && (
          <span class={`by ${hue(updated_by)}`} title={`written by ${updated_by}`}>
            <span class="dot" aria-hidden="true" />
            <span class="visually-hidden">by {updated_by},</span>
          </span>
        )}
        {verified_by && <Verified what={`written under the token of ${updated_by}, or an admin's`} />}
        <Ago at={updated_at} now={now} />
      </p>
      <div class="value">
        {error
          ? (
            <p class="error">
              {error.position === undefined ? "error" : `error at ${error.position}`}: {error.message}
            </p>
          )
          : <Value shown={shown} source={source} />}
      </div>
      {expr !== undefined && (
        <p class="expr">
          <span class="quiet" aria-hidden="true">=</span> <Source text={expr} position={error?.position} />
          {as && <SeenBy agent={as} />}
        </p>
      )}
    </li>
  );
}

/** Tells with whose eyes a view is computed, which may see what its reader may not. */
function SeenBy({ agent }: { agent: string }) {
  return (
    <span class="seen-by">
      {" as seen by "}
      <a href={`#${agentId(agent)}`} class={`name ${hue(agent)}`}>
        <span class="dot" aria-hidden="true" />
        {agent}
      </a>
    </span>
  );
}
