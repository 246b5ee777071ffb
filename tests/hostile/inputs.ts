/**
 * Requests that nobody means well: every field of every endpoint, each with every value that suits it. Paths have `ROOM`
 * for an open room, `LOCKED` for a locked one, `OPEN_CODE` and `LOCKED_CODE` for codes that let many into them.
 */
export interface Input {
  method: string;
  path: string;
  raw?: string;
  /** Whose token it shows. */
  as?: Holder;
}

/** A member of the open room, who is bob there, and an admin of the locked one. */
export type Holder = "member" | "admin";

const ANY: string[] = [
  '""',
  '" "',
  '"."',
  '".."',
  '"_x"',
  '"\\u0000"',
  '"\\n"',
  '"\\u0085"',
  '"\\ud800"',
  '"\\udc00x"',
  '"\\u202eabc"',
  '"__proto__"',
  '"constructor"',
  '"\'; DROP TABLE rooms; --"',
  '"state._shared.k"',
  '"%00"',
  '"<script>"',
  "null",
  "true",
  "0",
  "-1",
  "-0",
  "1.5",
  "1e308",
  "1e400",
  "9007199254740993",
  "9223372036854775808",
  "[]",
  "{}",
  "[[]]",
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":1}}',
  `"${"x".repeat(129)}"`,
  `"${"x".repeat(5_000)}"`,
  `"${"\\u0001".repeat(300)}"`,
  `${"[".repeat(60)}${"]".repeat(60)}`,
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
];

/** The members of each body, with one that is right for each, so that only one is wrong at a time. */
const BODIES: [method: string, path: string, body: Record<string, unknown>, as?: Holder][] = [
  ["POST", "/rooms", { id: "ROOM", meta: {}, locked: false, listed: false }],
  ["POST", "/rooms/ROOM/agents", {
    id: "ann",
    name: "Ann",
    role: "agent",
    meta: {},
    if_new: false,
    secure: false,
    private: false,
  }],
  ["POST", "/rooms/ROOM/agents/ann/heartbeat", { status: "busy" }],
  ["POST", "/rooms/ROOM/messages", {
    from: "ann",
    to: "bob",
    kind: "k",
    body: 1,
    reply_to: null,
    from_agent: "ann",
  }],
  ["POST", "/rooms/ROOM/messages/1/claim", { agent: "ann" }],
  ["PUT", "/rooms/ROOM/state", {
    scope: "_shared",
    key: "k",
    value: 1,
    if_version: 1,
    increment: false,
    expr: undefined,
    if: "true",
    agent: "ann",
  }],
  ["PUT", "/rooms/ROOM/state/batch", { writes: [{ key: "k", value: 1 }], if: "true", agent: "ann" }],
  ["DELETE", "/rooms/ROOM/state", { scope: "_shared", key: "gone", if_version: 1, if: "true", agent: "ann" }],
  ["DELETE", "/rooms/ROOM/agents/gone", {}],
  ["POST", "/rooms/ROOM/eval", { expr: "1", agent: "ann" }],
  ["POST", "/rooms/ROOM/wait", { condition: "true", agent: "ann", timeout: 0, include: "messages" }],
  ["POST", "/rooms/ROOM/tokens", { role: "reader", agent: "bob", ttl: 60, note: "n" }, "member"],
  ["POST", "/rooms/LOCKED/tokens", { role: "member", agent: "bob", ttl: 60, note: "n" }, "admin"],
  ["POST", "/rooms/ROOM/invites", { role: "member", agent: "new", uses: 1, ttl: 60, note: "n" }],
  ["POST", "/rooms/LOCKED/invites", { role: "admin", agent: "bob", uses: 1, ttl: 60, note: "n" }, "admin"],
  ["POST", "/join/OPEN_CODE", { agent: "carol", name: "Carol", role: "agent", meta: {} }],
  ["POST", "/join/LOCKED_CODE", { agent: "carol", name: "Carol", role: "agent", meta: {} }],
  ["DELETE", "/rooms/ROOM", {}],
  ["DELETE", "/rooms/ROOM/tokens/none", {}, "member"],
  ["DELETE", "/rooms/LOCKED/tokens/none", {}, "admin"],
  ["DELETE", "/rooms/LOCKED/invites/none", {}, "admin"],
  ["POST", "/rooms/ROOM/tokens/rotate", { revoke_made: false }, "member"],
  ["POST", "/rooms/LOCKED/tokens/rotate", { revoke_made: false }, "admin"],
];

/** Bodies that are none of an endpoint's, the last of which it may take for none at all. */
const NO_BODIES = [
  "null",
  "[]",
  "1",
  '"x"',
  "{",
  "{]",
  '{"a"',
  "\u0000",
  "{}{}",
  '{"key":1,"key":2}',
  "\uFEFF{}",
  " ",
  "",
];

