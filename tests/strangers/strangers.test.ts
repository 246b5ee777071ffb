import assert from "node:assert/strict";
import { HEADERS, message } from "../support/mcp.ts";
import { type Actor, type Answer, MARKERS, type Sent, type Setting, strangersTest } from "./setting.ts";
import { ASKED, eachAtOnce, pageRequests, PLAIN, TOOLS, variantsOf } from "./requests.ts";

/** What no request may be compared by: it draws, or makes, something of its own. */
const NOT_COMPARED = new Set(["createRoom", "listRooms"]);

/** Asserts that nothing in an answer is what the actor may not read. */
function assertSilent(
  { secrets }: Setting,
  actor: Actor,
  sent: Sent,
  { status, headers, text }: Answer,
): void {
  const told = `${status}\n${headers}\n${text}`;
  for (const name of actor.mayNot) {
    assert.ok(
      !told.includes(MARKERS[name]),
      `${actor.name} reads ${name}: ${sent.method} ${sent.path} ${JSON.stringify(sent.body ?? "")} -> ${
        told.slice(0, 1_000)
      }`,
    );
  }
  for (const secret of secrets) {
    assert.ok(!told.includes(secret), `${actor.name} is told a token or code: ${sent.method} ${sent.path}`);
  }
}

/** Returns the same request of the room that does not exist. */
function ofNone(sent: Sent, { room, none }: Setting): Sent {
  return { ...JSON.parse(JSON.stringify(sent).replaceAll(room, none)), body: sent.body };
}

/** What is the same of two answers that differ by the room alone. */
function comparable({ status, headers, text }: Answer, { room, none }: Setting): string {
  const lines = headers.split("\n").filter((line) => !/^(date|etag|content-length):/i.test(line));
  return [status, ...lines, text].join("\n").replaceAll(room, "ROOM").replaceAll(none, "ROOM")
    .replaceAll(/"now":"[^"]*"|data-now="[^"]*"/g, "");
}

/** Asks as an actor, and of the room that does not exist too if nothing may tell it from this one. */
async function askAs(setting: Setting, actor: Actor, sent: Sent, isCompared = true): Promise<Answer> {
  const answer = await setting.ask(sent, actor.token);
  assertSilent(setting, actor, sent, answer);
  if (actor.isStranger && isCompared) {
    const none = await setting.ask(ofNone(sent, setting), actor.token);
    assert.equal(
      comparable(answer, setting),
      comparable(none, setting),
      `${actor.name}: ${sent.method} ${sent.path}`,
    );
  }
  return answer;
}

Deno.test("each operation has a request that the strangers send", () => {
  assert.deepEqual(ASKED.map(({ id }) => id).toSorted(), Object.keys(PLAIN).toSorted());
});

strangersTest("no operation tells anybody what it may not read, by whatever it is asked", async (setting) => {
  const { outsider, elsewhere, revoked, reader, member, admin } = setting.actors;
  const seen = { room: 0, hand: 0, note: 0 };
  const all = ASKED.flatMap((operation) =>
    // Whoever rotates or revokes its own token asks nothing after it: these come with tokens of their own below.
    ["rotateToken", "leaveRoom", "joinByCode", "readInvitation"].includes(operation.id)
      ? []
      : variantsOf(operation, setting).map((sent) => ({ operation, sent }))
  );
  const askers = [outsider, elsewhere, revoked, reader, member];
  await eachAtOnce(
    askers.flatMap((actor) => all.map((one) => ({ ...one, actor }))),
    ({ actor, operation, sent }) => askAs(setting, actor, sent, !NOT_COMPARED.has(operation.id)),
  );
  // The markers are there to be found: an admin reads each.
  for (const { sent } of all.filter(({ sent }) => sent.method === "GET")) {
    const { text } = await setting.ask(sent, admin.token);
    for (const name of Object.keys(seen) as Array<keyof typeof seen>) {
      if (text.includes(MARKERS[name])) seen[name]++;
    }
  }
  assert.ok(all.length > 400, `${all.length} requests`);
  for (const [name, count] of Object.entries(seen)) assert.ok(count > 2, `${name} was read ${count} times`);
  for (const actor of askers) {
    for (const id of ["rotateToken", "leaveRoom"]) {
      const operation = ASKED.find((one) => one.id === id)!;
      const spare = await setting.spare(actor);
      for (const sent of variantsOf(operation, setting).slice(0, 4)) {
        await askAs(setting, { ...actor, token: spare }, sent);
      }
    }
  }
  // Wrong codes are few, since they are counted.
  for (const id of ["readInvitation", "joinByCode"]) {
    const [sent] = variantsOf(ASKED.find((one) => one.id === id)!, setting);
    for (const actor of [outsider, elsewhere, revoked]) await askAs(setting, actor, sent!, false);
  }
});

strangersTest("no page, part of one or stream tells anybody what it may not read", async (setting) => {
  const { admin, ...others } = setting.actors;
  for (const actor of Object.values(others)) {
    await eachAtOnce(pageRequests(setting), (sent) => askAs(setting, actor, sent));
  }
  const pages = await Promise.all(pageRequests(setting).map((sent) => setting.ask(sent, admin.token)));
  const told = pages.map(({ text }) => text).join();
  for (const name of ["room", "hand"] as const) assert.ok(told.includes(MARKERS[name]), name);
});

strangersTest("no tool of MCP tells anybody what it may not read, by header or argument", async (setting) => {
  const { admin: _, ...others } = setting.actors;
  const mcp = (method: string, params: Record<string, unknown>) => ({
    method: "POST",
    path: "/mcp",
    headers: HEADERS,
    body: JSON.parse(message(method, params)),
  });
  const { text } = await setting.ask(mcp("tools/list", {}));
  const names = [...text.matchAll(/"name":"(\w+)","description"/g)].map(([, name]) => name!);
  assert.deepEqual(
    names.toSorted(),
    Object.keys(TOOLS).toSorted(),
    "each tool has a call that the strangers make",
  );
  for (const actor of Object.values(others)) {
    const calls = Object.entries(TOOLS).flatMap(([name, all]) => all.map((given) => ({ name, given })));
    await eachAtOnce(calls, async ({ name, given }) => {
      const args = { room: setting.room, ...given };
      const byHeader = mcp("tools/call", { name, arguments: args });
      assertSilent(setting, actor, byHeader, await setting.ask(byHeader, actor.token));
      if (actor.token === undefined) return;
      const byArgument = mcp("tools/call", { name, arguments: { ...args, token: actor.token } });
      assertSilent(setting, actor, byArgument, await setting.ask(byArgument));
    });
    const resource = mcp("resources/read", { uri: `convene://rooms/${setting.room}` });
    assertSilent(setting, actor, resource, await setting.ask(resource, actor.token));
  }
});
