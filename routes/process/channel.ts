import type { OpenChannel } from "../../cel/waits/looks/hints.ts";

/** The runtime's channel between instances of one database; undefined where it has none. */
export function channelOf(database: string, { BroadcastChannel } = globalThis): OpenChannel | undefined {
  if (typeof BroadcastChannel !== "function") return undefined;
  return (hear) => {
    const channel = new BroadcastChannel(`convene ${database}`);
    channel.onmessage = ({ data }) => hear(data);
    return { post: (data) => channel.postMessage(data), close: () => channel.close() };
  };
}
