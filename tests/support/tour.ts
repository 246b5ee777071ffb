/** A request for each thing that the service does, in an order that works, with the round trips it may cost. */
export interface Stop {
  name: string;
  request: [method: string, path: string, body?: unknown];
  status: number;
  trips: number;
}

const twenty = Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, value: n }));

const stop = (trips: number, status: number, name: string, ...request: Stop["request"]): Stop => ({
  name,
  request,
  status,
  trips,
});

export const TOUR: Stop[] = [
  stop(1, 201, "a room is created", "POST", "/rooms", { id: "r" }),
  stop(1, 200, "rooms are listed", "GET", "/rooms"),
  stop(1, 200, "rooms are listed from a place", "GET", "/rooms?before=2999-01-01T00:00:00.000Z&before_id=x"),
  stop(1, 200, "a room is read", "GET", "/rooms/r"),
  stop(1, 201, "an agent registers", "POST", "/rooms/r/agents", { id: "ann", name: "Ann" }),
  stop(1, 200, "agents are listed", "GET", "/rooms/r/agents"),
  stop(1, 200, "an agent is read", "GET", "/rooms/r/agents/ann"),
  stop(1, 200, "a heartbeat is given", "POST", "/rooms/r/agents/ann/heartbeat", { status: "busy" }),

  stop(1, 201, "a message is posted", "POST", "/rooms/r/messages", { from: "ann", body: 1 }),
  stop(1, 201, "a reply is posted", "POST", "/rooms/r/messages", { body: 1, reply_to: 3 }),
  stop(1, 404, "a reply to nothing is refused", "POST", "/rooms/r/messages", { body: 1, reply_to: 99 }),
  stop(1, 200, "messages are listed", "GET", "/rooms/r/messages"),
  stop(1, 200, "messages are listed after one", "GET", "/rooms/r/messages?after=3"),
  stop(1, 200, "messages are listed by kind", "GET", "/rooms/r/messages?kind=message&after=1"),
  stop(1, 200, "messages are listed by sender", "GET", "/rooms/r/messages?from=ann"),
  stop(1, 200, "messages are listed by receiver", "GET", "/rooms/r/messages?to=ann"),
  stop(1, 200, "a thread is listed", "GET", "/rooms/r/messages?thread=3"),
  stop(1, 200, "unclaimed messages are listed", "GET", "/rooms/r/messages?unclaimed=true"),
  stop(
    1,
    200,
    "unclaimed messages of a kind are listed",
    "GET",
    "/rooms/r/messages?unclaimed=true&kind=message",
  ),
  stop(1, 200, "the newest messages are listed", "GET", "/rooms/r/messages?last=5"),
  stop(1, 200, "a message is read", "GET", "/rooms/r/messages/3"),
  stop(1, 200, "a message is claimed", "POST", "/rooms/r/messages/3/claim", { agent: "ann" }),
  stop(1, 409, "a claimed message is refused", "POST", "/rooms/r/messages/3/claim", { agent: "bob" }),

  stop(1, 200, "a key is written", "PUT", "/rooms/r/state", { key: "a", value: 1 }),
  stop(1, 200, "a key is written by an agent", "PUT", "/rooms/r/state", { key: "a", value: 1, agent: "ann" }),
  stop(1, 200, "a key is compared and swapped", "PUT", "/rooms/r/state", {
    key: "a",
    value: 2,
    if_version: 2,
  }),
  stop(1, 409, "a stale version is refused", "PUT", "/rooms/r/state", { key: "a", value: 2, if_version: 1 }),
  stop(1, 200, "a key is incremented", "PUT", "/rooms/r/state", { key: "a", increment: 1 }),
  stop(1, 200, "twenty keys are written", "PUT", "/rooms/r/state/batch", { writes: twenty }),
  stop(2, 200, "a key is written behind a gate", "PUT", "/rooms/r/state", {
    key: "a",
    value: 5,
    if: "state._shared.a == 3",
  }),
  stop(1, 409, "a gate refuses", "PUT", "/rooms/r/state", { key: "a", value: 5, if: "state._shared.a == 3" }),
  stop(2, 200, "a gate reads everything", "PUT", "/rooms/r/state", {
    key: "a",
    value: 6,
    if: 'size(state.ann) == 0 && agents.ann.status == "busy" && messages.count > 0 && size(agents) == 1',
  }),
  stop(1, 200, "a key is read", "GET", "/rooms/r/state?key=a"),
  stop(1, 404, "a missing key is looked for", "GET", "/rooms/r/state?key=nothing"),
  stop(1, 200, "a scope is listed", "GET", "/rooms/r/state?scope=_shared"),
  stop(1, 200, "all state is listed", "GET", "/rooms/r/state"),
  stop(1, 200, "keys are listed by prefix", "GET", "/rooms/r/state?scope=_shared&prefix=k"),
  stop(1, 200, "changed keys are listed", "GET", "/rooms/r/state?since=3"),
  stop(1, 200, "a key is deleted", "DELETE", "/rooms/r/state", { key: "k1" }),
  stop(2, 200, "a key is deleted behind a gate", "DELETE", "/rooms/r/state", {
    key: "k2",
    if: "has(state._shared.k2)",
  }),

  stop(2, 200, "a view is defined", "PUT", "/rooms/r/state", {
    scope: "_view",
    key: "v",
    expr: "state._shared.a * 2",
  }),
  stop(1, 200, "a view is read", "POST", "/rooms/r/eval", { expr: "state._view.v + 1" }),
  stop(1, 200, "views are listed resolved", "GET", "/rooms/r/state?resolve=true"),
  stop(1, 200, "an expression is evaluated", "POST", "/rooms/r/eval", { expr: "state._shared.a" }),
  stop(1, 200, "a wait is true at once", "POST", "/rooms/r/wait", {
    condition: "state._shared.a > 1",
    include: "state,agents",
  }),
  stop(1, 200, "a wait looks once", "POST", "/rooms/r/wait", {
    condition: "state._shared.a > 99",
    timeout: 0,
  }),
  stop(1, 200, "messages are included", "POST", "/rooms/r/wait", {
    condition: "true",
    include: "messages:after:0",
  }),
  stop(1, 200, "changes are read", "GET", "/rooms/r/changes?after=3&limit=5"),
  stop(1, 200, "changes are included", "POST", "/rooms/r/wait", {
    condition: "true",
    include: "changes:after:3",
  }),
  stop(1, 200, "the page of a room is drawn", "GET", "/?room=r"),
  stop(2, 200, "older messages are drawn", "GET", "/rooms/r/live/messages?before=99"),
  stop(1, 200, "more keys are drawn", "GET", "/rooms/r/live/entries?scope=_shared&from=2"),
  stop(1, 200, "the database is pinged", "GET", "/healthz"),
];

