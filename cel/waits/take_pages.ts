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
export interface Page {
  messages: Message[];
  /** How many were passed, and up to which id. */
  passed: number;
  reached: number | undefined;
  /** Others follow. */
  more: boolean;
}

/** What a query finds: some of what it asks for, and whether others follow. */
interface Found {
  messages: Message[];
  more: boolean;
}

/** The queries of a page. What one of them finds depends on the query alone, so pages may share it. */
export interface PageQuery {
  queries: Query[];
  read: Array<(rows: Row[]) => Promise<Found>>;
  /** Makes the page of what the queries found. */
  pageOf(found: Found[]): Page;
}

/** Reads a page of the rows of its queries. */
export async function readPage({ read, pageOf }: PageQuery, results: Row[][]): Promise<Page> {
  return pageOf(await Promise.all(read.map((each, n) => each(results[n]!))));
}

/** Makes the queries of the next messages that pass the filters, at most `left` after an id. */
export function pageOf(asked: Filters, after: number | undefined, left: number): PageQuery {
  const { thread, to } = asked;
  if (thread !== undefined) return threadPage({ ...asked, thread }, after, left);
  const addresses = to === undefined ? ["nobody", "somebody"] as const : ["somebody"] as const;
  const pages = addresses.map((address) => selectOpen(asked, address, { after, left }));
  return {
    queries: pages.map(({ statement }) => statement),
    read: pages.map(({ read }) => read),
    pageOf(found) {
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
    read: [async (rows) => ({
      messages: await mapYielding(rows.slice(0, left), (row) => toMessage(row)),
      more: rows.length > left,
    })],
    pageOf([found]) {
      const { messages: all, more } = found!;
      const messages = all.filter((message) =>
        isFor(message) && (kind !== undefined || isTask(message.kind))
      );
      return { messages, passed: all.length, reached: all.at(-1)?.id, more };
    },
  };
}
