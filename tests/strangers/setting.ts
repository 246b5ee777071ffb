import assert from "node:assert/strict";
import { createDatabase } from "../../db/database.ts";
import { connect } from "../../db/driver/open.ts";
import { createApp } from "../../routes/app.ts";
import { FAIR_USE } from "../../routes/http/callers/fair_use.ts";
import { createPages } from "../../routes/pages/pages.ts";
import { createServices } from "../../routes/services.ts";
import { DATABASES } from "../support/databases.ts";
import { bearer } from "../support/tokens.ts";

/** What stands in all that only some may read: nothing that the suite sends has it. */
export const MARKERS = {
  /** All of the locked room. */
  room: "Zorro1Inside",
  /** The private scope of the agent ann. */
  hand: "Qavez2Hidden",
  /** The notes of tokens and invitations that others made. */
  note: "Wimble3Note",
};
export type Marker = keyof typeof MARKERS;

export interface Sent {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: string;
  text: string;
  // deno-lint-ignore no-explicit-any -- a body is looked into, not typed
  body: any;
}

/** Someone who asks, and what they may not read. */
export interface Actor {
  name: string;
  token?: string;
  mayNot: Marker[];
  /** Nothing tells it whether the room exists. */
  isStranger: boolean;
}

export interface Setting {
  /** The paths that are served, with their parameters. */
  served: string[];
  ask(sent: Sent, token?: string): Promise<Answer>;
  /** The locked room, and an id of the same length that no room has. */
  room: string;
  none: string;
  /** An open room with a secure agent, readers' tokens, and a token that was revoked. */
  open: { room: string; reader(): Promise<string>; revoked: string };
  ids: { message: number; task: number; token: string; invite: string; reservation: string };
  /** The texts of tokens and codes that nobody is shown again. */
  secrets: string[];
  /** ETags and keys that an admin's requests had. */
  etags: string[];
  key: string;
  /** Each is asked with a token of its own: some requests end it. */
  actors: Record<"outsider" | "elsewhere" | "revoked" | "reader" | "member" | "admin", Actor>;
  /** A token of the locked room, as the actor's. */
  spare(actor: Actor): Promise<string | undefined>;
}

const NEARLY_ENDLESS = 1e9;

/** Runs a test in a locked room with one of each thing, over a database of each kind. */
export function strangersTest(name: string, test: (setting: Setting) => Promise<void>): void {
  for (const [kind, open] of Object.entries(DATABASES)) {
    Deno.test(`${kind}: ${name}`, async () => {
      const { url, stop } = await open();
      const database = createDatabase({ connect: () => connect(url) });
      const limits = {
        roomPerSecond: NEARLY_ENDLESS,
        waitsOfCaller: NEARLY_ENDLESS,
        waitsOfRoom: NEARLY_ENDLESS,
      };
      const services = createServices(database, { fairUse: { ...FAIR_USE, ...limits } });
      try {
        await database.migrate();
        const app = createApp(services);
        const served = [...app.routes, ...createPages(services, app).routes].map(({ path }) => path);
        await test({ ...await furnish((path, init) => Promise.resolve(app.request(path, init))), served });
      } finally {
        await services.watch.drain();
        await database.close();
        await stop();
      }
    });
  }
}

type Request = (path: string, init: RequestInit) => Promise<Response>;

