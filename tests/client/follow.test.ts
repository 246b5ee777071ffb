import assert from "node:assert/strict";
import { connect, type ConnectOptions, type FollowOptions, type Json, type Room } from "../../client/mod.ts";
import { collectGarbage } from "../support/garbage.ts";
import { answer, away, scripted, streamed } from "../support/scripted.ts";
import { startHereAlone } from "../support/here.ts";
import { until } from "../support/until.ts";

/** Both ways to follow, as the bodies of messages. */
const WAYS = {
  async *"room.follow"(room: Room, options: FollowOptions) {
    for await (const { messages } of room.follow(options)) {
      yield* messages.map(({ body }) => body);
    }
  },
  async *"room.messages.follow"(room: Room, options: FollowOptions) {
    for await (const { body } of room.messages.follow(options)) yield body;
  },
};

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test(`${name} begins with what is there, behind what is known, or now`, async () => {
    const service = await startHereAlone();
    try {
      const room = await connect(service.url).open("r");
      const { id } = await room.messages.post("one");
      await room.messages.post("two");
      const begins: Array<[FollowOptions["after"], Json[]]> = [
        [undefined, ["one", "two", "three"]],
        [0, ["one", "two", "three"]],
        [id, ["two", "three"]],
        ["now", ["three"]],
      ];
      const followers = begins.map(([after, expected]) => {
        const { fetch, opened } = noticing();
        const seen = connect(service.url, { fetch }).room("r");
        return { opened, bodies: first(expected.length, way(seen, { after })) };
      });
      await Promise.all(
        followers.map(({ opened, bodies }) => Promise.race([opened, bodies])),
      );
      await room.messages.post("three");
      assert.deepEqual(
        await Promise.all(followers.map(({ bodies }) => bodies)),
        begins.map(([, expected]) => expected),
      );
    } finally {
      await service.stop();
    }
  });

  Deno.test(`${name} gives up with the usual patience until it was answered once`, async () => {
    for (const after of [undefined, 7, "now"] as const) {
      const { fetch, sent } = scripted(away(530));
      const room = connect("http://service", { fetch, patience: 0 }).room("r");
      await assert.rejects(way(room, { after }).next(), {
        name: "ConveneError",
        status: 530,
      });
      assert.equal(sent.length, 1);
    }
  });
}

const one = { id: 1, body: "one" };
const two = { id: 2, body: "two" };
const change = (message: typeof one) => ({
  revision: message.id,
  messages: [message],
});

Deno.test("whoever was answered once outlasts every outage, and resumes where it was", async () => {
  const changes = scripted(
    answer({ id: "r" }, 1),
    streamed(change(one)),
    away(530),
    away(521),
    streamed(change(two)),
  );
  const options = { patience: 0 };
  const followed = connect("http://service", {
    fetch: changes.fetch,
    ...options,
  }).room("r").follow();
  assert.deepEqual((await first(2, followed)).map(({ revision }) => revision), [
    1,
    2,
  ]);
  const stream = (after: number) => `/rooms/r/events?after=${after}`;
  assert.deepEqual(changes.sent, [
    "/rooms/r",
    stream(0),
    stream(1),
    stream(1),
    stream(1),
  ]);

  const messages = scripted(
    answer([one], 1),
    away(530),
    streamed(change(two)),
    away(530),
    away(521),
    answer([two], 2),
  );
  const room = connect("http://service", { fetch: messages.fetch, ...options })
    .room("r");
  assert.deepEqual(
    (await first(2, room.messages.follow())).map(({ id }) => id),
    [1, 2],
  );
  const list = (after: number) => `/rooms/r/messages?after=${after}&limit=1000`;
  assert.deepEqual(messages.sent, [
    list(0),
    stream(1),
    stream(1),
    list(1),
    list(1),
    list(1),
  ]);
});

Deno.test("a list of messages that is followed outlasts an outage between its pages", async () => {
  const page = answer([one], 2);
  page.headers.set("Link", '</rooms/r/messages?after=1>; rel="next"');
  const { fetch } = scripted(page, away(530), answer([two], 2));
  const room = connect("http://service", { fetch, patience: 0 }).room("r");
  assert.deepEqual(
    (await first(2, room.messages.follow())).map(({ id }) => id),
    [1, 2],
  );
});

