import assert from "node:assert/strict";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { openApi } from "../../routes/openapi/document.ts";
import { withApp } from "../support/app.ts";
import type { Json } from "../support/client.ts";
import { document } from "../support/documented.ts";

/** Every object within a part of the document, with the names that lead to it. */
function* objectsIn(value: Json, path: string[] = []): Generator<{ value: Json; path: string[] }> {
  if (value === null || typeof value !== "object") return;
  yield { value, path };
  for (const [name, member] of Object.entries(value)) yield* objectsIn(member, [...path, name]);
}

Deno.test("Redocly finds nothing in the document by its strictest rules", async () => {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const source = JSON.stringify(openApi("https://convene.example"));
  const problems = await lintFromString({ source, absoluteRef: "/openapi.json", config });
  const told = problems.map(({ ruleId, message, location: [place] }) =>
    `${ruleId} ${place?.pointer}: ${message}`
  );
  assert.deepEqual(told, []);
});

Deno.test("each tag of an operation is described, and no other", () => {
  const used = objectsIn(document.paths).flatMap(({ value: { tags } }) => tags ?? []);
  const described = document.tags.map(({ name }: Json) => name);
  assert.deepEqual([...new Set(used)].sort(), described.sort());
});

Deno.test("no schema forbids everything, and every pattern does without look-arounds", () => {
  let patterns = 0;
  for (const { value: { not, pattern }, path } of objectsIn(document)) {
    assert.notDeepEqual(not, {}, path.join("."));
    if (typeof pattern !== "string") continue;
    patterns++;
    assert.doesNotMatch(pattern, /\(\?[!=<]/, path.join("."));
    new RegExp(pattern); // engines differ in whether they read patterns with the flag
    new RegExp(pattern, "u");
  }
  assert.ok(patterns > 20, `${patterns} patterns`);
});

Deno.test("what the document says of a member that is left out is what happens", () =>
  withApp(async ({ json }) => {
    const defaultOf = (request: string, member: string) =>
      (document.components.schemas[request] as Json).properties[member].anyOf[0].default;
    const { body: room } = await json("POST", "/rooms", { id: "r" });
    assert.deepEqual(room.meta, defaultOf("RoomRequest", "meta"));
    const { body: agent } = await json("POST", "/rooms/r/agents", { id: "ann", name: "Ann" });
    assert.equal(agent.role, defaultOf("AgentRequest", "role"));
    assert.deepEqual(agent.meta, defaultOf("AgentRequest", "meta"));
    const { body: heartbeat } = await json("POST", "/rooms/r/agents/ann/heartbeat", {});
    assert.equal(heartbeat.status, defaultOf("HeartbeatRequest", "status"));
    const { body: message } = await json("POST", "/rooms/r/messages", { body: 1 });
    assert.equal(message.kind, defaultOf("MessageRequest", "kind"));
    const { body: entry } = await json("PUT", "/rooms/r/state", { key: "k", value: 1 });
    assert.equal(entry.scope, defaultOf("DeleteRequest", "scope"));
    const { body: deletion } = await json("DELETE", "/rooms/r/state", { key: "k" });
    assert.deepEqual(deletion, { deleted: true });
  }));
