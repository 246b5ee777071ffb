import type { Row, Statement } from "../driver/statement.ts";
import {
  CHECK_GENERATION,
  checked,
  checkOf,
  isLookedUp,
  knownGeneration,
  type TokensCheck,
  withCheck,
} from "../access/token.ts";
import type { Viewer } from "../viewer.ts";

/** Makes items of one kind share their statements in a batch. */
export interface Coalescer<Item, Result> {
  /**
   * Makes the statements that serve all these items. Reads may be of several viewers: an item that not all of them may
   * see names its viewer. Writes are of one viewer, unless the coalescer `judges`.
   */
  statements(items: Item[]): Statement[];
  /** Makes each item's result, of the rows of these statements. */
  results(items: Item[], rows: Row[][]): Result[];
  /** Whether the statements of writes judge what the viewer of each item may do. */
  judges?: boolean;
  /** Whether the statements of reads are one, whose answer is one value in one row. */
  scalar?: boolean;
}

export interface Submission {
  viewer: Viewer;
  coalescer: Coalescer<unknown, unknown>;
  item: unknown;
  weight: number;
  expires: number;
  /** Whether it goes before others, in every other batch. */
  first?: boolean;
  /** Called when it is about to be sent. */
  taken?(): void;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export type SubmissionOptions = Pick<Submission, "first" | "taken">;

/** Submissions, and the statements that serve them all. */
export interface Group {
  submissions: Submission[];
  statements: Statement[];
  /** Whether what this instance knows of the tokens still holds, where that is all that is asked of them. */
  holds?(rows: Row[][]): boolean;
  answer(rows: Row[][], refused: Refused): void;
}

/** The refusals of viewers whose tokens are not in force, by their keys. */
export type Refused = Map<string, Error>;

/**
 * Groups reads by coalescer, whoever the viewers are. One check of all their tokens comes first, or in the statement of
 * a group: the batch reads one snapshot. `trusting`: asks only for the generation of tokens, where that suffices.
 */
export function groupedReads(submissions: Submission[], trusting: boolean): Group[] {
  const groups = [...Map.groupBy(submissions, ({ coalescer }) => coalescer).values()].map(groupOf);
  const generation = generationShown(submissions);
  if (generation === undefined) return groups;
  if (generation !== null && trusting) return [assuming(generation, groups[0]!), ...groups.slice(1)];
  const holders = submissions.filter(({ viewer }) => isLookedUp(viewer));
  const check = checkOf(holders.map(({ viewer }) => viewer));
  const host = check.statements.length > 1 ? undefined : groups.find(isScalar);
  return host
    ? [checkingToo(host, check), ...groups.filter((group) => group !== host)]
    : [checkAll(holders, check), ...groups];
}

/** Whether a group is one statement, which selects one value. */
const isScalar = ({ submissions: [first] }: Group) => first!.coalescer.scalar === true;

function groupOf(submissions: Submission[]): Group {
  const { coalescer } = submissions[0]!;
  const items = submissions.map(({ item }) => item);
  return {
    submissions,
    statements: coalescer.statements(items),
    answer(rows, refused) {
      const results = coalescer.results(items, rows);
      submissions.forEach(({ viewer, resolve, reject }, n) => {
        const refusal = refused.size > 0 ? refused.get(viewer.key) : undefined;
        if (refusal) reject(refusal);
        else resolve(results[n]);
      });
    },
  };
}

/**
 * Returns the generation at which the tokens of submissions were last in force; null where they have to be checked,
 * undefined where there are none.
 */
function generationShown(submissions: Submission[]): number | null | undefined {
  let generation: number | null | undefined;
  for (const { viewer } of submissions) {
    if (!isLookedUp(viewer)) continue;
    const own = knownGeneration(viewer);
    if (generation === undefined) generation = own;
    else if (own !== generation) return null;
  }
  return generation;
}

/** Adds to a group the question whether the generation of tokens is still this one. */
function assuming(generation: number, group: Group): Group {
  const holds = ([row]: Row[][]) => row![0]?.checked === generation;
  if (isScalar(group)) return { ...group, holds, statements: [besideEachOther(group, CHECK_GENERATION)] };
  return {
    ...group,
    holds,
    statements: [CHECK_GENERATION, ...group.statements],
    answer: (rows, refused) => group.answer(rows.slice(1), refused),
  };
}

function checkAll(submissions: Submission[], { statements, refusals }: TokensCheck): Group {
  return {
    submissions,
    statements,
    answer(rows, refused) {
      for (const [key, refusal] of refusals(rows)) refused.set(key, refusal);
    },
  };
}

/**
 * Adds the check to the statement of a group: a single statement needs no transaction, which takes a server a tenth less
 * time.
 */
function checkingToo(host: Group, { statements: [check], refusals }: TokensCheck): Group {
  return {
    submissions: host.submissions,
    statements: [besideEachOther(host, check!)],
    answer(rows, refused) {
      for (const [key, refusal] of refusals(rows)) refused.set(key, refusal);
      host.answer(rows, refused);
    },
  };
}

/** The SQL of such statements, by that of the read and that of the check. There are few, each long. */
const made = new Map<string, Map<string, string>>();

/** Makes one statement of a group's only one, which selects one value, and a check. */
function besideEachOther({ statements: [read] }: Group, check: Statement): Statement {
  const ofRead = made.get(read!.sql) ?? new Map<string, string>();
  const known = ofRead.get(check.sql) ?? `SELECT (${read!.sql}) AS found, (${check.sql}) AS checked`;
  made.set(read!.sql, ofRead.set(check.sql, known));
  return { ...read!, sql: known, args: { ...read!.args, ...check.args } };
}

/**
 * Groups writes by coalescer, and those that are not judged by viewer too. A check of the token comes before such
 * writes, since they may revoke it.
 */
export function groupedWrites(submissions: Submission[]): Group[] {
  return [...Map.groupBy(submissions, ({ coalescer }) => coalescer)].flatMap(([{ judges }, members]) =>
    judges
      ? [groupOf(members)]
      : [...Map.groupBy(members, ({ viewer }) => viewer.key).values()].map(checkedGroup)
  );
}

function checkedGroup(submissions: Submission[]): Group {
  const [{ viewer }] = submissions as [Submission];
  const { statements, answer } = groupOf(submissions);
  return {
    submissions,
    statements: withCheck(viewer, statements),
    answer: (rows, refused) => answer(checked(viewer, rows), refused),
  };
}
