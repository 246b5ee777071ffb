/** Loaded before the service: its process then has a clock that is wrong by CLOCK_SHIFT_MS, and by more after SIGUSR2. */
const Right = Date;
let shift = Number(Deno.env.get("CLOCK_SHIFT_MS"));

globalThis.Date = new Proxy(Right, {
  construct: (_, args, target) =>
    Reflect.construct(Right, args.length ? args : [Right.now() + shift], target),
  apply: () => new Right(Right.now() + shift).toString(),
  get: (_, name) => name === "now" ? () => Right.now() + shift : Reflect.get(Right, name),
});

Right.prototype.constructor = Date;

Deno.addSignalListener("SIGUSR2", () => shift += Number(Deno.env.get("CLOCK_JUMP_MS")));
