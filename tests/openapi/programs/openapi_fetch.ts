import createClient from "openapi-fetch";
import type { paths } from "./generated/openapi.d.ts";

/**
 * Makes each call by a client of openapi-fetch, under the types of openapi-typescript. `seen` takes each answer;
 * `operator` is the operator's token, without which nothing is asked that needs it.
 */
export async function makeEachCall(
  baseUrl: string,
  seen: (operation: string, answer: { response: Response; data?: unknown }) => void,
  fetch?: (request: Request) => Promise<Response>,
  operator?: string,
): Promise<void> {
  const api = createClient<paths>({ baseUrl, fetch });
  const at = { path: { room: "fetched" } };

  seen("createRoom", await api.POST("/rooms", { body: { id: "fetched", meta: { by: "openapi-fetch" } } }));
  const rooms = await api.GET("/rooms", {
    params: { query: { limit: 5, before: "2999-01-01T00:00:00.000Z" } },
  });
  seen("listRooms", rooms);
  const room = await api.GET("/rooms/{room}", { params: at });
  seen("getRoom", room);
  const names: string[] = [...rooms.data?.map(({ id }) => id) ?? [], room.data?.created_at ?? ""];

  const registered = await api.POST("/rooms/{room}/agents", {
    params: { ...at, header: { "Idempotency-Key": crypto.randomUUID() } },
    body: { id: "alice", name: "Alice", if_new: true },
  });
  seen("registerAgent", registered);
  const created: boolean | undefined = registered.data?.created;
  seen("listAgents", await api.GET("/rooms/{room}/agents", { params: at }));
  const alice = { path: { room: "fetched", agent: "alice" } };
  seen("getAgent", await api.GET("/rooms/{room}/agents/{agent}", { params: alice }));
  const beat = await api.POST("/rooms/{room}/agents/{agent}/heartbeat", {
    params: alice,
    body: { status: "busy" },
  });
  seen("heartbeat", beat);
  seen("heartbeat", await api.POST("/rooms/{room}/agents/{agent}/heartbeat", { params: alice }));

  const posted = await api.POST("/rooms/{room}/messages", {
    params: at,
    body: { from: "alice", to: null, kind: "task", body: { file: "a.ts" } },
  });
  seen("postMessage", posted);
  const id: number = posted.data?.id ?? 0;
  const query = { after: 0, unclaimed: true, kind: "task", limit: 10 };
  seen("listMessages", await api.GET("/rooms/{room}/messages", { params: { ...at, query } }));
  const message = { path: { room: "fetched", message: id } };
  seen("getMessage", await api.GET("/rooms/{room}/messages/{message}", { params: message }));
  const claimed = await api.POST("/rooms/{room}/messages/{message}/claim", {
    params: message,
    body: { agent: "alice" },
  });
  seen("claimMessage", claimed);
  const claimant: string | null | undefined = claimed.error?.error === "already_claimed"
    ? claimed.error.claimed_by
    : claimed.data?.claimed_by;

  const job = { from: "alice", kind: "job", body: 1 };
  const task = async () => (await api.POST("/rooms/{room}/messages", { params: at, body: job })).data?.id ?? 0;
  const [first, second] = [await task(), await task()];
  const took = await api.POST("/rooms/{room}/messages/claim", {
    params: at,
    body: { agent: "alice", kind: "job", where: "message.body == 1", ttl: 60 },
  });
  seen("takeTask", took);
  const fence: number = took.data?.claimed ? took.data.fence : 0;
  const of = (message: number) => ({ path: { room: "fetched", message } });
  const renewal = { agent: "alice", fence, ttl: 90 };
  seen("renewClaim", await api.POST("/rooms/{room}/messages/{message}/renew", { params: of(first), body: renewal }));
  const held = { agent: "alice", fence };
  seen("releaseClaim", await api.POST("/rooms/{room}/messages/{message}/release", { params: of(first), body: held }));
  await api.POST("/rooms/{room}/messages/{message}/claim", { params: of(first), body: { agent: "alice" } });
  const result = { agent: "alice", result: { ok: true } };
  seen("completeTask", await api.POST("/rooms/{room}/messages/{message}/complete", { params: of(first), body: result }));
  const failure = { agent: "alice", error: "no longer wanted" };
  seen("failTask", await api.POST("/rooms/{room}/messages/{message}/fail", { params: of(second), body: failure }));
  seen("listAttempts", await api.GET("/rooms/{room}/messages/{message}/attempts", { params: of(first) }));

  seen("patchRoom", await api.PATCH("/rooms/{room}", { params: at, body: { meta: { goal: "ship" } } }));
  const asked = { agent: "alice", paths: ["src/**"] };
  const reserved = await api.POST("/rooms/{room}/reservations", { params: at, body: asked });
  seen("reservePaths", reserved);
  const own = { path: { room: "fetched", reservation: reserved.data?.id ?? "" } };
  const token: number = reserved.data?.fence ?? 0;
  seen("listReservations", await api.GET("/rooms/{room}/reservations", { params: { ...at, query: { path: "src/a.ts" } } }));
  const longer = { agent: "alice", fence: token, ttl: 60 };
  seen("renewReservation", await api.POST("/rooms/{room}/reservations/{reservation}/renew", { params: own, body: longer }));
  const given = { agent: "alice", fence: token };
  seen("releaseReservation", await api.DELETE("/rooms/{room}/reservations/{reservation}", { params: own, body: given }));

  const put = (body: paths["/rooms/{room}/state"]["put"]["requestBody"]["content"]["application/json"]) =>
    api.PUT("/rooms/{room}/state", { params: at, body });
  const written = await put({ key: "turn", value: { n: 1 }, if_version: 0, agent: "alice" });
  seen("writeEntry", written);
  const version: number | undefined = written.data?.version;
  seen("writeEntry", await put({ key: "count", increment: true, value: 2 }));
  seen("writeEntry", await put({ key: "count", increment: 3, if: "state._shared.count == 2" }));
  seen("writeEntry", await put({ scope: "_view", key: "double", expr: "state._shared.count * 2" }));
  // @ts-expect-error: neither a value, nor an increment, nor an expression
  await put({ key: "nothing" });
  // @ts-expect-error: an increment that is a number has no value beside it
  await put({ key: "count", increment: 3, value: 1 });
  seen(
    "writeEntry",
    await api.PUT("/rooms/{room}/state", {
      params: { ...at, header: { "If-None-Match": "*" } },
      body: { key: "new", value: null },
    }),
  );
  seen(
    "writeBatch",
    await api.PUT("/rooms/{room}/state/batch", {
      params: at,
      body: { if: "true", writes: [{ key: "x", value: 1 }, { key: "count", increment: true }] },
    }),
  );
  const listed = await api.GET("/rooms/{room}/state", { params: { ...at, query: { resolve: true } } });
  seen("readState", listed);
  const keys = Array.isArray(listed.data) ? listed.data.map(({ key }) => key) : [];
  seen("readState", await api.GET("/rooms/{room}/state", { params: { ...at, query: { key: "turn" } } }));
  seen("deleteEntry", await api.DELETE("/rooms/{room}/state", { params: at, body: { key: "x" } }));
  seen(
    "deleteEntry",
    await api.DELETE("/rooms/{room}/state", { params: { ...at, query: { key: "turn", if_version: 1 } } }),
  );

  seen(
    "evaluate",
    await api.POST("/rooms/{room}/eval", {
      params: at,
      body: { expr: "state._view.double", agent: "alice" },
    }),
  );
  const waited = await api.POST("/rooms/{room}/wait", {
    params: at,
    body: { condition: "false", timeout: 0, include: ["state._shared", "messages:after:0"] },
  });
  seen("wait", waited);
  const cause: string | undefined = waited.data?.triggered === false
    ? waited.data.last_error?.code
    : undefined;
  seen(
    "waitByQuery",
    await api.GET("/rooms/{room}/wait", {
      params: { ...at, query: { condition: "true", timeout: 0, include: "state,changes:after:0" } },
    }),
  );
  const changes = await api.GET("/rooms/{room}/changes", { params: { ...at, query: { after: 0 } } });
  seen("readChanges", changes);
  const more: boolean | undefined = changes.data?.more;
  const events = await api.GET("/rooms/{room}/events", { params: at, parseAs: "stream" });
  seen("followEvents", events);
  await events.data?.cancel();
  const bob = { id: "bob", name: "Bob", secure: true };
  const secured = await api.POST("/rooms/{room}/agents", { params: at, body: bob });
  const headers = { Authorization: `Bearer ${secured.data?.token}` };
  const reader = { role: "reader", ttl: 60, note: "a dashboard" } as const;
  const made = await api.POST("/rooms/{room}/tokens", { params: at, headers, body: reader });
  seen("createToken", made);
  seen("listTokens", await api.GET("/rooms/{room}/tokens", { params: at, headers }));
  const revoked = { path: { room: "fetched", token: made.data?.id ?? "" } };
  const rotated = await api.POST("/rooms/{room}/tokens/rotate", { params: at, headers, body: {} });
  seen("rotateToken", rotated);
  headers.Authorization = `Bearer ${rotated.data!.token}`;
  seen("revokeToken", await api.DELETE("/rooms/{room}/tokens/{token}", { params: revoked, headers }));
  const invited = await api.POST("/rooms/{room}/invites", { params: at, headers, body: { role: "member" } });
  seen("createInvite", invited);
  seen("listInvites", await api.GET("/rooms/{room}/invites", { params: at, headers }));
  const code = { path: { code: invited.data?.code ?? "" } };
  seen("readInvitation", await api.GET("/join/{code}", { params: code, parseAs: "text" }));
  const joined = await api.POST("/join/{code}", { params: code, body: { agent: "carol" } });
  seen("joinByCode", joined);
  const proof: string | undefined = joined.data?.token;
  const departure = await api.DELETE("/rooms/{room}/agents/{agent}", { params: alice });
  seen("leaveRoom", departure);
  const left: boolean | undefined = departure.data?.left;

  const locked = await api.POST("/rooms", { body: { locked: true } });
  const admin = { Authorization: `Bearer ${locked.data && "token" in locked.data ? locked.data.token : ""}` };
  const gone = { path: { room: locked.data!.id } };
  const invite = { params: gone, headers: admin, body: { role: "admin", agent: "dan", uses: 2 } } as const;
  const invitation = await api.POST("/rooms/{room}/invites", invite);
  seen("createInvite", invitation);
  const recalled = { path: { ...gone.path, invite: invitation.data?.id ?? "" } };
  seen("revokeInvite", await api.DELETE("/rooms/{room}/invites/{invite}", { params: recalled, headers: admin }));
  const deletion = await api.DELETE("/rooms/{room}", { params: gone, headers: admin });
  seen("deleteRoom", deletion);
  const deleted: boolean | undefined = deletion.data?.deleted;

  const guide = await api.GET("/", { parseAs: "text" });
  seen("guide", guide);
  seen("health", await api.GET("/healthz"));
  if (operator !== undefined) {
    const shown = { headers: { Authorization: `Bearer ${operator}` }, parseAs: "text" } as const;
    seen("metrics", await api.GET("/metrics", shown));
  }
  const told: unknown[] = [names, created, claimant, version, keys, cause, more, left, proof, deleted, guide.data?.length];
  if (told.includes(undefined) && told.at(-1) === undefined) throw new Error("The guide is empty.");
}
