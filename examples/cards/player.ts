import { Room } from "../client.ts";

// All that a player is told is one line. From the moment it joins, what stands in the scope of its name is its own.
const [invitation] = Deno.args as [string];
const { room, agent: me } = await Room.join(invitation, { private: true });

// A view that I define sees my hand, and shows its result to all.
await room.put("/state", {
  scope: "_view",
  key: `cards of ${me}`,
  expr: `state[${JSON.stringify(me)}].hand.size()`,
});
await room.put("/state", { key: "ready", append: me });

for (;;) {
  const { state } = await room.waitFor("has(state._shared.winner) || state._shared.turn == self", {
    agent: me,
    include: ["state"],
  });
  const { players, table, winner } = state._shared;
  if (winner) break;
  const other = players.find((player: string) => player !== me);
  if (state[other].hand !== undefined) throw new Error(`${me} sees the hand of ${other}.`);

  // The lowest card that beats the one on the table, else the lowest.
  const hand = state[me].hand.toSorted((a: number, b: number) => a - b) as number[];
  const against = table.length % 2 === 1 ? table.at(-1).card : 0;
  const card = hand.find((own) => own > against) ?? hand[0]!;
  console.log(`${me} plays ${card}, ${other} holds ${state._view[`cards of ${other}`]}`);

  // The card leaves my hand and comes to the table in one write, and only while it is my turn.
  const laid = [...table, { player: me, card }];
  const next = laid.length % 2 === 1 ? other : winnerOf(laid.slice(-2));
  const last = laid.length % 2 === 0 && hand.length === 1;
  await room.put("/state/batch", {
    if: "state._shared.turn == self",
    writes: [
      { scope: me, key: "hand", value: hand.filter((own) => own !== card) },
      { key: "table", value: laid },
      last ? { key: "winner", value: winnerOf(laid), if_version: 0 } : { key: "turn", value: next },
    ],
  });
}

/** Who took most of these tricks; at a tie whoever took the first. */
function winnerOf(laid: Array<{ player: string; card: number }>): string {
  const takers = Array.from({ length: laid.length / 2 }, (_, n) => {
    const [lead, reply] = laid.slice(2 * n, 2 * n + 2) as [typeof laid[0], typeof laid[0]];
    return lead.card > reply.card ? lead.player : reply.player;
  });
  const first = takers[0]!;
  const other = takers.find((taker) => taker !== first);
  return takers.filter((taker) => taker === first).length * 2 >= takers.length ? first : other!;
}
