import { ERRORS } from "../../errors.ts";

/** Every error code as Markdown; its headings are what `docs` of an error points to. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, cause, cure }]) =>
    `## ${code}\n\nStatus ${status}. ${cause}\n\n**Do this:** ${cure}\n`
  );
  return `# Errors\n\nAn error is \`{"error":"<code>","message":"...","hint":"...","docs":"/docs/errors#<code>"}\`.\n\n${
    rows.join("\n")
  }\n## Read next\n\n[The guide]($CONVENE/help), [every operation]($CONVENE/docs/api).\n`;
}
