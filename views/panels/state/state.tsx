import type { Markup } from "../../shared/layout.tsx";
import type { EntryView, ScopeView } from "../../model.ts";
import { agentId, entryId, hue, scopeId } from "../../shared/addresses.ts";
import { Copy } from "../messages/messages.tsx";
import { Ago } from "../../shared/times.tsx";
import { Source, Value } from "../../shared/values.tsx";

/** The state; `drawn`: its scopes, each as `Scope` draws it. */
export function State({ drawn }: { drawn: Markup[] }) {
  return (
    <section id="state" aria-labelledby="state-title">
      <h2 id="state-title">State</h2>
      <div id="scopes" class="scopes">{drawn}</div>
      <p class="quiet when-empty">Nothing is shared yet.</p>
    </section>
  );
}

/** A scope; `drawn`: the first of its entries, each as `Entry` draws it. Without any, the place where they go. */
export function Scope({ scope: { scope, total }, drawn = [] }: {
  scope: Omit<ScopeView, "entries">;
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
        {scope === "_view" && <span class="quiet">computed</span>}
      </h3>
      <ul class="entries" id={`entries/${encodeURIComponent(scope)}`}>
        {drawn}
      </ul>
      {hidden > 0 && (
        <p class="more">
          <button type="button" data-load="entries" data-scope={scope} data-from={String(drawn.length)}>
            Show more of {total} keys (<span data-count>{hidden}</span>)
          </button>
        </p>
      )}
    </section>
  );
}

export function Entry({ entry, room, now }: { entry: EntryView; room: string; now: Date }) {
  const { scope, key, shown, version, updated_at, updated_by, expr, error } = entry;
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
        <span class="quiet">v{version}</span>
        {updated_by !== null && (
          <span class={`by ${hue(updated_by)}`} title={`written by ${updated_by}`}>
            <span class="dot" aria-hidden="true" />
            <span class="visually-hidden">by {updated_by},</span>
          </span>
        )}
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
        </p>
      )}
    </li>
  );
}

/** A key that is there no more: the script takes it away. */
export function Gone({ id }: { id: string }) {
  return <li id={id} data-gone="" />;
}
