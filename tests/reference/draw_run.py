#!/usr/bin/env python3
"""docs/run.svg: what a terminal shows of a short run, while it trains and afterwards.

    tests/reference/draw_run.py [BUILD]      runs the programs of BUILD (build) and writes docs/run.svg

The commands run in a terminal of their own, in a folder of their own; what they print is drawn as it is. Python's standard library only.
"""

import fcntl
import html
import os
import pathlib
import pty
import re
import struct
import sys
import tempfile
import termios

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs" / "run.svg"
COLUMNS, ROWS = 120, 40
TRAIN = "train baseline --data shapes --epochs 6"
AFTERWARDS = ["evaluate runs/baseline-relu-1/best.safetensors"]
SHOWN_WHILE = re.compile(r"epoch 5/6 \[#{20}")      # the block's bar, half-way through the last epoch but one
EPOCH = re.compile(r"epoch \d+/\d+  ")

LETTER, LINE, MARGIN, SIZE = 7.2, 17, 18, 12


class Screen:
    """Lines as a terminal of COLUMNS shows them: return, newline, going up, erasure of what follows, and lines that wrap."""

    def __init__(self):
        self.lines, self.row, self.at = [""], 0, 0

    def down(self):
        self.row += 1
        self.at = 0
        if self.row == len(self.lines):
            self.lines.append("")

    def put(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.", text, re.S):
            if part == "\r":
                self.at = 0
            elif part == "\n":
                self.down()
            elif part == "\x1b[J":
                self.lines[self.row:] = [self.lines[self.row][:self.at]]
            elif part.startswith("\x1b") and part.endswith("A"):
                self.row -= int(part[2:-1])
            elif not part.startswith("\x1b"):
                if self.at == COLUMNS:
                    self.down()
                line = self.lines[self.row].ljust(self.at)
                self.lines[self.row] = line[:self.at] + part + line[self.at + 1:]
                self.at += 1

    def shown(self):
        lines = [line.rstrip() for line in self.lines]
        return lines[:-1] if lines and not lines[-1] else lines


def run(command, folder, programs, seen=lambda screen: None):
    """The screen after a command; seen is called with it after everything that was read."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
        os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp("sh", ["sh", "-c", command])
    screen = Screen()
    while True:
        try:
            printed = os.read(terminal, 65536)
        except OSError:                     # the other side is closed
            break
        if not printed:
            break
        screen.put(printed.decode("utf-8", "replace"))
        seen(screen)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        sys.exit(f"draw_run.py: '{command}' exits with {code}: " + " ".join(screen.shown()[-3:]))
    return screen.shown()


def capture(programs):
    """Two screens: while it trains, and afterwards."""
    during = []

    def look(screen):
        if not during and SHOWN_WHILE.search(screen.lines[screen.row]):
            during.extend(screen.shown())

    with tempfile.TemporaryDirectory() as folder:
        after = run(TRAIN, folder, programs, look)
        if not during:
            sys.exit(f"draw_run.py: the bar was never half-way: {TRAIN}: it prints '{SHOWN_WHILE.pattern}' no longer")
        epochs = [i for i, line in enumerate(after) if EPOCH.match(line)]
        after = ["...", *after[epochs[-2]:]]
        for command in AFTERWARDS:
            after += ["$ " + command, *run(command, folder, programs)]
    return ["$ " + TRAIN, *during], after


def panel(lines, top, title, width):
    height = 34 + LINE * len(lines) + 12
    out = [f'  <rect x="0.5" y="{top + 0.5}" width="{width - 1}" height="{height}" rx="8" fill="#10151c" stroke="#57606a"/>',
           f'  <text x="{MARGIN}" y="{top + 21}" fill="#9aa4b0" font-family="system-ui, sans-serif" font-size="12">{title}</text>']
    for i, line in enumerate(lines):
        if not line:
            continue
        colour = "#7ee787" if line.startswith("$ ") else "#e6edf3"
        out.append(f'  <text x="{MARGIN}" y="{top + 46 + LINE * i}" fill="{colour}" xml:space="preserve" '
                   f'textLength="{LETTER * len(line):g}" lengthAdjust="spacingAndGlyphs">{html.escape(line)}</text>')
    return out, top + height


def draw(during, after):
    width = int(LETTER * COLUMNS) + 2 * MARGIN
    first, bottom = panel(during, 0, "while it trains", width)
    second, height = panel(after, bottom + 8, "afterwards", width)
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 1}" width="{width}" height="{height + 1}" '
            f'font-family="ui-monospace, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}" role="img" '
            'aria-label="A terminal: train shows a bar and a line an epoch, evaluate one line">')
    return "\n".join([head, "  <!-- made by tests/reference/draw_run.py -->", *first, *second, "</svg>"]) + "\n"


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv[1] if sys.argv[1:] else ROOT / "build").resolve()
    PICTURE.write_text(draw(*capture(programs)), encoding="utf-8")


main()
