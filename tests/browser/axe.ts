import axe from "npm:axe-core@4.14.1/axe.min.js" with { type: "text" };
import type { Page } from "npm:playwright-core@1.64.1";

interface Finding {
  id: string;
  impact: string;
  nodes: Array<{ html: string; failureSummary: string }>;
}

const RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"];

/**
 * Returns what axe finds serious in a page as it is now, or in a part of it, in both schemes. `seen` gets the page and
 * the name of each look.
 */
export async function seriousIn(
  page: Page,
  name: string,
  seen: (page: Page, name: string) => Promise<void>,
  part = "html",
): Promise<string[]> {
  // The page's policy keeps scripts out; this one comes by the debugger.
  if (!await page.evaluate("'axe' in window")) await page.evaluate(axe);
  const found: string[] = [];
  for (const scheme of ["light", "dark"] as const) {
    // What has just changed fades, and would be judged in a colour that is neither scheme's.
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await seen(page, `${name}-${scheme}`);
    // A scheme changes colours and nothing else.
    const rules = scheme === "light" ? {} : { runOnly: RULES_OF_COLOUR };
    const options = JSON.stringify({ resultTypes: ["violations"], ...rules });
    const { violations } = await page.evaluate(`axe.run("${part}", ${options})`) as { violations: Finding[] };
    for (const { id, impact, nodes } of violations) {
      if (!["serious", "critical"].includes(impact)) continue;
      found.push(`${name}-${scheme} ${id}: ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
    }
  }
  return found;
}
