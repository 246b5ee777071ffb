import { z } from "zod";
import { STATUSES } from "../../db/presence.ts";

const time = z.string().meta({ format: "date-time", example: "2026-11-22T04:20:00.000Z" });
const json = z.unknown().meta({ description: "Any JSON" });
const count = z.int().min(0);
const object = z.record(z.string(), z.unknown());
const revision = count.meta({ description: "A revision of the room" });
const failure = z.object({
  code: z.string(),
  message: z.string(),
  position: count.optional(),
  hint: z.string().optional(),
});

const Room = z.object({ id: z.string(), created_at: time, meta: object });

const AgentInCel = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  meta: object,
  status: z.enum(STATUSES),
  waiting_on: z.string().nullable().meta({ description: "The condition of the agent's newest wait" }),
  joined_at: time,
  last_heartbeat: time,
});
const Agent = AgentInCel.extend({ room_id: z.string() });
const RegisteredAgent = Agent.extend({
  created: z.boolean().meta({ description: "Whether the agent is new in the room" }),
});

const Message = z.object({
  id: z.int().min(1).meta({ description: "The revision at which the message came" }),
  room_id: z.string(),
  from_agent: z.string().nullable(),
  to_agent: z.string().nullable(),
  kind: z.string(),
  body: json,
  created_at: time,
  reply_to: z.int().min(1).nullable(),
  claimed_by: z.string().nullable(),
  claimed_at: time.nullable(),
});

const Entry = z.object({
  room_id: z.string(),
  scope: z.string(),
  key: z.string(),
  value: json,
  version: z.int().min(1),
  updated_at: time,
  updated_by: z.string().nullable(),
});
const View = Entry.extend({
  expr: z.string(),
  resolved_value: json.optional(),
  error: failure.optional().meta({ description: "Why the view has no value yet" }),
});
const DeletedEntry = z.object({
  scope: z.string(),
  key: z.string(),
  deleted: z.literal(true),
  version: z.int().min(1),
  updated_at: time,
});
const changed = { revision };
const Changes = z.object({
  revision: revision.meta({ description: "Where to go on" }),
  state: z.array(z.union([Entry.extend(changed), View.extend(changed), DeletedEntry.extend(changed)])),
  agents: z.array(Agent.extend(changed)),
  messages: z.array(Message.extend(changed)),
  more: z.boolean().meta({ description: "There is more: go on at once" }),
  reset: z.literal(true).optional().meta({
    description: "The room has not come to `after`: this is from the start, drop what you hold",
  }),
});

const included = {
  state: z.record(z.string(), object).optional(),
  agents: z.record(z.string(), AgentInCel).optional(),
  messages: z.object({ count, unclaimed: count }).optional(),
  messages_since: z.array(Message).optional(),
  messages_more: z.literal(true).optional().meta({ description: "`messages_since` was cut: there are more" }),
  changes: Changes.optional(),
};
const notice = z.literal("agent_not_registered").optional()
  .meta({ description: "`agent` is not registered: it waits, and others do not see it" });
const Triggered = z.object({
  triggered: z.literal(true),
  condition: z.string(),
  value: json,
  notice,
  ...included,
});
const TimedOut = z.object({
  triggered: z.literal(false),
  timeout: z.literal(true),
  elapsed_ms: count,
  last_error: failure.optional().meta({ description: "Why the condition could not be judged" }),
  notice,
  ...included,
});

/** What the answers are made of. A test compares every answer of the contract suite with them. */
export const ANSWERS = {
  Room,
  RoomList: z.array(Room),
  Agent,
  RegisteredAgent,
  AgentList: z.array(Agent),
  Heartbeat: z.object({
    ok: z.literal(true),
    agent: z.string(),
    status: z.enum(STATUSES),
    heartbeat: time,
  }),
  Message,
  MessageList: z.array(Message),
  Claim: z.object({ claimed: z.literal(true), claimed_by: z.string(), message_id: z.int().min(1) }),
  Entry,
  View,
  DeletedEntry,
  EntryOrView: z.union([Entry, View]),
  StateAnswer: z.union([Entry, View, z.array(z.union([Entry, View, DeletedEntry]))]),
  Batch: z.object({ ok: z.literal(true), count, state: z.array(z.union([Entry, View])) }),
  Deletion: z.object({ deleted: z.boolean() }),
  Evaluation: z.object({ expression: z.string(), value: json, context_keys: z.array(z.string()) }),
  Triggered,
  TimedOut,
  Wait: z.union([Triggered, TimedOut]),
  Changes,
  Health: z.object({ ok: z.literal(true), version: z.string() }),
};

const index = count.meta({ description: "The refused write's place in its batch" });
const current = z.union([Entry, View]).nullable().meta({ description: "The entry as it stands" });

/** The members of errors that `members` of the table name. */
export const ERROR_MEMBERS: Record<string, z.ZodType> = {
  issues: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  index,
  expression: z.string(),
  position: count,
  cause: z.object({ code: z.string(), message: z.string(), position: count.optional() }),
  current,
  evaluated: json,
  claimed: z.literal(false),
  claimed_by: z.string(),
  claimed_at: time,
};
