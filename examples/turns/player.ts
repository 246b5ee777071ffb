import { Room } from "../client.ts";

const [url, id, me] = Deno.args as [string, string, string];
const room = new Room(url, id);
await room.post("/agents", { id: me, name: me, role: "player" });

for (;;) {
  // The end is part of the condition: the loser is not left waiting for a turn that never comes.
  const { state } = await room.waitFor("has(state._shared.winner) || state._shared.turn == self", {
    agent: me,
    include: ["state._shared"],
  });
  const { players, stones, moves, winner } = state._shared;
  if (winner) break;

  const take = Math.min(stones % 4 || 1, stones); // leave a multiple of four, if one can
  const left = stones - take;
  console.log(`${me} takes ${take}, ${left} left`);

  // The move and the change of turn happen together, and only while it is my turn.
  const next = players[(players.indexOf(me) + 1) % players.length];
  await room.put("/state/batch", {
    agent: me,
    if: "state._shared.turn == self && !has(state._shared.winner)",
    writes: [
      { key: "stones", value: left },
      { key: "moves", value: [...moves, { player: me, take }] },
      left === 0 ? { key: "winner", value: me, if_version: 0 } : { key: "turn", value: next },
    ],
  });
}
