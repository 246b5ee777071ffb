/**
 * A game of turns: two players take 1 to 3 stones in turn; who takes the last one wins.
 * While the service runs: `deno run -A examples/turns.ts [url]`
 */
import { newRoom, serviceUrl, withAgents } from "./agents.ts";

const STONES = 21;
const players = ["ada", "bob"];

const room = await newRoom();
console.log(`A game of ${STONES} stones: ${serviceUrl}/?room=${room.id}`);

// All in one batch: nobody can see half a game.
await room.put("/state/batch", {
  writes: [
    { key: "players", value: players },
    { key: "stones", value: STONES },
    { key: "moves", value: [] },
    { key: "turn", value: players[0] },
  ],
});

const { winner, moves } = await withAgents(
  "turns/player.ts",
  players.map((player) => [serviceUrl, room.id, player]),
  async () => {
    const end = await room.waitFor("has(state._shared.winner)", { include: ["state._shared"] });
    return end.state._shared as { winner: string; moves: { player: string; take: number }[] };
  },
);

const taken = moves.reduce((sum, { take }) => sum + take, 0);
const inTurn = moves.every(({ player }, n) => player === players[n % players.length]);
const right = taken === STONES && inTurn && moves.at(-1)?.player === winner;
console.log(
  `${winner} wins after ${moves.length} moves, ${right ? "all in turn" : "but something is wrong"}.`,
);
Deno.exit(right ? 0 : 1);
