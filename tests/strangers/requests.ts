import { OPERATIONS } from "../../routes/openapi/operations.ts";
import type { Parameter } from "../../routes/openapi/parameters.ts";
import type { Sent, Setting } from "./setting.ts";

/** One that each may send who may do it at all: the body, or what stands in the query. */
type Plain = (setting: Setting) => { body?: Record<string, unknown>; query?: Record<string, string> };

const AS_BOB = { agent: "bob" };
const FENCED = { ...AS_BOB, fence: 1 };

/** A plain request of each operation. A new operation needs its row. */
export const PLAIN: Record<string, Plain> = {
  listRooms: () => ({}),
  createRoom: ({ room }) => ({ body: { id: room } }),
  getRoom: () => ({}),
  deleteRoom: () => ({ body: {} }),
  patchRoom: () => ({ body: { meta: { more: 1 } } }),
  listAgents: () => ({}),
  registerAgent: () => ({ body: { id: "bob", name: "Bob" } }),
  getAgent: () => ({}),
  leaveRoom: () => ({ body: {} }),
  heartbeat: () => ({ body: { status: "busy" } }),
  listMessages: () => ({}),
  postMessage: () => ({ body: { from: "bob", body: 1 } }),
  getMessage: () => ({}),
  claimMessage: () => ({ body: AS_BOB }),
  renewClaim: () => ({ body: { ...FENCED, ttl: 60 } }),
  releaseClaim: () => ({ body: FENCED }),
  completeTask: () => ({ body: FENCED }),
  failTask: () => ({ body: FENCED }),
  listAttempts: () => ({}),
  takeTask: () => ({ body: { ...AS_BOB, kind: "none" } }),
  listReservations: () => ({}),
  reservePaths: () => ({ body: { ...AS_BOB, paths: ["mine"] } }),
  releaseReservation: () => ({ body: AS_BOB }),
  renewReservation: () => ({ body: { ...FENCED, ttl: 60 } }),
  readState: () => ({}),
  writeEntry: () => ({ body: { key: "own", value: 1 } }),
  deleteEntry: () => ({ body: { key: "none" } }),
  writeBatch: () => ({ body: { writes: [{ key: "own", value: 1 }] } }),
  evaluate: () => ({ body: { expr: "1" } }),
  waitByQuery: () => ({ query: { condition: "true", timeout: "0" } }),
  wait: () => ({ body: { condition: "true", timeout: 0 } }),
  readChanges: () => ({}),
  followEvents: () => ({ query: { after: "0" } }),
  guide: ({ room }) => ({ query: { room } }),
  listTokens: () => ({}),
  createToken: () => ({ body: { role: "reader" } }),
  rotateToken: () => ({ body: {} }),
  revokeToken: () => ({}),
  listInvites: () => ({}),
  createInvite: () => ({ body: { role: "member" } }),
  revokeInvite: () => ({}),
  readInvitation: () => ({}),
  joinByCode: () => ({ body: { agent: "joiner" } }),
  health: () => ({}),
  metrics: () => ({}),
};

/** Requests that are under way at a time. */
const AT_ONCE = 12;

export async function eachAtOnce<Item>(items: Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const left = items.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const item of left) await act(item);
  }));
}

/** Served beside the operations, for the pages: paths with what stands in the query. */
export const PAGES: Record<string, (setting: Setting) => Array<Record<string, string>>> = {
  "/rooms/{room}/live": () => [{ after: "0" }],
  "/rooms/{room}/live/messages": () => [{ before: "99999", limit: "50" }],
  "/rooms/{room}/live/entries": () => [{ scope: "_shared" }, { scope: "ann" }, { scope: "_view" }],
  "/rooms/{room}/live/evaluation": () => EXPRESSIONS.map((expr) => ({ expr, agent: "ann" })),
  "/": ({ room }) => [{ room }, ...EXPRESSIONS.slice(0, 6).map((expr) => ({ room, expr, agent: "ann" }))],
};

/** What reads, guesses, and names nearly what it may not know. */
export const EXPRESSIONS = [
  "state",
  "agents",
  "state.ann",
  "state.ann.card",
  "state.ann.crad == 1",
  "state.ann.map(k, k)",
  "size(state.ann) > 0 && has(state.ann.card)",
  'state["ann"]["card"]',
  "state._view",
  "state._view.cards + state._view.whole",
  "state._view.cardz",
  "state._shared.trun",
  "agents.an.name",
  "messages.id[3].body",
  "messages.kind",
  "messages.from",
  "1 / (has(state.ann.card) ? 0 : 1)",
  "string(state)",
];

const NAMED: Record<string, string[]> = {
  after: ["0"],
  began: ["0"],
  since: ["0"],
  limit: ["1000"],
  last: ["100"],
  scope: ["ann", "_view", "an"],
  key: ["card", "crad", "turn", "trun"],
  prefix: ["c", "k"],
  resolve: ["true"],
  from: ["ann", "an"],
  to: ["bob"],
  agent: ["ann", "an"],
  kind: ["task", "tsak"],
  status: ["open"],
  thread: ["2"],
  reply_to: ["2"],
  path: ["**"],
  if: EXPRESSIONS.slice(0, 6),
  expr: EXPRESSIONS,
  condition: EXPRESSIONS,
  include: ["state", "state.ann", "agents,messages:after:0,changes:after:0"],
  "Last-Event-ID": ["0"],
};

