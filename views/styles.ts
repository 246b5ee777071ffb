/** The one style sheet: design tokens first, light and dark by the system's choice. */
export const styles = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfaf8, #17181a);
  --panel: light-dark(#ffffff, #1f2124);
  --line: light-dark(#dedbd5, #34373b);
  --text: light-dark(#1d1f21, #e6e5e2);
  --quiet: light-dark(#5c6066, #a3a7ad);
  --link: light-dark(#1f5fa8, #8ab8f0);
  --busy: light-dark(#8a5a00, #e0b050);
  --active: light-dark(#1d6b3a, #6fcf8f);
  --waiting: light-dark(#1f5fa8, #8ab8f0);
  --error: light-dark(#a3271c, #f09a90);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
a { color: var(--link); }
code, pre, .mono { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 8px 12px; overflow-x: auto; white-space: pre; }
.prose { max-width: 75ch; margin: 0 auto; padding: 24px 16px 64px; }
.prose table { display: block; overflow-x: auto; border-collapse: collapse; }
.prose th, .prose td { border: 1px solid var(--line); padding: 4px 8px; text-align: left; vertical-align: top; }
header.health { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 12px 16px; border-bottom: 1px solid var(--line); background: var(--panel); }
header.health h1 { font-size: 14px; margin: 0; font-weight: 600; }
.quiet { color: var(--quiet); }
.room { display: grid; gap: 16px; padding: 16px; grid-template-columns: 280px minmax(0, 1fr) minmax(0, 360px); }
.room section { min-width: 0; }
.room h2 { font-size: 13px; margin: 0 0 8px; color: var(--quiet); font-weight: 600; }
.room h3 { font-size: 13px; margin: 12px 0 4px; font-family: var(--mono); font-weight: 600; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 8px 12px; margin-bottom: 8px; overflow-wrap: anywhere; }
.card p { margin: 0; }
.card pre { border: 0; padding: 0; margin: 4px 0 0; background: none; white-space: pre-wrap; max-height: 200px; overflow: auto; }
.status-active { color: var(--active); } .status-busy { color: var(--busy); } .status-waiting { color: var(--waiting); }
.error { color: var(--error); }
@media (max-width: 1100px) { .room { grid-template-columns: 280px minmax(0, 1fr); } }
@media (max-width: 700px) { .room { grid-template-columns: minmax(0, 1fr); } }
`;