Deno.test("a room that is gone ends those who follow it", async () => {
  const gone = () =>
    new Response(
      JSON.stringify({ error: "room_not_found", message: "There is no room." }),
      { status: 404 },
    );
  for (const [name, way] of Object.entries(WAYS)) {
    const begun = name === "room.follow" ? answer({ id: "r" }) : answer([]);
    for (const answers of [[gone()], [begun, gone()]]) {
      const room = connect("http://service", {
        fetch: scripted(...answers).fetch,
      }).room("r");
      await assert.rejects(
        way(room, {}).next(),
        { code: "room_not_found" },
        name,
      );
    }
  }
});

/** What the service says to a reader that knows more than there is, before all that there is. */
const reset = {
  revision: 0,
  state: [],
  agents: [],
  messages: [],
  more: true,
  reset: true,
};
const told = (...changes: Array<{ revision: number }>) =>
  new Response(
    changes.map((change, n) =>
      `${n === 0 ? "event: reset\n" : ""}id: ${change.revision}\ndata: ${JSON.stringify(change)}\n\n`
    ).join(""),
    { headers: { "Content-Type": "text/event-stream" } },
  );

Deno.test("whoever follows a room that has gone back begins anew, and goes on from there", async () => {
  const changes = scripted(
    answer({ id: "r" }, 9),
    told(reset, change(one)),
    away(530),
    streamed(change(two)),
  );
  const options = { patience: 0 };
  const followed = connect("http://service", {
    fetch: changes.fetch,
    ...options,
  }).room("r").follow({
    after: 9,
  });
  const found = await first(3, followed);
  assert.deepEqual(found.map(({ revision, reset }) => [revision, reset]), [
    [0, true],
    [1, undefined],
    [
      2,
      undefined,
    ],
  ]);
  const stream = (after: number) => `/rooms/r/events?after=${after}`;
  assert.deepEqual(changes.sent, ["/rooms/r", stream(9), stream(1), stream(1)]);

  const messages = scripted(
    answer([], 9),
    told(reset, change(one)),
    answer([one, two], 2),
  );
  const room = connect("http://service", { fetch: messages.fetch, ...options })
    .room("r");
  assert.deepEqual(
    (await first(2, room.messages.follow({ after: 9 }))).map(({ id }) => id),
    [1, 2],
  );
  const list = (after: number) => `/rooms/r/messages?after=${after}&limit=1000`;
  assert.deepEqual(messages.sent, [list(9), stream(9), list(0)]);
});

async function first<T>(count: number, from: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const one of from) {
    taken.push(one);
    if (taken.length === count) break;
  }
  return taken;
}

/** `opened` resolves when a stream has begun. */
function noticing(): { fetch: ConnectOptions["fetch"]; opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    opened: promise,
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (String(input).includes("/events")) resolve();
      return response;
    },
  };
}

Deno.test("following ends with its signal, however much it has read and whatever was collected since", async () => {
  const CHANGES = 1_000; // enough for V8 to compile what reads them, and to drop what that does not need any more
  const FOLLOWERS = 5;
  let left = 0;
  const thenSilent = () => {
    let sent = 0;
    return new ReadableStream({
      pull(stream) {
        if (sent === CHANGES) return new Promise(() => {});
        stream.enqueue(new TextEncoder().encode(`id: ${++sent}\ndata: {"revision":${sent}}\n\n`));
      },
      cancel: () => void left++,
    });
  };
  const closing = new AbortController();
  const { signal } = closing;
  const service = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, signal },
    ({ url }) =>
      url.includes("/events?")
        ? new Response(thenSilent(), { headers: { "Content-Type": "text/event-stream" } })
        : Response.json({ id: "r" }, { headers: { "Convene-Revision": "1" } }),
  );
  try {
    const room = connect(`http://127.0.0.1:${service.addr.port}`).room("r");
    const leaving = new AbortController();
    let seen = 0;
    let over = 0;
    const following = Array.from({ length: FOLLOWERS }, async () => {
      for await (const _ of room.follow({ signal: leaving.signal })) seen++;
      over++;
    });
    await until(() => seen, (count) => count === FOLLOWERS * CHANGES);
    for (let times = 0; times < 3; times++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve));
    }
    leaving.abort();
    await until(() => over, (count) => count === FOLLOWERS);
    await Promise.all(following);
    await until(() => left, (count) => count === FOLLOWERS);
  } finally {
    closing.abort(); // a shutdown would await streams that nobody leaves
    await service.finished;
  }
});
