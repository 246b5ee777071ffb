import assert from "node:assert/strict";
import { connect, type ConveneError, type Room } from "../../client/mod.ts";
import { acted, refusal, streamed } from "../support/scripted.ts";
import { Shell } from "../cli/command.ts";

const NO_RESULT = { triggered: false, claimed: false, timeout: true, elapsed_ms: 0 };

/** A room of a server that answers every request at once with this, and what it was sent. */
function roomOf(answer: () => Response): { room: Room; sent: unknown[] } {
  const { fetch, sent } = acted(answer);
  return { room: connect("http://service", { fetch }).room("r", { agent: "ada" }), sent };
}

const strange = { name: "ConveneError", code: "bad_answer", passing: false };

Deno.test("who is answered early again and again asks ever later", async () => {
  const timeout = 400;
  for (
    const [answer, wait] of [
      [NO_RESULT, (room: Room) => room.until("false", { timeout })],
      [NO_RESULT, (room: Room) => room.tasks.next({ timeout })],
      [NO_RESULT, (room: Room) => room.tasks.worker(() => {}, { signal: AbortSignal.timeout(timeout) })],
      [undefined, (room: Room) => room.reservations.reserve(["a"], { timeout })],
    ] as const
  ) {
    const { room, sent } = roomOf(() => answer ? Response.json(answer) : refusal(409, "reserved"));
    await wait(room).catch((error: ConveneError) => assert.equal(error.code, "reserved"));
    assert.ok(sent.length >= 2 && sent.length <= 8, `${sent.length} requests`);
  }
});

Deno.test("an answer that is no object, and no list where one was asked for, is none of the service", async () => {
  const objects = [
    (room: Room) => room.info(),
    (room: Room) => room.eval("1"),
    (room: Room) => room.messages.post("hi"),
    (room: Room) => room.state.increment("n"),
    (room: Room) => room.state.get("n"),
    (room: Room) => room.join(),
    (room: Room) => room.until("true"),
    (room: Room) => room.tasks.next(),
    (room: Room) => room.tasks.worker(() => {}),
    (room: Room) => room.follow().next(),
    (room: Room) => room.lock("k"),
  ];
  const lists = [
    (room: Room) => room.state.list(),
    (room: Room) => room.messages.list(),
    (room: Room) => room.messages.attempts(1),
    (room: Room) => room.messages.follow().next(),
    (room: Room) => room.agents(),
    (room: Room) => room.reservations.list(),
    (room: Room) => room.tokens.list(),
    (room: Room) => room.invites.list(),
    (room: Room) => connect(room.connection.url, room.connection.options).rooms(),
  ];
  for (const [calls, other] of [[objects, []], [lists, {}]] as const) {
    for (const body of [5, null, "text", true, other]) {
      for (const call of calls) {
        const { room, sent } = roomOf(() => Response.json(body));
        await assert.rejects(async () => await call(room), strange, `${JSON.stringify(body)}: ${call}`);
        assert.equal(sent.length, 1);
      }
    }
  }
});

Deno.test("an object that says nothing of a wait or a task is no answer to one", async () => {
  for (
    const body of [{}, { triggered: "yes", claimed: 1 }, { claimed: true }, { claimed: true, message: 5 }]
  ) {
    for (
      const call of [
        (room: Room) => room.until("true"),
        (room: Room) => room.tasks.next(),
        (room: Room) => room.tasks.worker(() => {}),
      ]
    ) {
      const { room, sent } = roomOf(() => Response.json(body));
      await assert.rejects(call(room), strange);
      assert.equal(sent.length, 1);
    }
  }
});

Deno.test("whoever asks where the rest of the tasks begins is not led in a circle", async () => {
  for (const next of [undefined, "5", 0, 5]) {
    const { room, sent } = roomOf(() => Response.json({ ...NO_RESULT, more: true, next }));
    await assert.rejects(room.tasks.next({ after: 5 }), strange);
    assert.equal(sent.length, 1);
  }
});

Deno.test("what is no stream of events, and no JSON in one, is told", async () => {
  const event = (data: string) => new Response(`id: 1\ndata: ${data}\n\n`, streamed());
  const answers = [
    () => Response.json({}),
    () => new Response("<h1>Hello</h1>"),
    () => event("x"),
    () => event("5"),
  ];
  for (const answer of answers) {
    for (const from of [(room: Room) => room, (room: Room) => room.messages]) {
      const stop = new AbortController();
      const opened: string[] = [];
      const { fetch } = acted(({ path }) => {
        if (!path.includes("/events")) return Response.json(path.includes("/messages") ? [] : {});
        if (opened.push(path) > 1) stop.abort();
        return answer();
      });
      const room = connect("http://service", { fetch }).room("r");
      await assert.rejects(from(room).follow({ signal: stop.signal }).next(), strange);
    }
  }
});

Deno.test("the command ends with a clear line at a server that talks nonsense", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    return Response.json(url.endsWith("/rooms/r") ? {} : 5);
  });
  const shell = new Shell(`http://127.0.0.1:${server.addr.port}`, "r");
  await Promise.all(["say 1", "wait true", "take", "watch"].map(async (command) => {
    const { code, stdout, stderr } = await shell.run(...command.split(" "));
    assert.deepEqual([code, stdout], [1, ""], command);
    assert.match(stderr, /^convene: The answer is .*\(bad_answer\)\nIs this the address of the service\?\n$/);
  }));
});

Deno.test("an answer and an event without an end are not read to it", async () => {
  let pulled = 0;
  const piece = new Uint8Array(2 ** 26).fill(32);
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(piece);
      },
    }, { highWaterMark: 0 });
  const { room, sent } = roomOf(() => new Response(endless()));
  await assert.rejects(room.info(), strange);
  assert.deepEqual([pulled, sent.length], [2 ** 29 / piece.length, 1]);
  pulled = 0;
  const { fetch } = acted(({ path }) =>
    path.includes("/events") ? new Response(endless(), streamed()) : Response.json({})
  );
  await assert.rejects(connect("http://service", { fetch }).room("r").follow().next(), strange);
  assert.equal(pulled, 3);
});

Deno.test("an answer in pieces that cut its characters is whole", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ id: "\u20ac\u{1f600}" }));
  const { room } = roomOf(() =>
    new Response(ReadableStream.from([...bytes].map((byte) => new Uint8Array([byte]))))
  );
  assert.equal((await room.info()).id, "\u20ac\u{1f600}");
});
