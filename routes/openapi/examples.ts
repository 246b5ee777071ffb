/** When everything in the examples happened. */
export const time = "2026-11-22T04:20:00.000Z";
export const room = { id: "demo", created_at: time, meta: {} };
export const agent = {
  id: "alice",
  room_id: "demo",
  name: "Alice",
  role: "planner",
  joined_at: time,
  meta: {},
  status: "active",
  waiting_on: null,
  last_heartbeat: time,
};
export const message = {
  id: 4,
  room_id: "demo",
  from_agent: "alice",
  to_agent: null,
  kind: "task",
  body: { file: "a.ts" },
  created_at: time,
  reply_to: null,
  claimed_by: null,
  claimed_at: null,
};
export const entry = {
  room_id: "demo",
  scope: "_shared",
  key: "turn",
  value: 2,
  version: 2,
  updated_at: time,
  updated_by: "alice",
};