const PIECES: string[] = [
  "",
  "%",
  "%zz",
  "%2",
  "%00",
  "%0a",
  "%ff",
  "%c3%28",
  "%ed%a0%80",
  "%2e%2e",
  "%2F",
  "%E2%80%AE",
  "-1",
  "0",
  "1.5",
  "1e3",
  "99999999999999999999",
  "NaN",
  "__proto__",
  "constructor",
  "'%20OR%201=1--",
  "%3Cscript%3E",
  "x".repeat(4_000),
];

const PATHS: Array<string | [method: string, path: string, as: Holder]> = [
  "/VALUE",
  "/rooms/VALUE",
  "/rooms/VALUE/state",
  "/rooms/VALUE/agents",
  "/rooms/ROOM/VALUE",
  "/rooms/ROOM/agents/VALUE",
  "/rooms/ROOM/messages/VALUE",
  "/assets/VALUE/page.css",
  "/assets/1/VALUE",
  ["GET", "/rooms/LOCKED/VALUE", "admin"],
  ["DELETE", "/rooms/ROOM/tokens/VALUE", "member"],
  ["DELETE", "/rooms/LOCKED/tokens/VALUE", "admin"],
  ["DELETE", "/rooms/LOCKED/invites/VALUE", "admin"],
];

const QUERIES: [path: string, names: string[]][] = [
  ["/", ["room"]],
  ["/?room=ROOM", ["expr", "agent"]],
  ["/rooms", ["limit", "before", "before_id"]],
  ["/rooms/ROOM/messages", ["after", "kind", "thread", "unclaimed", "limit", "from", "to", "last"]],
  ["/rooms/ROOM/state", ["scope", "key", "resolve", "since", "prefix"]],
  ["/rooms/ROOM/changes", ["after", "limit"]],
  ["/rooms/ROOM/wait?timeout=0&condition=true", ["agent", "include", "timeout"]],
  ["/rooms/ROOM/wait?timeout=0", ["condition"]],
  ["/rooms/ROOM/messages", ["VALUE", "", "[]", "%00", "__proto__", "constructor"]],
  ["/rooms/ROOM/invites", ["limit", "after"]],
  ["/join/OPEN_CODE", ["agent", "token"]],
];

const METHODS = ["PATCH", "PUT", "DELETE", "POST", "HEAD", "OPTIONS", "PROPFIND"];
const RESOURCES = [
  "/",
  "/rooms",
  "/rooms/ROOM",
  "/rooms/ROOM/state/batch",
  "/rooms/ROOM/eval",
  "/rooms/ROOM/tokens",
  "/rooms/ROOM/invites",
  "/rooms/LOCKED",
  "/rooms/LOCKED/tokens/rotate",
  "/join/OPEN_CODE",
  "/metrics",
  "/healthz",
  "/guide",
];

/** As many fields as a body holds. */
const INCLUDES = ["state.a", "state", "agents", "messages:after:1", ""].map((field) =>
  Array<string>(Math.floor(200_000 / (field.length + 3))).fill(field)
);

export const INPUTS: Input[] = [
  ...INCLUDES.flatMap((include) =>
    [include, include.join(), include.map(() => 1)].map((include) => ({
      method: "POST",
      path: "/rooms/ROOM/wait",
      raw: JSON.stringify({ condition: "true", timeout: 0, include }),
    }))
  ),
  ...BODIES.flatMap(([method, path, body, as]) =>
    [...Object.keys(body), "unknown"].flatMap((name) =>
      ANY.map((value) => ({ method, path, raw: withMember(body, name, value), as }))
    )
  ),
  ...BODIES.flatMap(([method, path, , as]) => NO_BODIES.map((raw) => ({ method, path, raw, as }))),
  ...PATHS.flatMap((at) => {
    const [method, path, as] = typeof at === "string" ? ["GET", at] as const : at;
    return PIECES.map((value) => ({ method, path: path.replace("VALUE", value), as }));
  }),
  ...QUERIES.flatMap(([path, names]) =>
    names.flatMap((name) =>
      PIECES.flatMap((value) => {
        const one = `${path}${path.includes("?") ? "&" : "?"}${name}=${value}`;
        return [{ method: "GET", path: one }, { method: "GET", path: `${one}&${name}=x&${name}=` }];
      })
    )
  ),
  ...METHODS.flatMap((method) => RESOURCES.map((path) => ({ method, path }))),
  // Then the locked room is gone.
  ...NO_BODIES.map((raw) => ({ method: "DELETE", path: "/rooms/LOCKED", raw, as: "admin" as const })),
];

/** Codes that nobody made, after ten of which no code is answered for a while. */
export const WRONG_CODES: Input[] = ["GET", "POST"].flatMap((method) =>
  PIECES.map((value) => ({ method, path: `/join/${value}` }))
);

function withMember(body: Record<string, unknown>, name: string, value: string): string {
  const others = JSON.stringify({ ...body, [name]: undefined }).slice(1, -1);
  return `{${JSON.stringify(name)}:${value}${others && ","}${others}}`;
}
