import { html } from "hono/html";
import { layout, type Markup } from "./layout.ts";

export interface RoomView {
  id: string;
  revision: number;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
  /** The newest ones, newest first. */
  messages: MessageView[];
  entries: EntryView[];
  views: Map<string, { value: unknown } | { error: { message: string } }>;
  now: Date;
}

interface AgentView {
  id: string;
  name: string;
  role: string;
  status: string;
  waiting_on: string | null;
  last_heartbeat: string;
}

interface MessageView {
  id: number;
  from_agent: string | null;
  to_agent: string | null;
  kind: string;
  body: unknown;
  created_at: string;
  reply_to: number | null;
  claimed_by: string | null;
}

interface EntryView {
  scope: string;
  key: string;
  value: unknown;
  expr?: string;
  version: number;
  updated_at: string;
}

const RELOAD_SECONDS = 5;

/** A room as it is now, for people; it asks for itself again every few seconds. */
export function roomPage(room: RoomView): Markup {
  const waiting = room.agents.filter(({ status }) => status === "waiting").length;
  return layout({
    title: `Room ${room.id}`,
    reload: RELOAD_SECONDS,
    body: html`
      <header class="health">
        <h1>Convene</h1><span>room <code>${room.id}</code></span>
        <span class="quiet">revision ${room.revision}</span>
        <span class="quiet">${room.agents.length} agents, ${waiting} waiting</span>
        <span class="quiet">${room.counts.count} messages, ${room.counts.unclaimed} unclaimed</span>
      </header>
      <main class="room">
        <section aria-label="Agents"><h2>Agents</h2>${room.agents.map((agent) =>
          agentCard(agent, room.now)
        )}</section>
        <section aria-label="Messages"><h2>Messages, newest first</h2>${room.messages.map((message) =>
          messageCard(message, room.now)
        )}${hiddenMessages(room)}</section>
        <section aria-label="State"><h2>State</h2>${scopes(room)}</section>
      </main>
    `,
  });
}

export function unknownRoomPage(id: string, address: string): Markup {
  return layout({
    title: "No such room",
    body: html`
      <main class="prose">
        <h1>There is no room <code>${id}</code></h1>
        <p>Create it, then reload this page:</p>
        <pre>curl -X POST ${address}/rooms -d '${JSON.stringify({ id })}'</pre>
        <p><a href="/">How Convene works</a></p>
      </main>
    `,
  });
}

function agentCard(agent: AgentView, now: Date): Markup {
  const { status, waiting_on } = agent;
  return html`
    <div
      class="card"><p><strong>${agent.name}</strong> <code>${agent.id}</code> <span class="quiet">${agent
        .role}</span></p>
      <p><span class="status-${status}">${status}</span> <span class="quiet">${ago(
        agent.last_heartbeat,
        now,
      )}</span></p>
      ${waiting_on ? html`<pre>${waiting_on}</pre>` : ""}</div>
  `;
}

function messageCard(message: MessageView, now: Date): Markup {
  const claim = message.claimed_by === null ? "" : html`
    <span>claimed by ${message.claimed_by}</span>
  `;
  const reply = message.reply_to === null ? "" : html`
    <a href="#m${message.reply_to}">answers ${message.reply_to}</a>
  `;
  return html`
    <article class="card" id="m${message.id}">
      <p><span class="quiet">${message.id}</span> <strong>${message.from_agent ??
        "somebody"}</strong> to ${message.to_agent ?? "all"}
      <code>${message.kind}</code>${reply}${claim} <span class="quiet">${ago(
        message.created_at,
        now,
      )}</span></p>
      <pre>${shown(message.body)}</pre>
    </article>
  `;
}

function hiddenMessages({ counts, messages }: RoomView): Markup | string {
  const hidden = counts.count - messages.length;
  return hidden > 0 ? html`<p class="quiet">${hidden} older messages are not shown.</p>` : "";
}

function scopes({ entries, views, now }: RoomView): Markup[] {
  const names = [...new Set(entries.map(({ scope }) => scope))];
  return names.map((scope) =>
    html`<h3>${scope}</h3>${
      entries.filter((entry) => entry.scope === scope).map((entry) => entryCard(entry, views, now))
    }`
  );
}

function entryCard(entry: EntryView, views: RoomView["views"], now: Date): Markup {
  const view = entry.expr === undefined ? undefined : views.get(entry.key);
  const value = view && "error" in view
    ? html`<p class="error">${view.error.message}</p>`
    : html`<pre>${shown(view?.value ?? entry.value)}</pre>`;
  return html`
    <div
      class="card"><p><strong class="mono">${entry.key}</strong> <span class="quiet">v${entry.version}, ${ago(
        entry.updated_at,
        now,
      )}</span></p>
      ${value}${entry.expr === undefined ? "" : html`<pre class="quiet">= ${entry.expr}</pre>`}</div>
  `;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** How long ago a time was, in its largest unit. */
function ago(time: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}
