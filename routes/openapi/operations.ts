import { MESSAGE_OPERATIONS } from "./message_operations.ts";
import type { Operations } from "./operation.ts";
import { ROOM_OPERATIONS } from "./room_operations.ts";
import { SERVICE_OPERATIONS } from "./service_operations.ts";
import { STATE_OPERATIONS } from "../state/operations.ts";
import { WAIT_OPERATIONS } from "./wait_operations.ts";

/** Every operation of the API. A test finds what is served and missing here. */
export const OPERATIONS: Operations = {
  ...ROOM_OPERATIONS,
  ...MESSAGE_OPERATIONS,
  ...STATE_OPERATIONS,
  ...WAIT_OPERATIONS,
  ...SERVICE_OPERATIONS,
};
