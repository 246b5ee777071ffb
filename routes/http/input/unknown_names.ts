import { nearest } from "../../../cel/language/hints/nearest.ts";

/** What a name is one of: members of a body, parameters of a query, tools, and arguments of one. */
export type Kind = "member" | "parameter" | "argument" | "tool";

/** Other words that callers use for our names, not similar in spelling; in lower case, without punctuation. */
const MEANT: Record<string, string> = {
  after: "since afterid sinceid offset cursor unread unseen",
  agent: "agentid from fromagent sender by self who owner claimedby updatedby name id",
  body: "text content message data payload value",
  condition: "expr expression if cel until when query gate predicate",
  error: "reason failure",
  expr: "expression cel formula",
  fence: "token lease leaseid fencingtoken",
  evaluate: "eval expr cel query",
  finish_task: "complete completetask fail failtask release releasetask renew renewtask",
  from: "fromagent sender author by agent agentid",
  get_state: "state readstate liststate",
  if: "gate condition precondition guard when where unless",
  if_version: "version expected expectedversion currentversion cas ifmatch etag",
  include: "fields includes with",
  increment: "inc incr incrementby delta amount by add",
  key: "name",
  kind: "type",
  last: "newest latest tail",
  idempotency_key: "idempotencykey requestid",
  list_messages: "messages readmessages getmessages inbox",
  limit: "count max size perpage pagesize top",
  message: "id messageid msg msgid task taskid",
  max_attempts: "attempts retries maxretries",
  meta: "metadata data",
  needs: "dependson dependencies requires blockedby",
  outcome: "status action verdict",
  paths: "path files file globs glob pattern patterns",
  post_message: "sendmessage send say message post posttask createtask addtask",
  read_room: "room getroom showroom changes getchanges listagents agents",
  reservation: "id reservationid",
  result: "output answer body value",
  reserve_paths: "reserve reservation reservations releasepaths",
  reply_to: "inreplyto parent parentid thread",
  room: "roomid",
  scope: "namespace",
  since: "after revision",
  status: "state",
  take_task: "claim claimtask next nexttask claimmessage take",
  thread: "replyto threadid parent",
  merge: "patch mergepatch mergevalue",
  append: "push",
  append_all: "appendall extend concat",
  ttl: "expires expiresin expiresat expiry expire ttlseconds lifetime",
  timeout: "timeoutms timeoutseconds ms",
  timeout_seconds: "timeout timeoutms ms seconds",
  to: "toagent receiver recipient",
  value: "val data body content",
  wait: "waitfor waituntil until await",
  write_state: "setstate putstate set put write updatestate increment",
  where: "condition filter expr expression when predicate if",
  writes: "operations ops updates entries items",
};

/** Names that only answers have. */
const OF_ANSWERS = new Set(
  ("id created_at claimed_by claimed_at version updated_at updated_by resolved_value joined_at last_heartbeat " +
    "status waiting_on created deleted as").split(" "),
);

const PATHS = new Set(["room", "room_id"]);

/** Words for the `id` of an agent, which also has a `name`, and of a room. */
const IDS = { agent: "agent agentid", room: "room roomid roomname name" };

/** Like MEANT, after all its words. */
const FARTHER: Record<string, string> = { expr: "condition if predicate query", room: "id name" };

const BATCH = "`writes` belong in PUT /rooms/{room}/state/batch, all or none.";
/** Names by which callers ask a write to remove a key. */
const REMOVALS = ["delete", "deleted", "remove", "unset"];
const REMOVAL: Partial<Record<Kind, string>> = {
  member: "A write removes no key: DELETE /rooms/{room}/state does.",
  argument: "A write removes no key: delete_state does.",
};

/** Names under which callers send a token of the room. */
const TOKENS = new Set(
  "token accesstoken authtoken roomtoken admintoken apikey auth authorization bearer".split(" "),
);

const MEANT_BY_WRITES = ["writes", "batch", ...MEANT.writes!.split(" ")];

/** UTF-16 units of a name that an error repeats. */
const SHOWN = 64;

/** Returns the message and the hint for a name that is not `known`. */
export function unknownName(kind: Kind, name: string, known: string[]) {
  return { message: messageOf(kind, name), hint: hintOf(kind, name, known) ?? listOf(kind, known) };
}

/** Tells whether a name is similar in spelling to a known one. */
export function isNear(name: string, known: string[]): boolean {
  return nearest(plainOf(name.slice(0, SHOWN)), known) !== undefined;
}

export function messageOf(kind: Kind, name: string): string {
  const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}...` : name;
  return `There is no ${kind} \`${shown}\`.`;
}

/** Returns what to write instead of a name; undefined if no known one is near. */
export function hintOf(kind: Kind, name: string, known: string[]): string | undefined {
  const meant = meantBy(name, known);
  if (meant !== undefined) return `Did you mean \`${meant}\`?`;
  if (kind === "member" && PATHS.has(name)) return "The path names the room: leave it out.";
  if (kind === "member" && known.includes("increment") && MEANT_BY_WRITES.includes(plainOf(name))) {
    return BATCH;
  }
  if ((kind === "member" || kind === "parameter") && TOKENS.has(plainOf(name))) {
    return "A token goes into a header: `Authorization: Bearer <token>`.";
  }
  if (known.includes("increment") && REMOVALS.includes(plainOf(name))) return REMOVAL[kind];
  if ((kind === "member" || kind === "argument") && OF_ANSWERS.has(name)) {
    return `\`${name}\` is for the service to say: leave it out.`;
  }
  const near = nearest(name, known);
  return near && `Did you mean \`${near}\`?`;
}

/** Returns the known name that another one means, whatever its spelling. */
export function meantBy(name: string, known: string[]): string | undefined {
  const plain = plainOf(name.slice(0, SHOWN));
  return known.find((other) => plainOf(other) === plain) ??
    known.find((other) => namesFor(other, known)?.split(" ").includes(plain)) ??
    known.find((other) => FARTHER[other]?.split(" ").includes(plain));
}

function namesFor(name: string, known: string[]): string | undefined {
  return name === "id" ? IDS[known.includes("name") ? "agent" : "room"] : MEANT[name];
}

function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

export function listOf(kind: Kind, known: string[]): string {
  if (known.length === 0) return `There are no ${kind}s here.`;
  const names = known.map((name) => `\`${name}\``).join(", ");
  const own = known.includes("meta") ? " Data of your own belongs in `meta`." : "";
  return known.length === 1 ? `The only ${kind} is ${names}.` : `The ${kind}s are ${names}.${own}`;
}
