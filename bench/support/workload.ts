import type { Job } from "./load_client.ts";

const ROOMS = 16;
const KEYS = 64;
/** Requests under way at once while the keys are prepared: few, since a libSQL server chokes on many writers. */
const AT_ONCE = 4;

const places = Array.from({ length: ROOMS * KEYS }, (_, n) => ({ room: n % ROOMS, key: `key-${n}` }));
/** What a loaded instance is asked, by the name of the operation. */
export const OPERATIONS: Record<string, Job["requests"]> = {
  "PUT state": places.map(({ room, key }) => ["PUT", `/rooms/r${room}/state`, { key, value: { of: key } }]),
  "POST message": places.map((
    { room, key },
  ) => ["POST", `/rooms/r${room}/messages`, { from: key, body: key }]),
  "GET one key": places.map(({ room, key }) => ["GET", `/rooms/r${room}/state?key=${key}`]),
};

/** Makes the rooms; the peer has none. */
export async function prepareRooms(url: string): Promise<void> {
  for (let room = 0; room < ROOMS; room++) {
    const response = await fetch(`${url}/rooms`, {
      method: "POST",
      body: JSON.stringify({ id: `r${room}` }),
    });
    if (response.status !== 201) throw new Error(`POST /rooms: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  }
}

/** Writes every key once, so that each read finds its own. */
export async function prepareKeys(url: string): Promise<void> {
  const writes = OPERATIONS["PUT state"]!;
  for (let from = 0; from < writes.length; from += AT_ONCE) {
    await Promise.all(
      writes.slice(from, from + AT_ONCE).map(async ([method, path, body]) => {
        const response = await fetch(url + path, { method, body: JSON.stringify(body) });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`${method} ${url}${path}: ${response.status}`);
      }),
    );
  }
}
