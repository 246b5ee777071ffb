import * as api from "./generated/orval";

type Answer = { status: number; data: unknown };

/** Makes each call by the client of orval, which has the address built in. `seen` takes each answer. */
export async function makeEachCall(seen: (operation: string, answer: Answer) => void): Promise<void> {
  const room = "orvaled";
  seen("createRoom", await api.createRoom({ id: room }));
  const rooms = await api.listRooms({ limit: 5 });
  seen("listRooms", rooms);
  const ids: string[] = rooms.status === 200 ? rooms.data.map(({ id }) => id) : [];
  seen("getRoom", await api.getRoom(room));
  const registered = await api.registerAgent(room, { id: "eve", name: "Eve", meta: { x: 1 } });
  seen("registerAgent", registered);
  const created: boolean | undefined = registered.status === 201 ? registered.data.created : undefined;
  seen("listAgents", await api.listAgents(room));
  seen("getAgent", await api.getAgent(room, "eve"));
  seen("heartbeat", await api.heartbeat(room, "eve", { status: "busy" }));
  const posted = await api.postMessage(room, { from: "eve", body: { a: [1] } });
  seen("postMessage", posted);
  const message: number = posted.status === 201 ? posted.data.id : 0;
  seen("listMessages", await api.listMessages(room, { unclaimed: true, from: "eve" }));
  seen("getMessage", await api.getMessage(room, message));
  seen("claimMessage", await api.claimMessage(room, message, { agent: "eve" }));
  seen("patchRoom", await api.patchRoom(room, { meta: { goal: "ship" } }));
  const reserved = await api.reservePaths(room, { agent: "eve", paths: ["src/**"] });
  seen("reservePaths", reserved);
  const [own, token] = reserved.status === 201 ? [reserved.data.id, reserved.data.fence] : ["", 0];
  seen("listReservations", await api.listReservations(room, { path: "src/a.ts" }));
  seen("renewReservation", await api.renewReservation(room, own, { agent: "eve", fence: token, ttl: 60 }));
  seen("releaseReservation", await api.releaseReservation(room, own, { agent: "eve", fence: token }));
  const job = async () => {
    const posted = await api.postMessage(room, { kind: "job", body: 1 });
    return posted.status === 201 ? posted.data.id : 0;
  };
  const [first, second] = [await job(), await job()];
  const took = await api.takeTask(room, { agent: "eve", kind: "job", ttl: 60 });
  seen("takeTask", took);
  const fence: number = took.status === 200 && took.data.claimed ? took.data.fence : 0;
  seen("renewClaim", await api.renewClaim(room, first, { agent: "eve", fence, ttl: 90 }));
  seen("releaseClaim", await api.releaseClaim(room, first, { agent: "eve", fence }));
  await api.claimMessage(room, first, { agent: "eve" });
  seen("completeTask", await api.completeTask(room, first, { agent: "eve", result: [1] }));
  seen("failTask", await api.failTask(room, second, { agent: "eve" }));
  seen("listAttempts", await api.listAttempts(room, first));
  seen("writeEntry", await api.writeEntry(room, { key: "k", value: "v" }));
  seen("writeEntry", await api.writeEntry(room, { key: "n", increment: true }));
  seen("writeEntry", await api.writeEntry(room, { scope: "_view", key: "v", expr: "state._shared.n" }));
  seen("writeBatch", await api.writeBatch(room, { writes: [{ key: "a", value: null }] }));
  seen("readState", await api.readState(room, { key: "k" }));
  seen("deleteEntry", await api.deleteEntry(room, {}, { key: "a" }));
  seen("evaluate", await api.evaluate(room, { expr: "1 + 1" }));
  seen("wait", await api.wait(room, { condition: "true", include: ["agents"] }));
  seen("waitByQuery", await api.waitByQuery(room, { condition: "false", timeout: 0 }));
  seen("readChanges", await api.readChanges(room, { after: 0 }));
  seen("health", await api.health());
  // A client of orval reads every answer to its end and as JSON: these two are there, which is all.
  const others: Array<(room: string) => Promise<Answer>> = [api.followEvents, (room) => api.guide({ room })];
  if (ids.length === 0 || created !== true || others.length !== 2) throw new Error("No data.");
}
