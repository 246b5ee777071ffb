import { curlOf, quoted } from "../../shared/addresses.ts";
import { CopyText } from "../../shared/copy.tsx";
import { type Shown, Source, Value } from "../../shared/values.tsx";
import { AGENTS_SHOWN } from "../agents/agents.tsx";
import type { AgentView } from "../agents/model.ts";
import type { Access, Holder, Panel, RoomLook } from "../panel.ts";
import style from "./console.css" with { type: "text" };
import console from "./console.js" with { type: "text" };

export interface EvaluationView {
  expr: string;
  agent: string | null;
  shown?: Shown;
  error?: { code: string; message: string; hint?: string; position?: number };
}

/** What was evaluated, where the form was sent without the script. */
export interface Evaluated extends Access {
  address: string;
  evaluation?: EvaluationView;
}

/** Evaluates expressions against the room: without the script by loading the page again. */
export const CONSOLE: Panel<RoomLook & Evaluated> = {
  id: "console",
  name: "Console",
  place: "corner",
  style,
  scripts: { console },
  section: ({ id, address, agents, evaluation, you }) => (
    <section id="console" aria-labelledby="console-title">
      <h2 id="console-title">Console</h2>
      <form id="console-form" method="get" action="/">
        <input type="hidden" name="room" value={id} />
        <label class="wide">
          <span class="visually-hidden">Expression</span>
          <input
            name="expr"
            class="mono"
            value={evaluation?.expr ?? ""}
            placeholder="state._shared.phase == &quot;done&quot;"
            maxlength={4096}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            required
          />
        </label>
        <label>
          <span class="quiet">as</span>
          <select name="agent" id="console-agent">
            <option value="">nobody</option>
            {agents.slice(0, AGENTS_SHOWN).map((agent) => (
              <Self agent={agent} selected={(evaluation?.agent ?? you?.agent) === agent.id} you={you} />
            ))}
            {agents.length > AGENTS_SHOWN && (
              <option disabled>{agents.length - AGENTS_SHOWN} more agents are not listed</option>
            )}
          </select>
        </label>
        <button type="submit">Evaluate</button>
      </form>
      <div id="evaluation" role="status">
        {evaluation
          ? <Evaluation evaluation={evaluation} address={address} room={id} needsToken={you !== undefined} />
          : <p class="quiet">A CEL expression over state, agents, messages, self and now.</p>}
      </div>
    </section>
  ),
};

/** An agent as which one may evaluate; one that only its token acts as says so. */
function Self({ agent: { id, secure }, selected, you }: {
  agent: AgentView;
  selected: boolean;
  you?: Holder;
}) {
  const bound = you?.agent ?? null;
  const may = you?.role === "admin" || id === bound || (bound === null && !secure);
  return (
    <option value={id} selected={selected} disabled={!may}>
      {may ? id : secure ? `${id} (needs its token)` : `${id} (not by your token)`}
    </option>
  );
}

/** What an expression came to, and the request that says the same. */
export function Evaluation({ evaluation, address, room, needsToken }: {
  evaluation: EvaluationView;
  address: string;
  room: string;
  needsToken: boolean;
}) {
  const { expr, agent, shown, error } = evaluation;
  const body = JSON.stringify({ expr, ...(agent && { agent }) });
  const curl = `${curlOf(needsToken)} ${quoted(`${address}/rooms/${encodeURIComponent(room)}/eval`)} -d ${
    quoted(body)
  }`;
  return (
    <div class="evaluation">
      {error && (
        <p>
          <Source text={expr} position={error.position} />
        </p>
      )}
      {shown && (
        <div class="result">
          <span class="quiet" aria-hidden="true">=</span>
          <Value shown={shown} />
        </div>
      )}
      {error && (
        <p class="error">
          {error.position === undefined ? "" : `At ${error.position}: `}
          {error.message}
        </p>
      )}
      {error?.hint && <p class="quiet">{error.hint}</p>}
      <CopyText text={curl} label="Copy as curl" />
    </div>
  );
}
