import { agentId, hue } from "../../shared/addresses.ts";
import { Ago } from "../../shared/times.tsx";
import { Inline, Short, Source } from "../../shared/values.tsx";
import { Verified } from "../../shared/verified.tsx";
import { Gone } from "../gone.tsx";
import type { Panel, RoomLook } from "../panel.ts";
import style from "./agents.css" with { type: "text" };
import type { AgentView, ConditionView, PartView, PresentView, WholeView } from "./model.ts";

export const AGENTS_SHOWN = 200;

/** The ids of agents that left since. */
export interface AgentsLeft {
  left: string[];
}

export const AGENTS: Panel<RoomLook, RoomLook & AgentsLeft> = {
  id: "agents",
  name: "Agents",
  place: "left",
  style,
  async section({ agents, now }, each) {
    return (
      <section id="agents" aria-labelledby="agents-title">
        <h2 id="agents-title">Agents</h2>
        <ul id="agent-list" class="agents">
          {await each(agents.slice(0, AGENTS_SHOWN), (agent) => <Agent agent={agent} now={now} />)}
        </ul>
        <HiddenAgents agents={agents} />
        <p class="quiet when-empty">Nobody has joined yet.</p>
      </section>
    );
  },
  fragments: ({ agents, now, left }) => [
    ...agents.slice(0, AGENTS_SHOWN).map((agent) => ({
      id: agentId(agent.id),
      draw: () => <Agent agent={agent} now={now} />,
    })),
    ...left.map(agentId).map((id) => ({ id, draw: () => <Gone id={id} />, once: true })),
    { id: "agents-hidden", draw: () => <HiddenAgents agents={agents} /> },
  ],
};

/** How many agents the list does not show; it changes while the page is open. */
function HiddenAgents({ agents }: { agents: AgentView[] }) {
  const hidden = agents.length - AGENTS_SHOWN;
  return (
    <p id="agents-hidden" class="quiet">
      {hidden > 0 && `${hidden} more ${hidden === 1 ? "agent is" : "agents are"} not shown.`}
    </p>
  );
}

/** One agent: who it is, what it does, and if it waits, why. */
function Agent({ agent, now }: { agent: AgentView; now: Date }) {
  const { id, name, role, status, stale, away, last_heartbeat, waiting_on, condition, wants, secure } = agent;
  const shown = stale ? "stale" : status;
  return (
    <li id={agentId(id)} class={`agent ${hue(id)} is-${shown}`} data-into="agent-list" tabindex={-1}>
      <p class="head">
        <span class="dot" aria-hidden="true" />
        <a href={`#${agentId(id)}`} class="name">
          <Short text={id} />
        </a>
        {secure && <Verified what="nobody acts as it without its token or an admin's" />}
        {name !== id && <Short text={name} />}
        <span class="quiet">
          <Short text={role} />
        </span>
      </p>
      <p class="status">
        <Mark status={shown} />
        <span class="word">{stale ? `${status}, stale` : away ? `${status}, away` : status}</span>
        <Ago at={last_heartbeat} now={now} />
      </p>
      {condition && <Condition condition={condition} now={now} />}
      {wants && <Wants wants={wants} />}
      {waiting_on !== null && !condition && !wants && <Source text={waiting_on} />}
    </li>
  );
}

const MARKS: Record<string, string> = {
  active: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  busy: "M3 3h10v10H3Z",
  waiting: "M3 2h10v2L9 8l4 4v2H3v-2l4-4-4-4Z",
  idle: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  stale: "m8 1 7.5 14H.5ZM7 6v4h2V6Zm0 5.5v2h2v-2Z",
};

/** Shows a status as a shape, for readers who cannot tell the colours apart. */
function Mark({ status }: { status: string }) {
  return (
    <svg class="mark" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path fill-rule="evenodd" d={MARKS[status] ?? MARKS.idle} />
    </svg>
  );
}

