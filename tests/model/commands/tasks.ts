import fc from "fast-check";
import { source } from "../reference/conditions.ts";
import { messageId, type Room, type Which } from "../reference/room.ts";
import {
  type Asked,
  claim,
  complete,
  fail,
  listAttempts,
  release,
  renew,
  take,
  type Where,
} from "../reference/tasks.ts";
import {
  agent,
  command,
  once,
  optional,
  plainCondition,
  revision,
  ttl,
  unkeyed,
  value,
  which,
} from "./command.ts";
import { anybody, kind } from "./messages.ts";

/** The fence that a command names: the message's own, that of an attempt before, another, or none. */
const fence = fc.oneof(
  { weight: 6, arbitrary: fc.constant("own" as const) },
  { weight: 2, arbitrary: fc.constant("first" as const) },
  { weight: 1, arbitrary: revision.map((n) => n + 1) },
  { weight: 3, arbitrary: fc.constant(undefined) },
);

/** Mostly who has the message, else somebody. */
const actor = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: agent },
);

interface Drawn {
  message: Which;
  by: string | undefined;
  fence: "own" | "first" | number | undefined;
}

const OF_TASK = { message: which, by: actor, fence, once };

/** What a command about a message asks for, once it is known what there is. */
function askedOf(room: Room | undefined, { message, by, fence }: Drawn): Asked {
  const id = messageId(room, message);
  const task = room?.messages.find((one) => one.id === id);
  const last = task?.attempts.at(-1);
  const known = { own: last?.fence, first: task?.attempts[0]?.fence };
  return {
    ...{ id, agent: by ?? last?.agent ?? "ann" },
    fence: typeof fence === "string" ? known[fence] ?? 1 : fence,
  };
}

const post = (name: string, { id, ...body }: Asked, members: object = {}) => ({
  method: "POST",
  path: `/messages/${id}/${name}`,
  body: { ...body, ...members },
});

/** What went wrong; null counts as left out. */
const error = optional(value.filter((value) => value !== null));

const must = (fence = 1) => fence;
const seconds = (ttl = 100) => ttl;

const where: fc.Arbitrary<Where> = fc.oneof(
  fc.record({ attempts: fc.nat(2) }),
  fc.record({ newerThan: revision }),
  plainCondition,
);

function sourceOf(where: Where): string {
  if ("attempts" in where) return `message.attempts == ${where.attempts}`;
  if ("newerThan" in where) return `message.id > ${where.newerThan}`;
  return source(where);
}

const below = (room: Room | undefined, thread?: Which) => thread && { thread: messageId(room, thread) };

const writes = [
  command(
    "claim",
    { message: which, agent, ttl, once },
    ({ message, agent, ttl }, room) => post("claim", { id: messageId(room, message), agent }, { ttl }),
    ({ message, agent, ttl }, room) => claim(room, { id: messageId(room, message), agent }, ttl),
  ),
  command(
    "renew",
    { ...OF_TASK, ttl },
    ({ ttl, ...drawn }, room) => {
      const asked = askedOf(room, drawn);
      return post("renew", asked, { fence: must(asked.fence), ttl: seconds(ttl) });
    },
    ({ ttl, ...drawn }, room) => {
      const asked = askedOf(room, drawn);
      return renew(room, { ...asked, fence: must(asked.fence) }, seconds(ttl));
    },
  ),
  command(
    "release",
    { ...OF_TASK, error },
    ({ error, ...drawn }, room) => post("release", askedOf(room, drawn), { error }),
    ({ error, ...drawn }, room) => release(room, askedOf(room, drawn), error),
  ),
  ...[0, 1].map(() =>
    command(
      "complete",
      { ...OF_TASK, result: optional(value) },
      ({ result, ...drawn }, room) => post("complete", askedOf(room, drawn), { result }),
      ({ result, ...drawn }, room) => complete(room, askedOf(room, drawn), result),
    )
  ),
  command(
    "fail",
    { ...OF_TASK, error },
    ({ error, ...drawn }, room) => post("fail", askedOf(room, drawn), { error }),
    ({ error, ...drawn }, room) => fail(room, askedOf(room, drawn), error),
  ),
  ...[undefined, where].map((where) =>
    command(
      "take",
      {
        ...{ agent, ttl, kind: optional(kind), from: optional(anybody, 4), to: optional(anybody, 4) },
        ...{ thread: optional(which, 6), after: optional(revision, 4), once },
        where: where ?? fc.constant(undefined),
      },
      ({ where, thread, ...drawn }, room) => ({
        method: "POST",
        path: "/messages/claim",
        body: { ...unkeyed(drawn), ...below(room, thread), where: where && sourceOf(where) },
      }),
      ({ thread, ...drawn }, room) => take(room, { ...drawn, ...below(room, thread) }),
      { keeps: ({ claimed }) => claimed, beats: ({ where, thread }) => where || thread ? "maybe" : true },
    )
  ),
];

const reads = [
  command(
    "attempts",
    { message: which },
    ({ message }, room) => ({ method: "GET", path: `/messages/${messageId(room, message)}/attempts` }),
    ({ message }, room) => listAttempts(room, messageId(room, message)),
  ),
];

export const taskCommands = { writes, reads };
