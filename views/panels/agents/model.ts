import type { Shown } from "../../shared/values.tsx";

export interface AgentView {
  id: string;
  name: string;
  role: string;
  status: string;
  last_heartbeat: string;
  /** It gave no sign of life for a while, though it should be at work. */
  stale: boolean;
  /** It gave none, and need not be at work. */
  away: boolean;
  waiting_on: string | null;
  /** What it waits for: this, or a condition, or paths, or the next task, of a kind if one is named. */
  condition?: ConditionView;
  wants?: { paths: string } | { task: string };
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
