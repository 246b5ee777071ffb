/** Pairs of numbers of which the least first number comes out first: a heap, so that nothing is copied as it grows. */
export interface Pending {
  add(id: number, parent: number): void;
  /** Takes out the least ones, in order. */
  take(count: number): Array<[id: number, parent: number]>;
  /** The least first number that is left. */
  least(): number | undefined;
}

export function createPending(): Pending {
  const ids: number[] = [];
  const parents: number[] = [];

  function put(place: number, id: number, parent: number) {
    ids[place] = id;
    parents[place] = parent;
  }

  function rise(place: number, id: number, parent: number) {
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (ids[above]! <= id) break;
      put(place, ids[above]!, parents[above]!);
      place = above;
    }
    put(place, id, parent);
  }

  function sink(id: number, parent: number) {
    let place = 0;
    for (let below = 1; below < ids.length; below = 2 * place + 1) {
      if (below + 1 < ids.length && ids[below + 1]! < ids[below]!) below++;
      if (ids[below]! >= id) break;
      put(place, ids[below]!, parents[below]!);
      place = below;
    }
    put(place, id, parent);
  }

  return {
    add: (id, parent) => rise(ids.length, id, parent),
    take(count) {
      const taken: Array<[number, number]> = [];
      while (taken.length < count && ids.length > 0) {
        taken.push([ids[0]!, parents[0]!]);
        const [id, parent] = [ids.pop()!, parents.pop()!];
        if (ids.length > 0) sink(id, parent);
      }
      return taken;
    },
    least: () => ids[0],
  };
}
