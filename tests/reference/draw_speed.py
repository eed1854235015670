#!/usr/bin/env python3
"""docs/speed.svg: how many times as fast as PyTorch, drawn from the tables of the pages themselves.

    tests/reference/draw_speed.py            write docs/speed.svg
    tests/reference/draw_speed.py --check    exit 1 if it is not what the tables say

A table counts if its columns are `architecture`, `convzoo images/s`, `PyTorch images/s` and `ratio`; the paragraph before it says
which it is. README.md and docs/*.md are searched, so the figures live once, wherever that is. Python's standard library only.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs" / "speed.svg"
COLUMNS = ["architecture", "convzoo images/s", "PyTorch images/s", "ratio"]

# What a chart shows: title, colour, and the words before its table.
SERIES = [
    ("training, f32", "#3b5b92", re.compile(r"\btraining in f32\b", re.I)),
    ("training, bf16 (--amp)", "#b3502e", re.compile(r"\bbf16\b", re.I)),
    ("inference, f32", "#2f7d46", re.compile(r"\binference\b", re.I)),
]

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 880, 160, 60, 76, 13, 14
NUMBER = r"[0-9]+(?:\.[0-9]+)?"
RATIO = re.compile(rf"({NUMBER})(?: \[({NUMBER})-({NUMBER})\])?$")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables(text):
    """Yields (the paragraph before, rows) for every table of COLUMNS."""
    lines, paragraph = text.splitlines(), []
    for i, line in enumerate(lines):
        if line.startswith("|"):
            if cells(line)[:len(COLUMNS)] == COLUMNS:
                rows = []
                for row in lines[i + 2:]:
                    if not row.startswith("|"):
                        break
                    rows.append(cells(row))
                yield " ".join(paragraph), rows
        elif line.strip() and (i == 0 or lines[i - 1].strip()):
            paragraph.append(line)
        elif line.strip():
            paragraph = [line]


def ratios(rows):
    """{architecture: (median, least, most) or None where PyTorch fails}."""
    found = {}
    for row in rows:
        match = RATIO.match(row[3])
        found[row[0].strip("`")] = tuple(float(g or match[1]) for g in match.groups()) if match else None
    return found


def read():
    found = {}
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for before, rows in tables(page.read_text(encoding="utf-8")):
            for title, _, words in SERIES:
                if words.search(before) and title not in found:
                    found[title] = ratios(rows)
                    break
    missing = [title for title, _, _ in SERIES if title not in found]
    if missing:
        sys.exit(f"draw_speed.py: no table of speed for {', '.join(missing)}: README.md and docs/*.md: its columns are "
                 f"{' | '.join(COLUMNS)}, and the paragraph before it has the words of SERIES")
    return found


def draw(found):
    names = list(found[SERIES[0][0]])
    values = [v for series in found.values() for v in series.values() if v]
    limit = int(max(most for _, _, most in values)) + 1
    group = BAR * len(SERIES) + GAP
    height = TOP + group * len(names) + 44
    scale = (WIDTH - LEFT - RIGHT) / limit
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="13" role="img" '
        'aria-label="Bars: how many times as fast as PyTorch convzoo trains and infers, for each architecture">',
        "  <!-- made by tests/reference/draw_speed.py from the tables of the pages -->",
        f'  <rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>',
        '  <g fill="#1f2328">',
        '  <text x="20" y="30" font-size="15">Times as fast as PyTorch on the same two cores</text>',
    ]
    x = 20
    for title, colour, _ in SERIES:
        out.append(f'  <rect x="{x}" y="44" width="12" height="12" rx="2" fill="{colour}"/><text x="{x + 18}" y="55">{title}</text>')
        x += 40 + 8 * len(title)
    out.append(f'  <text x="{WIDTH - 20}" y="55" text-anchor="end" fill="#57606a" font-size="12">median; line: least to most of five pairs</text>')
    bottom = TOP + group * len(names)
    for tick in range(limit + 1):
        at = LEFT + tick * scale
        stroke = 'stroke="#1f2328" stroke-dasharray="4 3"' if tick == 1 else 'stroke="#e3e7ec"'
        out.append(f'  <line x1="{at:.1f}" y1="{TOP - 4}" x2="{at:.1f}" y2="{bottom}" {stroke}/>')
        out.append(f'  <text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle" font-size="12">{tick}</text>')
    out.append(f'  <text x="{LEFT + scale:.1f}" y="{bottom + 34}" text-anchor="middle" font-size="12" fill="#57606a">PyTorch</text>')
    for i, name in enumerate(names):
        top = TOP + i * group + GAP / 2
        out.append(f'  <text x="{LEFT - 10}" y="{top + BAR * len(SERIES) / 2 + 4:.1f}" text-anchor="end">{name}</text>')
        for k, (title, colour, _) in enumerate(SERIES):
            y, value = top + k * BAR, found[title].get(name)
            if not value:
                out.append(f'  <text x="{LEFT + 6}" y="{y + BAR - 3:.1f}" font-size="11" fill="#57606a">PyTorch 1.13 fails</text>')
                continue
            median, least, most = value
            end = LEFT + most * scale
            out.append(f'  <rect x="{LEFT}" y="{y:.1f}" width="{median * scale:.1f}" height="{BAR - 2}" rx="2" fill="{colour}"/>')
            out.append(f'  <line x1="{LEFT + least * scale:.1f}" y1="{y + BAR / 2 - 1:.1f}" x2="{end:.1f}" y2="{y + BAR / 2 - 1:.1f}" '
                       'stroke="#1f2328" stroke-opacity="0.55" stroke-width="1.5"/>')
            out.append(f'  <text x="{end + 6:.1f}" y="{y + BAR - 3:.1f}" font-size="11">{median:.2f}</text>')
    return "\n".join(out + ["  </g>", "</svg>"]) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    picture = draw(read())
    if sys.argv[1:]:
        old = PICTURE.read_text(encoding="utf-8") if PICTURE.exists() else ""
        if old != picture:
            sys.exit("draw_speed.py: docs/speed.svg is not what the tables say: run tests/reference/draw_speed.py")
    else:
        PICTURE.write_text(picture, encoding="utf-8")


main()
