/**
 * Lets the tasks of one room run one after the other, in this instance: for those that read, decide and write,
 * and would refuse one another in vain. A task that fails does not hold up the next.
 */
export function createTurns() {
  const queues = new Map<string, Promise<unknown>>();
  return function inTurn<T>(room: string, task: () => Promise<T>): Promise<T> {
    const turn = (queues.get(room) ?? Promise.resolve()).then(task);
    const done = turn.catch(() => {}).then(() => {
      if (queues.get(room) === done) queues.delete(room);
    });
    queues.set(room, done);
    return turn;
  };
}
