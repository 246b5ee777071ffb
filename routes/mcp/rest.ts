/** Words the call that shows a part of a value that an expression reads. */
export function partOf(expr: string): string {
  return `evaluate with expr ${expr}.substring(0, 9000) if it is a text, else ${expr}.member or ${expr}[0]`;
}

/** Words the calls that show a room in parts. */
export const PARTS_OF_ROOM =
  "Ask for parts: get_state with scope, prefix or key, list_messages with after and limit, " +
  "read_room with after and limit, evaluate with expr agents.map(id, agents[id].status).";
