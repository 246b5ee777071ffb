import type { Shown } from "../../shared/values.tsx";

export interface AgentView {
  id: string;
  name: string;
  role: string;
  status: string;
  last_heartbeat: string;
  /** Nobody acts as it without its token or an admin's. */
  secure: boolean;
  /** Its scope is its own, which only itself and admins are told. */
  isPrivate: boolean;
  /** Its last heartbeat is old, though its status says that it works. */
  stale: boolean;
  /** Its last heartbeat is old, and its status says that it does not work. */
  away: boolean;
  waiting_on: string | null;
  /** What it waits for: a condition in words or in parts, paths, or the next task, of a kind if one is named. */
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
  /**
   * `awaits`: the registered agents that it depends on while it is not true. `absent`: ids in it that are not
   * registered.
   */
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
