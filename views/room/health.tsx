import type { AgentView } from "../panels/agents/model.ts";
import type { Holder } from "../panels/panel.ts";
import { agentId, hue } from "../shared/addresses.ts";

/** As whom the page is shown, where it is under a token. */
export function You({ you: { agent, role } }: { you: Holder }) {
  return (
    <p id="you" class="you">
      <span class="quiet">you are</span> {agent === null ? <b>{withArticle(role)}</b> : (
        <>
          <a href={`#${agentId(agent)}`} class={`name ${hue(agent)}`}>
            <span class="dot" aria-hidden="true" />
            {agent}
          </a>
          {role !== "member" && <span class="quiet">{` ${role}`}</span>}
        </>
      )}
    </p>
  );
}

/** "an admin", "a reader". */
export function withArticle(role: Holder["role"]): string {
  return `${role === "admin" ? "an" : "a"} ${role}`;
}

/** The figures at the top of the page, which any change may affect. */
export function Counts({ revision, agents, counts }: {
  revision: number;
  agents: AgentView[];
  counts: { count: number; unclaimed: number };
}) {
  const waiting =
    agents.filter(({ waiting_on, status }) => waiting_on !== null || status === "waiting").length;
  const stale = agents.filter((agent) => agent.stale).length;
  const figures: Array<[number, string, string, string?]> = [
    [revision, "revision", "rev"],
    [agents.length, agents.length === 1 ? "agent" : "agents", "agents"],
    [waiting, "waiting", "waiting", waiting > 0 ? "is-waiting" : ""],
    [stale, "stale", "stale", stale > 0 ? "is-stale" : ""],
    [counts.count, counts.count === 1 ? "message" : "messages", "messages"],
    [counts.unclaimed, "unclaimed", "unclaimed"],
  ];
  return (
    <ul
      id="counts"
      class="counts"
      data-revision={String(revision)}
      data-messages={String(counts.count)}
      data-unclaimed={String(counts.unclaimed)}
      data-empty={String(revision === 0 && agents.length === 0 && counts.count === 0)}
    >
      {figures.map(([figure, word, name, mark]) => (
        <li class={`count-${name} ${mark ?? ""}`} title={name === "unclaimed" ? UNCLAIMED : undefined}>
          {name === "rev" ? "rev " : ""}
          <b>{figure.toLocaleString("en")}</b>
          {name === "rev" ? "" : ` ${word}`}
        </li>
      ))}
    </ul>
  );
}

/** What that figure counts, since its word may be taken for something else. */
const UNCLAIMED = "Messages that nobody has claimed, plain ones too: messages.unclaimed in conditions";

/** Shows whether the page is live, or since when it is not; the script updates it. */
export function Live({ now }: { now: Date }) {
  return (
    <p id="live" class="live" data-state="still">
      <span class="lamp" aria-hidden="true" />
      <span data-word>as of {now.toISOString().slice(11, 19)} UTC</span>
    </p>
  );
}
