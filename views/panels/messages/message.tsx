import { agentId, hue, messageId } from "../../shared/addresses.ts";
import { Copy } from "../../shared/copy.tsx";
import { Verified } from "../../shared/verified.tsx";
import { Ago } from "../../shared/times.tsx";
import { preview, type Shown, Value } from "../../shared/values.tsx";
import { type NeedView, Outcome, shownStatus, Status, type TaskView } from "./task.tsx";

export interface MessageView extends TaskView {
  from_agent: string | null;
  to_agent: string | null;
  /** It was sent under the sender's own token, or an admin's. */
  verified: boolean;
  shown: Shown;
  created_at: string;
}

/** What a message may refer to. */
export interface Known {
  /** Messages that others answer. */
  answered: MessageView[];
  /** What blocked ones need. */
  needed: NeedView[];
}

export function Message({ message, now, room, known }: {
  message: MessageView;
  now: Date;
  room: string;
  known: Known;
}) {
  const { id, from_agent, to_agent, verified, kind, shown, created_at, reply_to } = message;
  const source = `/rooms/${encodeURIComponent(room)}/messages/${id}`;
  return (
    <li
      id={messageId(id)}
      class={`message ${hue(from_agent)}`}
      data-into="messages"
      data-id={String(id)}
      data-kind={kind}
      data-from={from_agent ?? ""}
      data-reply={reply_to === null ? undefined : String(reply_to)}
      data-unclaimed={message.status === "open" ? "" : undefined}
      data-status={shownStatus(message)}
      data-get={source}
      tabindex={-1}
    >
      <p class="head">
        <a class="id" href={`#${messageId(id)}`} aria-label={`Message ${id}`}>{id}</a>
        <Name id={from_agent} absent="somebody" />
        {verified && <Verified what="sent under its own token, or an admin's" />}
        <span class="to">
          <span class="visually-hidden">to</span>
          <span class="quiet" aria-hidden="true">→</span>
          <Name id={to_agent} absent="all" />
        </span>
        <span class="kind">{kind}</span>
        <Status task={message} now={now} />
        <span class="spring" />
        <Copy />
        <Ago at={created_at} now={now} />
      </p>
      {reply_to !== null && <Answered id={reply_to} known={known.answered} />}
      <div class="body">
        <Value shown={shown} prose source={source} />
      </div>
      <Outcome task={message} needed={known.needed} />
    </li>
  );
}

function Name({ id, absent }: { id: string | null; absent: string }) {
  return id === null
    ? <span class="quiet">{absent}</span>
    : <a class="name" href={`#${agentId(id)}`}>{id}</a>;
}

/** The message that this one answers, with its beginning if it is known. */
function Answered({ id, known }: { id: number; known: MessageView[] }) {
  const origin = known.find((message) => message.id === id);
  const text = origin && ("cut" in origin.shown ? origin.shown.cut : plain(origin.shown.value));
  return (
    <p class="answered">
      <span aria-hidden="true">↳</span>
      <a href={`#${messageId(id)}`}>
        <span class="visually-hidden">answers</span>
        {id}
      </a>
      {origin && <span class="quiet">{`${origin.from_agent ?? "somebody"}: ${text}`}</span>}
    </p>
  );
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : preview(value);
}
