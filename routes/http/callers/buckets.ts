import { createLru } from "../../../db/lru.ts";

interface BucketLimits {
  /** Requests added to a bucket each second; 0 for no limit. */
  perSecond: number;
  /** Requests in a full bucket. */
  burst: number;
  /** Buckets held; beyond them the least recently used one is dropped, and starts full again. */
  max: number;
}

/** What is left in a bucket; `waitMs`, only if it was empty, until it holds a request again. */
interface Taken {
  left: number;
  waitMs?: number;
}

/** Makes token buckets by name. `now` is in milliseconds. */
export function createBuckets({ perSecond, burst, max }: BucketLimits, now: () => number) {
  const buckets = createLru<{ tokens: number; at: number }>(max);

  function bucketOf(name: string, time: number) {
    const known = buckets.get(name);
    if (known) return known;
    const fresh = { tokens: burst, at: time };
    buckets.set(name, fresh);
    return fresh;
  }

  /** Returns a bucket with what time has added. */
  function filled(name: string) {
    const time = now();
    const bucket = bucketOf(name, time);
    bucket.tokens = Math.min(burst, bucket.tokens + (time - bucket.at) * perSecond / 1_000);
    bucket.at = time;
    return bucket;
  }

  return {
    take(name: string): Taken {
      if (perSecond === 0) return { left: Infinity };
      const bucket = filled(name);
      if (bucket.tokens < 1) return { left: 0, waitMs: (1 - bucket.tokens) * 1_000 / perSecond };
      bucket.tokens--;
      return { left: Math.floor(bucket.tokens) };
    },
    /** Takes what a request has turned out to cost beyond one, even if the bucket holds less. */
    charge(name: string, requests: number): void {
      if (perSecond > 0) filled(name).tokens -= requests;
    },
  };
}

/** Counts what is held at a time, by name. */
export function createHolds() {
  const held = new Map<string, number>();

  function add(name: string, by: number) {
    const count = (held.get(name) ?? 0) + by;
    if (count > 0) held.set(name, count);
    else held.delete(name);
  }

  return {
    count: (name: string): number => held.get(name) ?? 0,
    /** Counts one for each name; returns a function that releases them, once. */
    hold(names: string[]): () => void {
      for (const name of names) add(name, 1);
      return function release() {
        for (const name of names.splice(0)) add(name, -1);
      };
    },
  };
}
