let file = "";

/** The tests that are registered from now on are those of a file, and say so. */
export function namedAfter(path: string): void {
  file = path;
}

const named = (name: string) => `${file} => ${name}`;

// A test is registered with a name, or with an object that has one.
const register = new Proxy(Deno.test, {
  apply(test, self, [first, ...others]) {
    const changed = typeof first === "string" ? named(first) : { ...first, name: named(first.name) };
    return Reflect.apply(test, self, [changed, ...others]);
  },
});
Object.defineProperty(Deno, "test", { value: register });
