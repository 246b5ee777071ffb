/** The upper bounds of the histogram of round trips, in seconds. */
export const ROUND_TRIP_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The round trips of batches since the instance began. */
interface RoundTrips {
  /** Counts by the bounds, the last of those beyond all bounds. Not cumulative. */
  counts: number[];
  seconds: number;
  /** The number of batches that the database refused or did not answer. */
  failed: number;
}

export interface Load {
  roundTrips: RoundTrips;
  /** The number of reads or writes that wait for a batch. */
  queued: number;
}

/** Creates a counter of round trips. `elapsed` gives monotonic milliseconds. */
export function createRoundTrips(elapsed: () => number) {
  const told: RoundTrips = { counts: Array(ROUND_TRIP_BOUNDS.length + 1).fill(0), seconds: 0, failed: 0 };

  function count(seconds: number) {
    told.seconds += seconds;
    const bound = ROUND_TRIP_BOUNDS.findIndex((bound) => seconds <= bound);
    told.counts[bound < 0 ? ROUND_TRIP_BOUNDS.length : bound]!++;
  }

  return {
    told,
    /** Counts a round trip, however it ends. */
    async counted<T>(roundTrip: () => Promise<T>): Promise<T> {
      const began = elapsed();
      try {
        return await roundTrip();
      } catch (error) {
        told.failed++;
        throw error;
      } finally {
        count((elapsed() - began) / 1_000);
      }
    },
  };
}
