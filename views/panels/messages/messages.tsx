import { agentId, hue, messageId } from "../../shared/addresses.ts";
import { Copy } from "../../shared/copy.tsx";
import { Ago } from "../../shared/times.tsx";
import { preview, type Shown, Value } from "../../shared/values.tsx";
import type { Panel, RoomLook } from "../panel.ts";
import { FirstCalls } from "./first_calls.tsx";
import style from "./messages.css" with { type: "text" };
import reach from "./reach.js" with { type: "text" };
import reading from "./reading.js" with { type: "text" };
import threads from "./threads.js" with { type: "text" };

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

/** Messages that are shown, oldest first, and those that they answer. */
export interface MessagesShown {
  messages: MessageView[];
  answered: MessageView[];
}

/** The newest messages. */
export interface NewestMessages extends MessagesShown {
  address: string;
}

/** The conversation. */
export const MESSAGES: Panel<RoomLook & NewestMessages, RoomLook & MessagesShown> = {
  id: "talk",
  name: "Talk",
  place: "middle",
  style,
  scripts: { reach, reading, threads },
  async section({ id, address, now, counts, messages, answered }, each) {
    const older = counts.count - messages.length;
    const kinds = [...new Set(messages.map(({ kind }) => kind))].sort();
    const senders = [...new Set(messages.flatMap(({ from_agent }) => from_agent ?? []))].sort();
    return (
      <section id="talk" aria-labelledby="talk-title">
        <div class="bar">
          <h2 id="talk-title">Conversation</h2>
          <form id="filters" class="filters" aria-label="Filters" aria-describedby="reach">
            <label>
              kind <Choices name="kind" choices={kinds} />
            </label>
            <label>
              from <Choices name="from" choices={senders} />
            </label>
            <label>
              <input type="checkbox" name="unclaimed" /> unclaimed
            </label>
            <label>
              <input type="checkbox" name="threads" /> threads
            </label>
          </form>
          <Reach messages={messages} counts={counts} />
        </div>
        <div class="scroller" id="messages-scroller" tabindex={0} role="region" aria-label="Messages">
          <p class="older" id="older" hidden={older === 0}>
            <button type="button" data-load="older">
              Show older messages (<span data-count>{older}</span>)
            </button>
          </p>
          <ol id="messages" class="messages">
            {await each(
              messages,
              (message) => <Message message={message} now={now} room={id} known={answered} />,
            )}
          </ol>
          <FirstCalls address={address} room={id} />
          <p class="quiet none" id="none" hidden>
            No matches in the last <span data-figure="here" /> messages.{" "}
            <span class="further">Show older messages to look further back.</span>
          </p>
        </div>
        <button type="button" class="fresh" id="fresh" hidden>
          <span data-count>0</span> new
        </button>
      </section>
    );
  },
  fragments: ({ id, now, messages, answered }) =>
    messages.map((message) => ({
      id: messageId(message.id),
      draw: () => <Message message={message} now={now} room={id} known={answered} />,
      once: true,
    })),
};

/** What the filters do not see; the script keeps the figures true. */
function Reach({ messages, counts }: Pick<RoomLook & NewestMessages, "messages" | "counts">) {
  const figures: Record<string, number> = {
    here: messages.length,
    messages: counts.count,
    "unclaimed-here": messages.filter(({ claimed_by }) => claimed_by === null).length,
    unclaimed: counts.unclaimed,
  };
  const figure = (name: string) => <b data-figure={name}>{figures[name]!.toLocaleString("en")}</b>;
  return (
    <p class="quiet reach" id="reach" hidden={messages.length === counts.count}>
      Filters see only the last {figure("here")} of {figure("messages")} messages (unclaimed:{" "}
      {figure("unclaimed-here")} of {figure("unclaimed")}).
    </p>
  );
}

function Choices({ name, choices }: { name: string; choices: string[] }) {
  return (
    <select name={name}>
      <option value="">all</option>
      {choices.map((choice) => <option value={choice}>{choice}</option>)}
    </select>
  );
}

/** One message. `known`: those among which it may find what it answers. */
export function Message({ message, now, room, known = [] }: {
  message: MessageView;
  now: Date;
  room: string;
  known?: MessageView[];
}) {
  const { id, from_agent, to_agent, kind, shown, created_at, reply_to } = message;
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
      data-unclaimed={message.claimed_by === null ? "" : undefined}
      data-get={source}
      tabindex={-1}
    >
      <p class="head">
        <a class="id" href={`#${messageId(id)}`} aria-label={`Message ${id}`}>{id}</a>
        <Name id={from_agent} absent="somebody" />
        <span class="to">
          <span class="visually-hidden">to</span>
          <span class="quiet" aria-hidden="true">→</span>
          <Name id={to_agent} absent="all" />
        </span>
        <span class="kind">{kind}</span>
        <Claim message={message} now={now} />
        <span class="spring" />
        <Copy />
        <Ago at={created_at} now={now} />
      </p>
      {reply_to !== null && <Answered id={reply_to} known={known} />}
      <div class="body">
        <Value shown={shown} prose source={source} />
      </div>
    </li>
  );
}

function Name({ id, absent }: { id: string | null; absent: string }) {
  return id === null
    ? <span class="quiet">{absent}</span>
    : <a class="name" href={`#${agentId(id)}`}>{id}</a>;
}

function Claim({ message, now }: { message: MessageView; now: Date }) {
  const { claimed_by, claimed_at, kind, reply_to } = message;
  if (claimed_by !== null) {
    return (
      <span class={`claim taken ${hue(claimed_by)}`}>
        <span class="dot" aria-hidden="true" />
        claimed by {claimed_by}
        {claimed_at && (
          <span class="quiet">
            <Ago at={claimed_at} now={now} />
          </span>
        )}
      </span>
    );
  }
  // Anything may be claimed, but talk seldom is: only what is meant to be shows that it is free.
  const claimable = kind === "task" || (kind !== "message" && reply_to === null);
  return claimable ? <span class="claim free">free</span> : null;
}

/** What a message answers, with its beginning where that is known. */
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