async function furnish(request: Request): Promise<Omit<Setting, "served">> {
  const ask = asking(request);
  async function done(sent: Sent, token?: string) {
    const answer = await ask(sent, token);
    assert.ok(answer.status < 300, `${sent.method} ${sent.path}: ${answer.text}`);
    return answer.body;
  }
  const { room: M, hand: H, note: N } = MARKERS;
  const { id: room, token: admin } = await done({
    method: "POST",
    path: "/rooms",
    body: { locked: true, meta: { [M]: M } },
  });
  const other = await done({ method: "POST", path: "/rooms", body: { locked: true } });
  const at = (path: string) => `/rooms/${room}${path}`;
  const post = (path: string, body: unknown, token = admin) =>
    done({ method: "POST", path: at(path), body }, token);
  const put = (body: unknown, token = admin) => done({ method: "PUT", path: at("/state"), body }, token);

  const ann = await post("/agents", {
    id: "ann",
    name: M,
    role: M,
    meta: { M },
    secure: true,
    private: true,
  });
  const bob = await post("/agents", { id: "bob", name: "Bob", secure: true });
  await post("/agents", { id: `${M}-agent`, name: M });
  const message = await post("/messages", { from: `${M}-agent`, to: "bob", kind: M, body: M });
  const task = await post("/messages", { kind: "task", body: M, max_attempts: 9 });
  await post(`/messages/${task.id}/claim`, { agent: `${M}-agent` });
  await post(`/messages/${task.id}/release`, { agent: `${M}-agent`, error: M });
  await post("/messages", { kind: "task", body: M, needs: [task.id], reply_to: message.id });
  await put({ key: `key_${M}`, value: { [M]: M } });
  await put({ key: "turn", value: M, agent: `${M}-agent` });
  await put({ scope: "_view", key: "whole", expr: `state._shared.turn + "${M}"` });
  await put({ key: "card", value: H, scope: "ann" }, ann.token);
  await put({ key: `card_${H}`, value: [H, { [H]: 1 }], scope: "ann" }, ann.token);
  await put({ scope: "_view", key: "cards", expr: "size(state.ann)" }, ann.token);
  const reservation = await post("/reservations", { agent: `${M}-agent`, paths: [`${M}/**`], note: M });
  const noted = await post("/tokens", { role: "reader", note: N });
  const invite = await post("/invites", { role: "member", note: N });
  const revoked = await post("/tokens", { role: "member", agent: "rex", note: "revoked" });
  const reader = await post("/tokens", { role: "reader", note: "reads" });
  const key = crypto.randomUUID();
  for (const method of ["POST"]) {
    const body = { from: `${M}-agent`, body: 1 };
    await done({ method, path: at("/messages"), body, headers: { "Idempotency-Key": key } }, admin);
  }
  const etags = await Promise.all(
    [at(""), at("/state?key=turn"), at("/state?scope=ann&key=card")].map(async (path) =>
      (await request(path, { headers: bearer(admin) })).headers.get("ETag") ?? ""
    ),
  );
  await done({ method: "DELETE", path: at(`/tokens/${revoked.id}`) }, admin);

  const open = await openRoom(done);
  const all: Marker[] = ["room", "hand", "note"];
  const others: Marker[] = ["hand", "note"];
  const actors = {
    outsider: { name: "outsider", mayNot: all, isStranger: true },
    elsewhere: { name: "admin of another room", token: other.token, mayNot: all, isStranger: true },
    revoked: { name: "holder of a revoked token", token: revoked.token, mayNot: all, isStranger: true },
    reader: { name: "reader", token: reader.token, mayNot: others, isStranger: false },
    member: {
      name: "other member",
      token: bob.token,
      mayNot: others,
      isStranger: false,
    },
    admin: { name: "admin", token: admin, mayNot: [], isStranger: false },
  };
  const made: Record<string, unknown> = {
    [actors.reader.name]: { role: "reader" },
    [actors.member.name]: { role: "member", agent: "bob" },
    [actors.admin.name]: { role: "admin" },
  };
  return {
    ask,
    room,
    none: crypto.randomUUID(),
    open,
    ids: {
      message: message.id,
      task: task.id,
      token: noted.id,
      invite: invite.id,
      reservation: reservation.id,
    },
    secrets: [
      admin,
      ann.token,
      bob.token,
      noted.token,
      revoked.token,
      reader.token,
      other.token,
      invite.code,
    ],
    etags,
    key,
    actors,
    spare: async ({ name, token }) =>
      made[name] === undefined ? token : (await post("/tokens", made[name])).token,
  };
}

async function openRoom(
  done: (sent: Sent, token?: string) => Promise<Answer["body"]>,
): Promise<Setting["open"]> {
  const { id: room } = await done({ method: "POST", path: "/rooms", body: {} });
  const at = (path: string) => `/rooms/${room}${path}`;
  const { token } = await done({
    method: "POST",
    path: at("/agents"),
    body: { id: "ann", name: "Ann", secure: true },
  });
  const make = (role: string) => done({ method: "POST", path: at("/tokens"), body: { role } }, token);
  const revoked = await make("member");
  await done({ method: "DELETE", path: at(`/tokens/${revoked.id}`) }, token);
  return { room, reader: async () => (await make("reader")).token, revoked: revoked.token };
}

function asking(request: Request): Setting["ask"] {
  return async ({ method, path, body, headers }, token) => {
    const response = await request(path, {
      method,
      headers: { ...headers, ...token !== undefined && bearer(token) },
      ...body !== undefined && { body: JSON.stringify(body) },
    });
    const text = await (path === "/mcp" ? response.text() : textOf(response));
    const shown = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    return { status: response.status, headers: shown, text, body: parsed(text) };
  };
}

/** Milliseconds of silence after which a stream has told what there is: before its first event, and after it. */
const SILENT_MS = [1_000, 40];

/** Reads an answer whole, or what a stream tells at once. */
async function textOf(response: Response): Promise<string> {
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream") || response.body === null) {
    return await response.text();
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let late: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<undefined>((resolve) =>
      late = setTimeout(() => resolve(undefined), SILENT_MS[text.includes("data:") ? 1 : 0])
    );
    const next = await Promise.race([reader.read(), silence]);
    clearTimeout(late);
    if (next === undefined || next.done) break;
    text += next.value;
  }
  await reader.cancel();
  return text;
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