/** Members of bodies that bring answers of their own. */
function bodiesOf(body: Record<string, unknown>): Array<Record<string, unknown>> {
  const changed = [{}, { ...body, nope: 1 }, { ...body, agnet: "ann" }];
  const gates = EXPRESSIONS.map((text) => ({ ...body, if: text }));
  const more: Array<Record<string, unknown>> = [
    { ...body, if_version: 99 },
    { ...body, scope: "ann", key: "card" },
    { ...body, scope: "ann", key: "card", if_version: 0 },
    { ...body, key: "turn", if_version: 99 },
    { ...body, key: "turn", increment: 1, value: undefined },
    { ...body, agent: "ann" },
    { ...body, reply_to: 9999 },
    { ...body, needs: [2] },
    { ...body, paths: ["**"] },
    { ...body, kind: "task", where: "message.body != 1" },
  ];
  const read = EXPRESSIONS.flatMap((text): Array<Record<string, unknown>> =>
    "expr" in body
      ? [{ ...body, expr: text }, { ...body, expr: text, agent: "ann" }]
      : "condition" in body
      ? [{ ...body, condition: text }, {
        ...body,
        condition: `${text} == 1`,
        include: "state,state.ann,agents",
      }]
      : []
  );
  return [...changed, ...more, ...("key" in body || "writes" in body ? gates : []), ...read];
}

/** An operation with its path, in which its parameters stand for what the setting has. */
export interface Asked {
  id: string;
  method: string;
  template: string;
  parameters: Parameter[];
}

export const ASKED: Asked[] = Object.entries(OPERATIONS).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    id: operation!.id,
    method: method.toUpperCase(),
    template,
    parameters: operation!.parameters ?? [],
  }))
);

/** Returns the paths of a template, one for each thing that its parameter may name. */
function pathsOf(template: string, { room, ids }: Setting): string[] {
  const values: Record<string, Array<string | number>> = {
    room: [room],
    agent: ["bob", "ann", "an"],
    message: [ids.task, ids.message, 9999],
    token: [ids.token],
    invite: [ids.invite],
    reservation: [ids.reservation],
    code: ["ZZZZZ-ZZZZZ"],
  };
  return Object.entries(values).reduce(
    (paths, [name, all]) =>
      paths.flatMap((path) =>
        path.includes(`{${name}}`) ? all.map((value) => path.replace(`{${name}}`, String(value))) : [path]
      ),
    [template],
  );
}

const withQuery = (path: string, query: Record<string, string>) =>
  Object.keys(query).length === 0 ? path : `${path}?${new URLSearchParams(query)}`;

/** The plain request of an operation. */
export function plainOf({ id, method, template }: Asked, setting: Setting): Sent {
  const { body, query = {} } = PLAIN[id]!(setting);
  return { method, path: withQuery(pathsOf(template, setting)[0]!, query), body };
}

/** All that is asked of an operation: with each of its parameters, with other bodies, under an admin's key and ETags. */
export function variantsOf(asked: Asked, setting: Setting): Sent[] {
  const { id, method, template, parameters } = asked;
  const { body, query = {} } = PLAIN[id]!(setting);
  const plain = { method, body };
  const [first, ...others] = pathsOf(template, setting);
  const keyed = { "Idempotency-Key": setting.key };
  const named = parameters.flatMap((parameter): Sent[] =>
    (NAMED[parameter.name] ?? []).map((value) => {
      if (parameter.in === "header") {
        return { ...plain, path: withQuery(first!, query), headers: { [parameter.name]: value } };
      }
      return { ...plain, path: withQuery(first!, { ...query, [parameter.name]: value }) };
    })
  );
  const misspelt = { ...plain, path: withQuery(first!, { ...query, scpoe: "ann" }) };
  const tagged = setting.etags.map((tag): Sent => ({
    ...plain,
    path: withQuery(first!, query),
    headers: { [method === "GET" ? "If-None-Match" : "If-Match"]: tag, Accept: "application/problem+json" },
  }));
  const bodies = body === undefined ? [] : bodiesOf(body).map((body) => ({ ...plain, path: first!, body }));
  return [
    ...[first!, ...others].map((path) => ({ ...plain, path: withQuery(path, query) })),
    ...named,
    misspelt,
    ...tagged,
    ...bodies,
    ...method === "GET" ? [] : [{ ...plain, path: first!, headers: keyed }],
  ];
}

/** All that is asked of the pages. */
export function pageRequests(setting: Setting): Sent[] {
  return Object.entries(PAGES).flatMap(([template, queriesOf]) =>
    queriesOf(setting).map((query) => ({
      method: "GET",
      path: withQuery(pathsOf(template, setting)[0]!, query),
      headers: { Accept: "text/html" },
    }))
  );
}

/** Arguments of each tool, but for the room. A new tool needs its row. */
export const TOOLS: Record<string, Array<Record<string, unknown>>> = {
  join: [{ agent: "bob" }, { agent: "ann" }, { agent: "bob", leave: true }],
  read_room: [{}, { after: 0 }],
  wait: EXPRESSIONS.map((condition) => ({ condition, timeout_seconds: 0, include: ["state", "agents"] })),
  evaluate: EXPRESSIONS.map((expr) => ({ expr })),
  post_message: [{ from: "bob", body: 1 }],
  list_messages: [{}, { last: 5 }],
  take_task: [{ agent: "bob", timeout_seconds: 0 }, { agent: "bob", message: 3 }],
  finish_task: [{ agent: "bob", message: 3, outcome: "complete", fence: 1 }],
  get_state: [{}, { scope: "ann" }, { scope: "ann", key: "card" }, { prefix: "c" }],
  write_state: [
    { agent: "bob", writes: [{ key: "turn", increment: 1 }] },
    { agent: "bob", writes: [{ scope: "ann", key: "card", value: 1, if_version: 9 }] },
  ],
  delete_state: [{ agent: "bob", key: "none" }, { agent: "bob", scope: "ann", key: "card" }],
  reserve_paths: [{ agent: "bob", paths: ["**"] }, { action: "list" }],
};
