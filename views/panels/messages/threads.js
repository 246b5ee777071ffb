const MAX_DEPTH = 4;

/** Orders the messages of a list by thread, each below what it answers, or by time. */
export function arrange(list, threaded) {
  if (!threaded && list.dataset.threaded === undefined) return;
  const messages = [...list.children].sort((a, b) => a.dataset.id - b.dataset.id);
  for (const { classList } of messages) classList.remove("depth-1", "depth-2", "depth-3", "depth-4");
  if (threaded) list.dataset.threaded = "";
  else delete list.dataset.threaded;
  list.append(...(threaded ? byThread(messages) : messages));
}

function byThread(messages) {
  const known = new Set(messages.map(({ dataset }) => dataset.id));
  const replies = Map.groupBy(messages, ({ dataset: { reply } }) => known.has(reply) ? reply : "");
  const ordered = [];
  // Threads may be deep: a stack of our own does not overflow.
  const stack = (replies.get("") ?? []).map((message) => [message, 0]).reverse();
  while (stack.length > 0) {
    const [message, depth] = stack.pop();
    if (depth > 0) message.classList.add(`depth-${Math.min(depth, MAX_DEPTH)}`);
    ordered.push(message);
    for (const reply of (replies.get(message.dataset.id) ?? []).toReversed()) stack.push([reply, depth + 1]);
  }
  return ordered;
}
