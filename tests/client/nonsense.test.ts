import assert from "node:assert/strict";
import { connect, type ConveneError, type Room } from "../../client/mod.ts";
import { acted, refusal, streamed } from "../support/scripted.ts";
import { readCommand } from "../../cli/arguments.ts";
import { commandOf } from "../../cli/commands.ts";
import { Shell } from "../cli/command.ts";

const NO_RESULT = { triggered: false, claimed: false, timeout: true, elapsed_ms: 0 };

/** A room of a server that answers every request at once with this, and what it was sent. */
function roomOf(answer: () => Response): { room: Room; sent: unknown[] } {
  const { fetch, sent } = acted(answer);
  return { room: connect("http://service", { fetch }).room("r", { agent: "ada" }), sent };
}

const serviceOf = ({ connection: { url, options } }: Room) => connect(url, options);

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
    (room: Room) => serviceOf(room).rooms(),
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

Deno.test("a list that goes on and gets no further is not read in a circle", async () => {
  for (const ids of [[], [5], [6, 4], ["7"], [undefined]]) {
    const list = () => Response.json(ids.map((id) => ({ id })), { headers: { Link: '</more>; rel="next"' } });
    for (
      const call of [
        (room: Room) => room.messages.list({ after: 5 }),
        (room: Room) => room.messages.follow({ after: 5 }).next(),
      ]
    ) {
      const { room, sent } = roomOf(list);
      await assert.rejects(call(room), strange);
      assert.equal(sent.length, 1);
    }
  }
});

Deno.test("what tells no text that is told once is asked for it a few times", async () => {
  for (
    const [answer, most, call] of [
      [{ id: "x", token: null, revoked: true }, 10, (room: Room) => room.tokens.create({ role: "reader" })],
      [{ id: "x", code: null, url: null }, 5, (room: Room) => room.invites.create()],
      [{ id: "x", token: null }, 5, (room: Room) => serviceOf(room).room("r").join({ secure: true })],
      [{ id: "x", token: null }, 5, (room: Room) => serviceOf(room).open(undefined, { locked: true })],
    ] as const
  ) {
    const { room, sent } = roomOf(() => Response.json(answer));
    await assert.rejects(async () => await call(room), strange, `${call}`);
    assert.equal(sent.length, most);
  }
});

Deno.test("an answer without what goes on with is none of the service", async () => {
  for (
    const call of [
      (room: Room) => room.tokens.create({ role: "reader" }),
      (room: Room) => room.tokens.rotate(),
      (room: Room) => room.tokens.revoke("x"),
      (room: Room) => room.invites.create(),
      (room: Room) => room.invites.revoke("x"),
      (room: Room) => room.delete(),
      (room: Room) => room.lock("k"),
      (room: Room) => serviceOf(room).open("r"),
      (room: Room) => serviceOf(room).join("7KQ2M-X9D4T"),
    ]
  ) {
    const { room, sent } = roomOf(() => Response.json({}));
    await assert.rejects(async () => await call(room), strange, `${call}`);
    assert.equal(sent.length, 1);
  }
});

Deno.test("a lock that is always another's, and always free, is asked for ever later", async () => {
  const reason = new Error("enough");
  const leave = new AbortController();
  const { fetch, sent } = acted(({ path }) => {
    return path.endsWith("/wait") ? Response.json({ triggered: true }) : refusal(409, "version_conflict");
  });
  const room = connect("http://service", { fetch }).room("r", { agent: "ada" });
  setTimeout(() => leave.abort(reason), 1_000);
  await assert.rejects(room.lock("k", { signal: leave.signal }), reason);
  // 20 to 40, 40, ... 250 ms between two pairs of requests.
  assert.ok(sent.length >= 4 && sent.length <= 40, `${sent.length} requests`);
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

/** What commands print members of, and what a server answers that has them in none of its answers. */
const PRINTING: Array<[commands: string[], answer: unknown]> = [
  [
    ["say 1", "claim 1", "renew 1 --fence 1", "renew x --fence 1", "release 1", "release x", "complete 1"],
    {},
  ],
  [["fail 1", "set k 1", "view v 1", "get k", "eval 1", "reserve a", "join ada", "leave", "room r"], {}],
  [["join 7KQ2M-X9D4T", "room delete r", "tokens make", "tokens revoke x", "tokens rotate", "invite"], {}],
  [["invites revoke x", "watch"], {}],
  [["read", "attempts 1", "get", "reserve", "rooms", "tokens", "invites"], [{}]],
  [["read", "attempts 1", "get", "reserve", "rooms", "tokens", "invites"], [null]],
  [["wait true"], { triggered: true }],
  [["take", "work -- true"], { claimed: true, message: {} }],
  [["claim 1"], { claimed: true }],
  [["complete 1 1"], { result: {} }],
];

Deno.test("no command takes for the service's what lacks the members that it prints", async () => {
  for (const [commands, answer] of PRINTING) {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ url }) =>
        url.includes("/events") ? new Response("id: 1\ndata: {}\n\n", streamed()) : Response.json(answer),
    );
    const environment = {
      CONVENE_URL: `http://127.0.0.1:${server.addr.port}`,
      CONVENE_ROOM: "r",
      CONVENE_AGENT: "ada",
      CONVENE_TOKEN: "",
    };
    for (const line of commands) {
      for (const words of [line, `${line} --json`.replace(/(.*)( -- .*)( --json)/, "$1$3$2")]) {
        const [name, ...args] = words.split(" ");
        const command = commandOf(name!)!;
        const running = command.run(readCommand(name!, command, args, environment));
        await assert.rejects(running, { ...strange, message: /is not one of Convene|is no / }, words);
      }
    }
  }
});

Deno.test("the command says that a server is none of Convene, and fails", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => Response.json({}));
  const { code, stdout, stderr } = await new Shell(`http://127.0.0.1:${server.addr.port}`, "r").run(
    "say",
    "1",
  );
  assert.deepEqual([code, stdout, stderr], [
    1,
    "",
    "convene: The answer has no id, and is not one of Convene. (bad_answer)\nIs this the address of the service?\n",
  ]);
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
