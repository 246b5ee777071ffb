import type { Subject } from "./backends.ts";
import type { Json, Reply } from "./client.ts";
import { assertStatus } from "./shapes.ts";

/** Asks for things of one message of a room. */
export function taskOf(t: Subject, room: string, id: number) {
  const path = `/rooms/${room}/messages/${id}`;
  const post = (name: string) => (body: Json): Promise<Reply> => t.post(`${path}/${name}`, body);
  return {
    id,
    claim: post("claim"),
    renew: post("renew"),
    release: post("release"),
    complete: post("complete"),
    fail: post("fail"),
    async shown(): Promise<Json> {
      return (await t.get(path)).body;
    },
    async attempts(): Promise<Json[]> {
      const reply = await t.get(`${path}/attempts`);
      assertStatus(reply, 200);
      return reply.body;
    },
  };
}

export type Task = ReturnType<typeof taskOf>;

/** Posts a task; `members` of its message. */
export async function postTask(t: Subject, room: string, members: Json = {}): Promise<Task> {
  return taskOf(t, room, (await t.message(room, { kind: "task", ...members })).id);
}

/** Claims a task; what the answer says. */
export async function claimed(task: Task, agent: string, ttl?: number): Promise<Json> {
  const reply = await task.claim({ agent, ttl });
  assertStatus(reply, 200);
  return reply.body;
}
