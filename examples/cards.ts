/**
 * A game of cards: each player sees its own hand, and of the other's only how many cards it holds. The players may be
 * on other machines: one line, the address of an invitation, is all that they are told.
 * While the service runs: `deno run -A examples/cards.ts [url]`
 */
import { newRoom, serviceUrl, withAgents } from "./agents.ts";
import { Refused, Room } from "./client.ts";

const CARDS = 8;
const players = ["ada", "bob"];

const room = await newRoom(Room.lock);
const invitations = await Promise.all(
  players.map(async (agent) => (await room.post("/invites", { role: "member", agent })).url as string),
);
console.log(`A game of ${CARDS} cards in the locked room ${room.id}`);

const { table, winner } = await withAgents("cards/player.ts", invitations.map((line) => [line]), async () => {
  // A player's hand is private from the moment at which it joins; then it may be dealt.
  await room.waitFor(`state._shared.ready.size() == ${players.length}`);
  const deck = Array.from({ length: CARDS }, (_, n) => n + 1).sort(() => Math.random() - 0.5);
  await room.put("/state/batch", {
    writes: [
      ...players.map((player, n) => ({
        scope: player,
        key: "hand",
        value: deck.filter((_, i) => i % 2 === n),
      })),
      { key: "players", value: players },
      { key: "table", value: [] },
      { key: "turn", value: players[0] },
    ],
  });
  const end = await room.waitFor("has(state._shared.winner)", { include: ["state._shared"] });
  return end.state._shared as { table: Array<{ player: string; card: number }>; winner: string };
});

const stranger = await new Room(serviceUrl, room.id).get("/state").catch((error) => error);
const unseen = stranger instanceof Refused && stranger.code === "room_not_found";
const played = new Set(table.map(({ card }) => card)).size === CARDS;
console.log(
  `${winner} wins, ${unseen && played ? "and nobody saw another's hand" : "but something is wrong"}.`,
);
Deno.exit(unseen && played ? 0 : 1);
