import { keyFor, type Viewer } from "../viewer.ts";
import type { Coalescer, SubmissionOptions } from "./groups.ts";

/** Submits one item. */
export type SubmitItem = <Item, Result>(
  viewer: Viewer,
  coalescer: Coalescer<Item, Result>,
  item: Item,
  weight?: number,
  options?: SubmissionOptions,
) => Promise<Result>;

/**
 * Creates the function that submits items of reads: equal ones of a viewer that wait at the same time become one, and
 * get one result. None joins one that is on its way, as of statements (verbatim.ts).
 */
export function createSharedItems(submit: SubmitItem): SubmitItem {
  const waiting = new Map<unknown, Map<string, Promise<unknown>>>();

  return function read<Item, Result>(
    viewer: Viewer,
    coalescer: Coalescer<Item, Result>,
    item: Item,
    weight?: number,
  ): Promise<Result> {
    const ofKind = waiting.get(coalescer) ?? new Map<string, Promise<unknown>>();
    waiting.set(coalescer, ofKind);
    const name = keyFor(viewer, JSON.stringify(item));
    const own = ofKind.get(name) ?? submit(viewer, coalescer, item, weight, {
      taken: () => ofKind.delete(name),
    });
    ofKind.set(name, own);
    return own as Promise<Result>;
  };
}
