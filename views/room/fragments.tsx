import type { AgentView, EntryView, MessageView, TimelineView } from "../model.ts";
import { agentId, entryId, messageId, scopeId } from "../shared/addresses.ts";
import { Agent, AGENTS_SHOWN, HiddenAgents } from "../panels/agents/agents.tsx";
import { Counts } from "./health.tsx";
import { Message } from "../panels/messages/messages.tsx";
import { Entry, Gone, Scope } from "../panels/state/state.tsx";
import { TimelineFigure } from "../panels/timeline/timeline.tsx";

/** A piece of the page, which takes the place of what has its id. `once`: it is new whatever it says. */
export interface Fragment {
  id: string;
  html: string;
  once?: boolean;
}

/** One that is still to be drawn. */
export type Undrawn = Omit<Fragment, "html"> & { draw: () => Markup };

/** What of a room may move with any change: who is there and why they wait, what is computed, what happened. */
export interface Live {
  revision: number;
  now: Date;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
  views: EntryView[];
  timeline: TimelineView;
}

interface Changed {
  messages: MessageView[];
  answered: MessageView[];
  entries: EntryView[];
  gone: Array<{ scope: string; key: string }>;
}

/** What of the page may have changed, to be drawn piece by piece by the views that drew it at first. */
export function fragmentsOf(
  room: string,
  live: Live,
  { messages, answered, entries, gone }: Changed,
): Undrawn[] {
  const { now, agents, views, timeline } = live;
  const scopes = new Set([...entries, ...views].map(({ scope }) => scope));
  return [
    fragment("counts", () => <Counts {...live} />),
    ...agents.slice(0, AGENTS_SHOWN).map((agent) =>
      fragment(agentId(agent.id), () => <Agent agent={agent} now={now} />)
    ),
    fragment("agents-hidden", () => <HiddenAgents hidden={Math.max(0, agents.length - AGENTS_SHOWN)} />),
    // A scope comes before its entries; where it is there already it is left as it is.
    ...[...scopes].map((scope) => fragment(scopeId(scope), () => <Scope scope={{ scope, total: 0 }} />)),
    ...views.map((entry) =>
      fragment(entryId(entry.scope, entry.key), () => <Entry entry={entry} room={room} now={now} />)
    ),
    ...messages.map((message) =>
      once(messageId(message.id), () => <Message message={message} now={now} room={room} known={answered} />)
    ),
    ...entries.map((entry) =>
      once(entryId(entry.scope, entry.key), () => <Entry entry={entry} room={room} now={now} />)
    ),
    ...gone.map(({ scope, key }) => once(entryId(scope, key), () => <Gone id={entryId(scope, key)} />)),
    fragment("timeline-figure", () => <TimelineFigure view={timeline} now={now} />),
  ];
}

type Markup = ReturnType<typeof Counts>;

function fragment(id: string, draw: () => Markup): Undrawn {
  return { id, draw };
}

function once(id: string, draw: () => Markup): Undrawn {
  return { id, draw, once: true };
}
