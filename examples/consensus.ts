/**
 * A vote: five agents write into one ballot by compare-and-swap; a view tells when more than half agree.
 * While the service runs: `deno run -A examples/consensus.ts [url]`
 */
import { newRoom, serviceUrl, withAgents } from "./agents.ts";

const votes = { ada: "tea", bob: "coffee", cyd: "tea", dan: "coffee", eve: "tea" };
const quorum = 3; // of five

const room = await newRoom();
console.log(`Tea or coffee: ${serviceUrl}/?room=${room.id}`);

// The view is what everyone waits on: the one choice with a quorum, and no value at all before.
const ballot = "state._shared.ballot";
const decided =
  `state._shared.choices.filter(c, ${ballot}.filter(v, ${ballot}[v] == c).size() >= ${quorum})[0]`;
await room.put("/state/batch", {
  writes: [
    { key: "choices", value: ["tea", "coffee"] },
    { key: "ballot", value: {} },
    { scope: "_view", key: "decided", expr: decided },
  ],
});

const { state, agents } = await withAgents(
  "consensus/voter.ts",
  Object.entries(votes).map(([voter, choice]) => [serviceUrl, room.id, choice, voter]),
  async () => {
    await room.waitFor(`size(agents) == ${Object.keys(votes).length}`);
    await room.put("/state", { key: "open", value: true }); // all vote at once, so that they collide
    return await room.waitFor("agents.all(id, has(state[id].outcome))", { include: ["state", "agents"] });
  },
);

const outcome = state._view.decided;
const right = outcome === "tea" && Object.keys(agents).every((id) => state[id].outcome === outcome);
console.log(right ? `All ${Object.keys(agents).length} agree: ${outcome}.` : "Something is wrong.");
Deno.exit(right ? 0 : 1);
