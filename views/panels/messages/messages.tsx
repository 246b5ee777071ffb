import { messageId } from "../../shared/addresses.ts";
import type { Access, Panel, RoomLook } from "../panel.ts";
import { FirstCalls } from "./first_calls.tsx";
import { type Known, Message, type MessageView } from "./message.tsx";
import style from "./messages.css" with { type: "text" };
import needs from "./needs.js" with { type: "text" };
import reach from "./reach.js" with { type: "text" };
import reading from "./reading.js" with { type: "text" };
import say from "./say.js" with { type: "text" };
import { Say } from "./say.tsx";
import { STATUSES } from "./task.tsx";
import threads from "./threads.js" with { type: "text" };

/** Messages that are shown, oldest first, and what they refer to. */
export interface MessagesShown extends Known {
  messages: MessageView[];
}

export interface NewestMessages extends MessagesShown, Access {
  address: string;
}

export const MESSAGES: Panel<RoomLook & NewestMessages, RoomLook & MessagesShown> = {
  id: "talk",
  name: "Talk",
  place: "middle",
  style,
  scripts: { needs, reach, reading, say, threads },
  async section({ id, address, now, counts, messages, locked, you, ...known }, each) {
    const older = counts.count - messages.length;
    const kinds = [...new Set(messages.map(({ kind }) => kind))].sort();
    const senders = [...new Set(messages.flatMap(({ from_agent }) => from_agent ?? []))].sort();
    return (
      <section id="talk" aria-labelledby="talk-title">
        <div class="bar">
          <h2 id="talk-title">Conversation</h2>
          <form id="filters" class="filters scripted" aria-label="Filters" aria-describedby="reach">
            <label>
              kind <Choices name="kind" choices={kinds} />
            </label>
            <label>
              from <Choices name="from" choices={senders} />
            </label>
            <label>
              task <Choices name="status" choices={STATUSES} />
            </label>
            <label>
              <input type="checkbox" name="threads" /> threads
            </label>
          </form>
          <Reach messages={messages} counts={counts} />
        </div>
        <div class="scroller" id="messages-scroller" tabindex={0} role="region" aria-label="Messages">
          <p class="older scripted" id="older" hidden={older === 0}>
            <button type="button" data-load="older">
              Show older messages (<span data-count>{older}</span>)
            </button>
          </p>
          <ol id="messages" class="messages">
            {await each(
              messages,
              (message) => <Message message={message} now={now} room={id} known={known} />,
            )}
          </ol>
          <FirstCalls address={address} room={id} needsToken={locked} mayWrite={you?.role !== "reader"} />
          <p class="quiet none" id="none" hidden>
            No matches in the last <span data-figure="here" /> messages.{" "}
            <span class="further">Show older messages to look further back.</span>
          </p>
        </div>
        <button type="button" class="fresh primary scripted" id="fresh" hidden>
          <span data-count>0</span> new
        </button>
        <Say locked={locked} you={you} />
      </section>
    );
  },
  fragments: ({ id, now, messages, ...known }) =>
    messages.map((message) => ({
      id: messageId(message.id),
      draw: () => <Message message={message} now={now} room={id} known={known} />,
      once: true,
    })),
};

/** How many messages the filters cover; the script updates the figures. */
function Reach({ messages, counts }: Pick<RoomLook & NewestMessages, "messages" | "counts">) {
  const figures: Record<string, number> = {
    here: messages.length,
    messages: counts.count,
    "unclaimed-here": messages.filter(({ status }) => status === "open").length,
    unclaimed: counts.unclaimed,
  };
  const figure = (name: string) => <b data-figure={name}>{figures[name]!.toLocaleString("en")}</b>;
  return (
    <p class="quiet reach scripted" id="reach" hidden={messages.length === counts.count}>
      Filters see only the last {figure("here")} of {figure("messages")} messages (unclaimed:{" "}
      {figure("unclaimed-here")} of {figure("unclaimed")}).
    </p>
  );
}

function Choices({ name, choices }: { name: string; choices: readonly string[] }) {
  return (
    <select name={name}>
      <option value="">all</option>
      {choices.map((choice) => <option value={choice}>{choice}</option>)}
    </select>
  );
}