/** Shows what an agent waits for other than a condition. */
function Wants({ wants }: { wants: NonNullable<AgentView["wants"]> }) {
  if ("paths" in wants) {
    return (
      <p class="condition">
        to reserve <code>{wants.paths}</code>: see the <a href="#reservations">reserved paths</a>
      </p>
    );
  }
  if (wants.task === "") return <p class="condition">for a task to take</p>;
  return (
    <p class="condition">
      for a message of kind <code>{wants.task}</code> to take
    </p>
  );
}

function Condition({ condition, now }: { condition: ConditionView; now: Date }) {
  if ("source" in condition) {
    return (
      <ul class="condition">
        <Part part={condition} now={now} />
      </ul>
    );
  }
  const [word, parts] = "all" in condition ? ["all of", condition.all] : ["any of", condition.any];
  const open = parts.filter(({ truth }) => truth !== true);
  return (
    <div class="condition">
      <p class="quiet">{word}</p>
      <ul>
        {parts.map((part) =>
          "source" in part
            ? (
              <Part
                part={part}
                now={now}
                alone={"all" in condition && open.length === 1 && open[0] === part}
              />
            )
            : (
              <li>
                <Condition condition={part} now={now} />
              </li>
            )
        )}
      </ul>
    </div>
  );
}

/** Shows a part of a condition with its present truth. `alone`: it is the only part that is not true. */
function Part({ part, now, alone = false }: { part: PartView; now: Date; alone?: boolean }) {
  const { source, truth, error, present, whole, awaits, absent, value } = part;
  const [sign, word] = truth === undefined ? ["?", "unknown"] : truth ? ["✓", "true"] : ["✗", "false"];
  // What is not set or fails says by itself why there is no value.
  const explained = error?.code === "no_such_key" && (absent.length > 0 || present.some((one) => !one.shown));
  return (
    <li class={`part is-${word}${alone ? " is-last" : ""}`}>
      <p>
        <span class="sign" role="img" aria-label={word}>{sign}</span>
        <Source text={source} />
      </p>
      {present.map((one) => <Present present={one} now={now} />)}
      {whole.map((one) => <Whole whole={one} />)}
      {present.length === 0 && value !== undefined && !truth && (
        <p class="present">
          is <Inline shown={{ value }} />
        </p>
      )}
      {error && !explained && <p class="present error">{error.message}</p>}
      {truth === undefined && !error && <p class="present">not evaluated here: it takes too long to show</p>}
      {awaits.map((id) => (
        <p class={`present awaits ${hue(id)}`}>
          <span aria-hidden="true">→</span> waiting for{" "}
          <a href={`#${agentId(id)}`}>
            <span class="dot" aria-hidden="true" />
            {id}
          </a>
        </p>
      ))}
      {absent.map((id) => (
        <p class={`present${truth ? "" : " error"}`}>no agent {JSON.stringify(id)} has joined</p>
      ))}
    </li>
  );
}

function Present({ present, now }: { present: PresentView; now: Date }) {
  const { name, href, shown, failure, by, at } = present;
  return (
    <p class="present">
      {href ? <a href={href} class="mono">{name}</a> : <span class="mono">{name}</span>} {shown
        ? (
          <>
            is <Inline shown={shown} />
          </>
        )
        : failure === undefined
        ? <span>is not set</span>
        : <span class="error">fails: {failure}</span>}
      {at && (
        <span class="quiet">
          {", set "}
          {by && `by ${by} `}
          <Ago at={at} now={now} /> ago
        </span>
      )}
    </p>
  );
}

/** Of what is read whole, shows only the size. */
function Whole({ whole }: { whole: WholeView }) {
  const keys = `${whole.count} ${whole.count === 1 ? "key" : "keys"}`;
  if (whole.of === "state") return <p class="present">reads the whole state ({keys})</p>;
  if (whole.of === "agents") return <p class="present">reads all agents ({whole.count})</p>;
  return (
    <p class="present">
      reads all of <a href={whole.href} class="mono">{whole.scope}</a> ({keys})
    </p>
  );
}
