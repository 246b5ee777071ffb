/** True for the long form of the tests under load, which takes minutes: `LOAD=long deno test -A tests/load/`. */
export const long: boolean = Deno.env.get("LOAD") === "long";
