import { z } from "zod";

// The API judges ids and values; a schema here only tells what is meant.
export const room = z.string();
export const agent = z.string().describe("An agent's id");
export const gate = z.string().describe("CEL that must hold in the very state that the write changes");
export const version = z.int().describe("Only if the entry has this version; 0: only if it does not exist");