/** What earlier releases of the last 30 days cannot answer, or not in so few round trips, after the tour. */
export const SINCE: Stop[] = [
  stop(2, 200, "a view is defined anew", "PUT", "/rooms/r/state", {
    scope: "_view",
    key: "v",
    expr: "state._shared.a * 3",
  }),
  stop(1, 200, "facts about messages are evaluated", "POST", "/rooms/r/eval", {
    expr: "[messages.last, messages.kind.message.open, messages.to[self].last, messages.from.ann.last]",
    agent: "ann",
  }),
  stop(1, 200, "a message is evaluated", "POST", "/rooms/r/eval", { expr: "messages.id[3]" }),
  stop(2, 200, "a message that another names is evaluated", "POST", "/rooms/r/eval", {
    expr: "messages.id[messages.id[4].reply_to].replies.count",
  }),
  stop(1, 200, "a list is appended to", "PUT", "/rooms/r/state", { key: "list", append: { a: 1, b: 2 } }),
  stop(1, 200, "a member is removed from a list", "PUT", "/rooms/r/state", {
    key: "list",
    remove: { b: 2, a: 1 },
  }),
  stop(1, 200, "what is not in a list is removed", "PUT", "/rooms/r/state", { key: "list", remove: 5 }),
  stop(1, 200, "an object is merged into", "PUT", "/rooms/r/state", { key: "object", merge: { a: {} } }),
  stop(1, 200, "a value is set and unset inside", "PUT", "/rooms/r/state", {
    key: "object",
    set: { "/a/b": 1 },
    unset: ["/a"],
  }),
  stop(1, 409, "a pointer to nothing is refused", "PUT", "/rooms/r/state", { key: "object", unset: ["/x"] }),
  stop(1, 200, "a batch edits", "PUT", "/rooms/r/state/batch", {
    writes: [{ key: "list", append: 1 }, { key: "list", value: {} }, { key: "list", merge: { b: 1 } }],
  }),
  stop(1, 200, "a key is written for a time", "PUT", "/rooms/r/state", { key: "lease", value: 1, ttl: 60 }),
  stop(2, 200, "an agent that holds a task leaves", "DELETE", "/rooms/r/agents/ann"),
  stop(1, 200, "an agent that is not there leaves", "DELETE", "/rooms/r/agents/ann"),

  stop(1, 201, "a room for tasks is created", "POST", "/rooms", { id: "t" }),
  stop(1, 201, "a task is posted", "POST", "/rooms/t/messages", { kind: "task", body: 1, max_attempts: 5 }),
  stop(1, 201, "a task that needs it is posted", "POST", "/rooms/t/messages", {
    ...{ kind: "task", body: 2, needs: [1], to: "ann" },
  }),
  stop(1, 409, "a blocked task is refused", "POST", "/rooms/t/messages/2/claim", { agent: "ann" }),
  stop(1, 200, "a task is claimed for a time", "POST", "/rooms/t/messages/1/claim", {
    agent: "ann",
    ttl: 60,
  }),
  stop(1, 200, "a claim is renewed", "POST", "/rooms/t/messages/1/renew", {
    agent: "ann",
    fence: 3,
    ttl: 60,
  }),
  stop(1, 409, "a stale fence is refused", "POST", "/rooms/t/messages/1/complete", {
    agent: "ann",
    fence: 2,
  }),
  stop(1, 200, "a task is released", "POST", "/rooms/t/messages/1/release", { agent: "ann", fence: 3 }),
  stop(1, 200, "the next task is taken", "POST", "/rooms/t/messages/claim", { agent: "ann" }),
  stop(1, 200, "there is no next task", "POST", "/rooms/t/messages/claim", { agent: "ann", kind: "task" }),
  stop(1, 200, "a task is completed with its result", "POST", "/rooms/t/messages/1/complete", {
    ...{ agent: "ann", fence: 6, result: "r" },
  }),
  stop(1, 200, "a completion is repeated", "POST", "/rooms/t/messages/1/complete", {
    agent: "ann",
    fence: 6,
  }),
  stop(2, 200, "the next task is taken by a condition", "POST", "/rooms/t/messages/claim", {
    ...{ agent: "ann", where: "message.id == 2" },
  }),
  stop(2, 200, "no task fits a condition", "POST", "/rooms/t/messages/claim", {
    ...{ agent: "ann", where: "message.id == 9" },
  }),
  stop(1, 200, "a task is failed", "POST", "/rooms/t/messages/2/fail", { agent: "ann", fence: 8 }),
  stop(1, 409, "a task that is over is refused", "POST", "/rooms/t/messages/2/claim", { agent: "ann" }),
  stop(1, 200, "attempts are listed", "GET", "/rooms/t/messages/1/attempts"),
  stop(1, 200, "failed messages are listed", "GET", "/rooms/t/messages?status=failed"),
  stop(1, 200, "an agent's tasks are listed", "GET", "/rooms/t/messages?claimed_by=ann"),
  stop(1, 200, "direct replies are listed", "GET", "/rooms/t/messages?reply_to=1"),
  stop(1, 200, "a room's meta is merged into", "PATCH", "/rooms/t", { meta: { a: 1 } }),
  stop(1, 201, "a locked room is created", "POST", "/rooms", { id: "locked", locked: true }),
  stop(1, 404, "a locked room is looked for", "GET", "/rooms/locked"),
];
