import type { Query } from "../../db/consistent_read/read.ts";
import type { Row } from "../../db/driver/statement.ts";
import { selectMessages } from "../../db/messages/listing.ts";
import { type Message, toMessage } from "../../db/messages/read.ts";
import { isTask, selectOpen, type Wanted } from "../../db/messages/take.ts";
import { mapYielding } from "../../db/yield.ts";

/** The filters of a take. */
interface Filters extends Wanted {
  thread?: number;
}

/** Open messages that pass the filters, by id. */
interface Page {
  messages: Message[];
  /** How many were passed, and up to which id. */
  passed: number;
  reached: number | undefined;
  /** Others follow. */
  more: boolean;
}

interface PageQuery {
  queries: Query[];
  read(results: Row[][]): Promise<Page>;
}

/** Makes the queries of the next messages that pass the filters, at most `left` after an id. */
export function pageOf(asked: Filters, after: number | undefined, left: number): PageQuery {
  const { thread, to } = asked;
  if (thread !== undefined) return threadPage({ ...asked, thread }, after, left);
  const addresses = to === undefined ? ["nobody", "somebody"] as const : ["somebody"] as const;
  const pages = addresses.map((address) => selectOpen(asked, address, { after, left }));
  return {
    queries: pages.map(({ statement }) => statement),
    async read(results) {
      const found = await Promise.all(pages.map((page, n) => page.read(results[n]!)));
      // What a cut page leaves out comes before what another has beyond its end.
      const known = Math.min(...found.map(({ messages, more }) => more ? messages.at(-1)!.id : Infinity));
      const all = found.flatMap(({ messages }) => messages).sort((a, b) => a.id - b.id);
      const messages = all.filter(({ id }) => id <= known).slice(0, left);
      const more = messages.length < all.length || found.some((page) => page.more);
      return { messages, passed: messages.length, reached: messages.at(-1)?.id, more };
    },
  };
}

/** The same of a thread, which is walked for all that is open in it. */
function threadPage(
  { room, thread, kind, from, to, agent }: Filters & { thread: number },
  after: number | undefined,
  left: number,
): PageQuery {
  const isFor = ({ to_agent }: Message) =>
    to === undefined ? [null, agent].includes(to_agent) : to_agent === to;
  return {
    queries: [selectMessages(room, { thread, kind, from, unclaimed: true, after, limit: left })],
    async read([rows]) {
      const all = await mapYielding(rows!.slice(0, left), (row) => toMessage(row));
      const messages = all.filter((message) =>
        isFor(message) && (kind !== undefined || isTask(message.kind))
      );
      return { messages, passed: all.length, reached: all.at(-1)?.id, more: rows!.length > left };
    },
  };
}
