import * as api from "./generated/hey-api/sdk.gen";
import { client } from "./generated/hey-api/client.gen";

/** Makes each call by the client of hey-api. `seen` takes each answer. */
export async function makeEachCall(
  baseUrl: string,
  seen: (operation: string, answer: { response?: Response }) => void,
): Promise<void> {
  client.setConfig({ baseUrl });
  const path = { room: "heyed" };
  seen("createRoom", await api.createRoom({ body: { id: "heyed" } }));
  const rooms = await api.listRooms({ query: { limit: 5 } });
  seen("listRooms", rooms);
  const ids: string[] | undefined = rooms.data?.map(({ id }) => id);
  seen("getRoom", await api.getRoom({ path }));
  const registered = await api.registerAgent({
    path,
    body: { id: "bob", name: "Bob" },
    headers: { "Idempotency-Key": crypto.randomUUID() },
  });
  seen("registerAgent", registered);
  const created: boolean | undefined = registered.data?.created;
  seen("listAgents", await api.listAgents({ path }));
  const bob = { room: "heyed", agent: "bob" };
  seen("getAgent", await api.getAgent({ path: bob }));
  seen("heartbeat", await api.heartbeat({ path: bob, body: { status: "idle" } }));
  const posted = await api.postMessage({ path, body: { from: "bob", body: "hello" } });
  seen("postMessage", posted);
  const message: number = posted.data?.id ?? 0;
  seen("listMessages", await api.listMessages({ path, query: { unclaimed: true, after: 0 } }));
  seen("getMessage", await api.getMessage({ path: { room: "heyed", message } }));
  seen("claimMessage", await api.claimMessage({ path: { room: "heyed", message }, body: { agent: "bob" } }));
  seen("patchRoom", await api.patchRoom({ path: { room: "heyed" }, body: { meta: { goal: "ship" } } }));
  const reserved = await api.reservePaths({ path: { room: "heyed" }, body: { agent: "bob", paths: ["src/**"] } });
  seen("reservePaths", reserved);
  const own = { room: "heyed", reservation: reserved.data?.id ?? "" };
  const token: number = reserved.data?.fence ?? 0;
  seen("listReservations", await api.listReservations({ path: { room: "heyed" }, query: { agent: "bob" } }));
  seen("renewReservation", await api.renewReservation({ path: own, body: { agent: "bob", fence: token, ttl: 60 } }));
  seen("releaseReservation", await api.releaseReservation({ path: own, body: { agent: "bob", fence: token } }));
  const job = async () =>
    (await api.postMessage({ path: { room: "heyed" }, body: { kind: "job", body: 1 } })).data?.id ?? 0;
  const [first, second] = [await job(), await job()];
  const took = await api.takeTask({ path: { room: "heyed" }, body: { agent: "bob", kind: "job", ttl: 60 } });
  seen("takeTask", took);
  const fence: number = took.data?.claimed ? took.data.fence : 0;
  const of = { room: "heyed", message: first };
  seen("renewClaim", await api.renewClaim({ path: of, body: { agent: "bob", fence, ttl: 90 } }));
  seen("releaseClaim", await api.releaseClaim({ path: of, body: { agent: "bob", fence } }));
  await api.claimMessage({ path: of, body: { agent: "bob" } });
  seen("completeTask", await api.completeTask({ path: of, body: { agent: "bob", result: [1] } }));
  seen("failTask", await api.failTask({ path: { ...of, message: second }, body: { agent: "bob" } }));
  seen("listAttempts", await api.listAttempts({ path: of }));
  seen(
    "writeEntry",
    await api.writeEntry({ path, body: { key: "k", value: [1] }, headers: { "If-None-Match": "*" } }),
  );
  seen("writeEntry", await api.writeEntry({ path, body: { key: "n", increment: 2 } }));
  seen(
    "writeEntry",
    await api.writeEntry({ path, body: { scope: "_view", key: "v", expr: "state._shared.n" } }),
  );
  const batch = await api.writeBatch({
    path,
    body: { writes: [{ key: "a", value: 1 }, { key: "n", increment: true }] },
  });
  seen("writeBatch", batch);
  seen("readState", await api.readState({ path, query: { key: "k" } }));
  seen("readState", await api.readState({ path, query: { resolve: true } }));
  seen("deleteEntry", await api.deleteEntry({ path, body: { key: "a" } }));
  seen("evaluate", await api.evaluate({ path, body: { expr: "state._view.v" } }));
  seen("wait", await api.wait({ path, body: { condition: "true", include: "state" } }));
  seen("waitByQuery", await api.waitByQuery({ path, query: { condition: "false", timeout: 0 } }));
  const changes = await api.readChanges({ path, query: { after: 0 } });
  seen("readChanges", changes);
  const left = new AbortController();
  const { stream } = await api.followEvents({ path, query: { after: 0 }, signal: left.signal });
  for await (const _ of stream) break;
  left.abort();
  seen("followEvents", {});
  seen("guide", await api.guide({ parseAs: "text" }));
  seen("health", await api.health());
  if (ids === undefined || created === undefined || changes.data?.more === undefined) {
    throw new Error("No data.");
  }
}
