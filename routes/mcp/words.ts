import type { Path } from "../http/errors.ts";

/** Maps the path of a member of the API to its path in a tool's arguments. */
export type Named = (path: Path) => Path;

const TAKE_NEXT = "Take the next one: take_task without `message`.";

/** Hints for tools, where the API's hint names a request of the API. None has text of others. */
const HINTS: Record<string, string | ((refusal: Record<string, unknown>) => string)> = {
  invite_not_found:
    "Check `code` letter for letter. If it is right, ask whoever invited you for a new one, with a longer ttl or more uses.",
  unauthenticated:
    "Pass the `token` that join gave you for this room, or the one that replaced it. If it was revoked, ask an admin. " +
    "Without one name another agent.",
  room_not_found:
    "Create it with join, or check `room`. A locked one needs a `token` of it that is in force.",
  agent_not_found: "Call join first.",
  agent_exists:
    "Take another id, or leave out `if_new` if this agent is you. If a `code` invites you by this id, ask for a new one.",
  id_unavailable:
    "If you mean a locked room, pass its `token`, or join by a `code`: ask whoever named the room to you. " +
    "Else take another id, or leave `room` out for a new room.",
  message_not_found: "See what there is: list_messages.",
  key_not_found: ({ hint }) =>
    String(hint).replace(/^Write it with PUT .*/, "Write it with write_state, or wait for it with has(...)."),
  already_claimed: TAKE_NEXT,
  task_over: TAKE_NEXT,
  lease_lost: ({ hint }) =>
    String(hint).replace("POST /rooms/:id/reservations", "reserve_paths.")
      .replace(/^Claim it again: .*/, "Drop the work, or take the task again: take_task with `message`.")
      .replace(/^Claim it first: .*/, "Take it first: take_task with `message`."),
  reservation_not_found: "See what is reserved: reserve_paths with `action` list.",
  reserved: ({ hint }) => String(hint).replace("`timeout`, in milliseconds", "`timeout_seconds`"),
};

/** Returns what the service itself says of a refusal: its hint, where that has no text of others. */
export function adviceOn({ error, hint }: Record<string, unknown>): string | undefined {
  return Object.hasOwn(HINTS, String(error)) && typeof hint === "string" ? hint : undefined;
}

interface Refusal {
  error: string;
  message: string;
  hint?: string;
  issues?: Array<{ path: Path; message: string }>;
  docs?: string;
}

/** Words a refusal of the API for tools: hints name tools, paths name arguments. */
export function inWordsOfTools(json: string, named: Named = (path) => path): string {
  const { docs: _, ...refusal } = JSON.parse(json) as Refusal & Record<string, unknown>;
  const own = HINTS[refusal.error] ?? refusal.hint;
  const hint = typeof own === "function" ? own(refusal) : own;
  const issues = refusal.issues?.map(({ path, message }) => ({
    path: named(path).map((part) => typeof part === "string" ? told(part) : part),
    message: told(moved(message, path, named(path))),
  }));
  const [first] = refusal.issues ?? [];
  const message = first ? moved(refusal.message, first.path, named(first.path)) : refusal.message;
  return JSON.stringify({
    ...refusal,
    message: told(message),
    ...(issues && { issues }),
    ...(hint !== undefined && { hint: told(hint) }),
  });
}

/** Replaces the path at the beginning of a message. */
function moved(message: string, from: Path, to: Path): string {
  const [member, argument] = [from.join("."), to.join(".")];
  for (const mark of ["", "`"]) {
    if (message.startsWith(mark + member)) {
      return mark + argument + message.slice(mark.length + member.length);
    }
  }
  return message;
}

function told(text: string): string {
  return text.replaceAll("Idempotency-Key", "idempotency_key");
}
