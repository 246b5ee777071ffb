import { Refused, Room } from "../client.ts";

const [url, id, choice, me] = Deno.args as [string, string, string, string];
const room = new Room(url, id);
await room.post("/agents", { id: me, name: me, role: "voter" });

await room.waitFor("state._shared.open", { agent: me });
console.log(`${me} votes ${choice} at attempt ${await vote()}`);

const { value: outcome } = await room.waitFor("state._view.decided", { agent: me });
console.log(`${me} sees ${outcome}`);
await room.put("/state", { scope: me, key: "outcome", value: outcome, agent: me });

/** Adds my vote to the ballot as it is when it is written, and tells how many attempts it took. */
async function vote(): Promise<number> {
  let entry = await room.get("/state?key=ballot");
  for (let attempt = 1; attempt <= 20; attempt++) {
    const value = { ...entry.value, [me]: choice };
    try {
      await room.put("/state", { key: "ballot", value, if_version: entry.version, agent: me });
      return attempt;
    } catch (error) {
      if (!(error instanceof Refused && error.code === "version_conflict")) throw error;
      entry = error.answer.current; // somebody was faster: begin again from what is there now
    }
  }
  throw new Error("Too many others write to the ballot");
}
