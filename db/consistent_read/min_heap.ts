/** Creates a binary heap of messages with their parents, by id. */
export function createMinHeap() {
  const ids: number[] = [];
  const parents: number[] = [];

  function put(index: number, id: number, parent: number) {
    ids[index] = id;
    parents[index] = parent;
  }

  function rise(index: number, id: number, parent: number) {
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (ids[above]! <= id) break;
      put(index, ids[above]!, parents[above]!);
      index = above;
    }
    put(index, id, parent);
  }

  function sink(id: number, parent: number) {
    let index = 0;
    for (let below = 1; below < ids.length; below = 2 * index + 1) {
      if (below + 1 < ids.length && ids[below + 1]! < ids[below]!) below++;
      if (ids[below]! >= id) break;
      put(index, ids[below]!, parents[below]!);
      index = below;
    }
    put(index, id, parent);
  }

  return {
    add: (id: number, parent: number) => rise(ids.length, id, parent),
    /** Removes the smallest ids and returns them in order. */
    take(count: number) {
      const taken: Array<[id: number, parent: number]> = [];
      while (taken.length < count && ids.length > 0) {
        taken.push([ids[0]!, parents[0]!]);
        const [id, parent] = [ids.pop()!, parents.pop()!];
        if (ids.length > 0) sink(id, parent);
      }
      return taken;
    },
    min: (): number | undefined => ids[0],
  };
}
