import { agentId, hue, messageId } from "../../shared/addresses.ts";
import { Ago, Left } from "../../shared/times.tsx";
import { Short, Value } from "../../shared/values.tsx";

export const STATUSES = ["open", "blocked", "claimed", "done", "failed"] as const;

/** A message as a task, as the API shows it. */
export interface TaskView {
  id: number;
  kind: string;
  reply_to: number | null;
  status: typeof STATUSES[number];
  claimed_by: string | null;
  claimed_at: string | null;
  claimed_until: string | null;
  attempts: number;
  max_attempts: number | null;
  needs: number[];
  done_at: string | null;
  result_id: number | null;
  /** Its reason; the `error` that the last `fail` or `release` gave; the `message` that it needs, if that failed. */
  failure: unknown;
}

export type NeedView = Pick<TaskView, "id" | "status">;

/**
 * Returns the status that a message shows. Any message may be claimed, so `open` shows only on those that are meant to
 * be. A result is `done` when it is posted, and shows nothing.
 */
export function shownStatus(
  { status, kind, reply_to, claimed_by }: TaskView,
): TaskView["status"] | undefined {
  const meant = kind === "task" || (!TALK.includes(kind) && reply_to === null);
  if (status === "open") return meant ? status : undefined;
  return status === "done" && claimed_by === null ? undefined : status;
}

/** Kinds that a take without `kind` skips. */
const TALK = ["message", "result", "ask"];

/** The status of a task on one line: its holder, its remaining time, its attempt and its outcome. */
export function Status({ task, now }: { task: TaskView; now: Date }) {
  const { claimed_by, claimed_at, claimed_until, done_at, result_id } = task;
  switch (shownStatus(task)) {
    case "open":
      return (
        <span class="task is-open">
          open
          <Attempts task={task} />
        </span>
      );
    case "blocked":
      return (
        <span class="task is-blocked">
          <Sign d="M4 3h3v10H4ZM9 3h3v10H9Z" />
          blocked
        </span>
      );
    case "claimed":
      return (
        <span class={`task is-claimed ${hue(claimed_by)}`}>
          <span>
            <span class="dot" aria-hidden="true" /> claimed by <Agent id={claimed_by!} />
          </span>
          <span class="quiet">
            for <Ago at={claimed_at!} now={now} />
          </span>
          {claimed_until && <Left at={claimed_until} now={now} />}
          <Attempts task={task} />
        </span>
      );
    case "done":
      return (
        <span class="task is-done">
          <Sign d="m2 8 4 4 8-8-1.5-1.5L6 9 3.5 6.5Z" />
          <span>
            done by <Agent id={claimed_by!} />
          </span>
          <Ended at={done_at!} now={now} />
          {result_id !== null && <a href={`#${messageId(result_id)}`}>result {result_id}</a>}
        </span>
      );
    case "failed":
      return (
        <span class="task is-failed">
          <Sign d="m3 4.5 1.5-1.5L8 6.5 11.5 3 13 4.5 9.5 8 13 11.5 11.5 13 8 9.5 4.5 13 3 11.5 6.5 8Z" />
          failed
          <Ended at={done_at!} now={now} />
          <Attempts task={task} />
        </span>
      );
  }
}

/** A shape beside the word, for readers who cannot tell the colours apart. */
function Sign({ d }: { d: string }) {
  return (
    <svg class="sign" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d={d} />
    </svg>
  );
}

function Agent({ id }: { id: string }) {
  return (
    <a class="holder" href={`#${agentId(id)}`}>
      <Short text={id} />
    </a>
  );
}

function Ended({ at, now }: { at: string; now: Date }) {
  return (
    <span class="quiet">
      <Ago at={at} now={now} /> ago
    </span>
  );
}

/** How often a task was claimed; nothing for a first claim without a maximum. */
function Attempts({ task: { status, attempts, max_attempts } }: { task: TaskView }) {
  const of = max_attempts === null ? "" : ` of ${max_attempts}`;
  if (attempts === 0 || (status === "claimed" && attempts === 1 && of === "")) return null;
  if (status === "claimed") return <span class="quiet">attempt {attempts}{of}</span>;
  return <span class="quiet">after {attempts}{of} {attempts === 1 && !of ? "attempt" : "attempts"}</span>;
}

/** Why a task cannot go on: what it waits for, or why it failed. `needed`: the known statuses of what tasks need. */
export function Outcome({ task, needed }: { task: TaskView; needed: NeedView[] }) {
  if (task.status === "blocked") return <Needs needs={task.needs} needed={needed} />;
  if (task.status !== "failed") return null;
  const { reason, error, message } = task.failure as { reason: string; error?: unknown; message?: number };
  return (
    <div class="outcome">
      <p class="quiet">
        {message === undefined ? REASONS[reason]?.(task) ?? reason : (
          <>
            it needs <a href={`#${messageId(message)}`}>{message}</a>, which failed
          </>
        )}
      </p>
      {error !== undefined && <Value shown={{ value: error }} prose />}
    </div>
  );
}

/** The words for each reason of a failure other than a need. The error follows, if there is one. */
const REASONS: Record<string, (task: TaskView) => string> = {
  // The sender of a task may fail it while nobody holds it.
  failed: ({ claimed_by }) => claimed_by === null ? "called off" : `${claimed_by} gave it up`,
  attempts: () => "no attempts are left",
  ttl: () => "its time ran out",
  withdrawn: () => "withdrawn",
  trimmed: () => "the room had more messages than it keeps",
};

/** What a blocked task needs, with the status of each, which the page's script updates. */
function Needs({ needs, needed }: { needs: number[]; needed: NeedView[] }) {
  const known = new Map(needed.map(({ id, status }) => [id, status]));
  return (
    <p class="outcome needs">
      <span class="quiet">waits for</span>
      {needs.map((id) => {
        const status = known.get(id) ?? "";
        return (
          <span class="need" data-need={String(id)} data-status={status}>
            <a href={`#${messageId(id)}`}>{id}</a> <span data-word>{status}</span>
          </span>
        );
      })}
    </p>
  );
}
