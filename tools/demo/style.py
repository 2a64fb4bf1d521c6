"""The look of a report as one HTML file, in light and dark."""

STYLE = """\
:root {
  color-scheme: light dark;
  --sans: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --paper: #ffffff; --sheet: #f5f7f9; --ink: #17202a; --soft: #56626f; --line: #d3dae1;
  --good: #0b6b3a; --bad: #b3261e; --requested: #9cc3f5; --reported: #b03a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12171d; --sheet: #1a2129; --ink: #e7ecf1; --soft: #a3b0bd; --line: #37424e;
    --good: #63d297; --bad: #ff8f85; --requested: #2c5f9e; --reported: #ffa366;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 var(--sans); }
main { max-width: 1168px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 36px 0 8px; }
p { margin: 0 0 12px; max-width: 80ch; }
.soft { color: var(--soft); }
.verdict { display: inline-block; margin: 8px 0; padding: 4px 12px; border: 2px solid; border-radius: 6px; font-weight: 600; }
.seen { color: var(--good); }
.failed { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); }
td { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.short { white-space: nowrap; overflow-wrap: normal; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--soft); }
"""
