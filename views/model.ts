/** What the views are given. They import no other layer, so that their data is plain. */

/** A JSON value, or the beginning of one that is too long to be shown. */
export type Shown = { value: unknown } | { cut: string; size: number };

export interface RoomView {
  id: string;
  /** Where the service is reached. */
  address: string;
  revision: number;
  now: Date;
  counts: { count: number; unclaimed: number };
  agents: AgentView[];
  /** The newest messages, oldest of them first, and how many older ones there are. */
  messages: MessageView[];
  older: number;
  /** Those that the shown ones answer. */
  answered: MessageView[];
  scopes: ScopeView[];
  timeline: TimelineView;
  evaluation?: EvaluationView;
}

export interface AgentView {
  id: string;
  name: string;
  role: string;
  status: string;
  last_heartbeat: string;
  /** No sign of life for a while, though it should be at work. */
  stale: boolean;
  waiting_on: string | null;
  condition?: ConditionView;
}

/** A condition in parts; `truth` is undefined where it cannot be told. */
export type ConditionView =
  | { all: ConditionView[]; truth: boolean | undefined }
  | { any: ConditionView[]; truth: boolean | undefined }
  | PartView;

export interface PartView {
  source: string;
  truth: boolean | undefined;
  value?: unknown;
  error?: { code: string; message: string };
  /** What it reads by name, and what it reads whole. */
  present: PresentView[];
  whole: WholeView[];
  /** Registered agents on whom it depends while it is not true, and ids that it names of such as are not here. */
  awaits: string[];
  absent: string[];
}

/** Something that a condition reads, as it is now. */
export interface PresentView {
  name: string;
  href?: string;
  /** Undefined: it is not set, or a computed view that fails. */
  shown?: Shown;
  failure?: string;
  by?: string | null;
  at?: string;
}

/** Something of which a condition may read all, with how many keys or agents it has. */
export type WholeView =
  | { of: "state"; count: number }
  | { of: "agents"; count: number }
  | { of: "scope"; scope: string; href: string; count: number };

export interface MessageView {
  id: number;
  from_agent: string | null;
  to_agent: string | null;
  kind: string;
  shown: Shown;
  created_at: string;
  reply_to: number | null;
  claimed_by: string | null;
  claimed_at: string | null;
}

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
  expr?: string;
  /** Why a computed view has no value, and where in its expression. */
  error?: { code: string; message: string; position?: number };
}

/** What happened, by lane and time. */
export interface TimelineView {
  lanes: string[];
  events: TimelineEvent[];
  waits: TimelineWait[];
}

export interface TimelineEvent {
  kind: "message" | "write" | "claim";
  at: string;
  revision: number;
  /** The lane, or null where nobody is named; a message's receiver. */
  from: string | null;
  to?: string | null;
  label: string;
  href: string;
}

/** A wait as it was seen, from the first to the last look at the room that saw it. */
export interface TimelineWait {
  agent: string;
  from: string;
  /** Undefined: still waiting. */
  to?: string;
  condition: string;
}

export interface EvaluationView {
  expr: string;
  agent: string | null;
  shown?: Shown;
  error?: { code: string; message: string; hint?: string; position?: number };
}
