#!/usr/bin/env python3
"""What a terminal shows of a training: the block at the bottom, under a pseudo-terminal of 40, 80 and 200 columns, with its size changed and
the program suspended meanwhile; and that no escape sequence reaches a file or a pipe.

usage: test_terminal.py PROGRAMS_FOLDER [--show]        --show: print what was on the screen in the middle of each run

The screen is a small emulation of a terminal, which refuses every sequence that the programs need not send."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAMS = os.path.abspath(sys.argv[1])
SHOW = "--show" in sys.argv
RUN = ["lenet", "--data", "shapes", "--limit", "400", "--img-size", "32", "-b", "20", "--threads", "1", "--epochs", "3"]
LONG = RUN + ["--limit", "6000"]      # so long that a fast machine is still in it when it is resized or stopped
ROWS, PATIENCE = 24, 120


class Screen:
    """Lines of a terminal that only grow: what has scrolled away can be looked at. Letters that did not fit are counted."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column, self.wraps, self.misfits, self.rest = columns, [""], 0, 0, True, 0, ""

    def feed(self, text):
        text = self.rest + text
        at = 0
        while at < len(text):
            if text[at] == "\033":
                found = re.compile(r"\033\[(\??\d*)([A-Za-z])").match(text, at)
                if not found:
                    assert len(text) - at < 8, repr(text[at:at + 20])
                    break
                self.control(found.group(2), found.group(1))
                at = found.end()
            else:
                self.letter(text[at])
                at += 1
        self.rest = text[at:]

    def control(self, what, given):
        if what == "J" and not given:
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        elif what == "A":
            self.row -= int(given or 1)
            assert self.row >= 0, "above the screen"
        elif given == "?7" and what in "hl":
            self.wraps = what == "h"
        else:
            raise AssertionError(f"sequence {given}{what}")

    def letter(self, letter):
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self.down()
        else:
            assert letter >= " ", repr(letter)
            if self.column >= self.columns:
                self.misfits += 1
                if self.wraps:
                    self.down()
                self.column = 0 if self.wraps else self.columns - 1
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + letter + line[self.column + 1:]
            self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")


def as_shell(command):
    """Runs it in the foreground, tells when it is suspended, and brings it back."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.setpgid(0, 0)
        time.sleep(0.2)
        os.execv(command[0], command)
    time.sleep(0.1)
    os.tcsetpgrp(0, pid)
    while True:
        status = os.waitpid(pid, os.WUNTRACED)[1]
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        os.tcsetpgrp(0, os.getpgrp())
        os.write(1, b"\n[1]+  Stopped\n$ fg\n")
        os.tcsetpgrp(0, pid)
        os.killpg(pid, signal.SIGCONT)


class Run:
    def __init__(self, columns, arguments, locale="C.UTF-8", shell=False):
        self.screen, self.columns, self.pending, self.rest, self.draws = Screen(columns), columns, [], b"", 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(LC_ALL=locale)
            time.sleep(0.2)      # until the size is set
            command = [os.path.join(PROGRAMS, "train")] + arguments
            if shell:
                os._exit(as_shell(command))
            os.execv(command[0], command)
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self.columns = self.screen.columns = columns

    def read(self, seconds=0.05):
        """Up to where the program draws anew, so that nothing is missed of what it shows; false at the end."""
        if not self.pending and select.select([self.terminal], [], [], seconds)[0]:
            try:
                text = os.read(self.terminal, 1 << 16)
            except OSError:
                return False
            if not text:
                return False
            self.pending = re.split(rb"(?=\r\033\[J)", text)
        if self.pending:
            self.draws += self.pending[0].startswith(b"\r\033[J")
            self.rest += self.pending.pop(0)
            try:
                text, self.rest = self.rest.decode("utf-8"), b""
            except UnicodeDecodeError:      # the other half of a letter is still to come
                return True
            self.screen.feed(text)
        return True

    def read_one_line(self):
        """Of the block that is drawn next, the first line alone: the others are on their way. At the end of the run, nothing."""
        while not (self.pending and self.pending[0].count(b"\n") == 2):
            if not self.read():
                return
        self.pending[:1] = re.split(rb"(?<=\n)", self.pending[0], maxsplit=1)
        self.read()

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition(self):
            assert time.monotonic() < end and self.read(), "\n".join(self.screen.lines)

    def finish(self):
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def block(run):
    """The block's lines, if it stands below the cursor."""
    lines = [line for line in run.screen.lines[run.screen.row:]]
    return lines if len(lines) == 3 and re.match(r"epoch \d+/3 ", lines[0]) and lines[1].startswith("loss ") and lines[2].endswith(" left") else None


def in_middle(run):
    lines = block(run)
    return lines is not None and "[#" in lines[0] and lines[0].startswith("epoch 2/3")


def check_end(run, code, folder):
    assert code == 0, "\n".join(run.screen.lines)
    text = "\n".join(run.screen.lines)
    flat = re.sub(r"\n    ", " ", text)      # long lines are broken between words
    for epoch in (1, 2, 3):
        assert len(re.findall(rf"^epoch {epoch}/3  train loss", flat, re.M)) == 1, text
    assert not re.search(r"img/s  lr|^epoch.*\[#|run .* left", text, re.M), text
    assert "best.safetensors" in text.replace("\n", ""), text
    assert os.path.exists(os.path.join(folder, "best.safetensors"))


def test_widths(folder):
    for columns in (40, 80, 200):
        output = os.path.join(folder, str(columns))
        run = Run(columns, RUN + ["--output", output])
        run.until(in_middle)
        lines = block(run)
        if SHOW:
            print("\n".join([f"--- {columns} columns"] + lines))
        assert all(len(line) < columns for line in lines), lines
        assert "[#" in lines[0] and "top1" in lines[1] and re.search(r"run \d", lines[2]), lines
        assert columns < 80 or ("lr " in lines[1] and "GFLOP/s" in lines[1] and "img/s" in lines[1] and re.search(r"epoch \d", lines[2])), lines
        assert re.search("[▁▂▃▄▅▆▇█]{4}", lines[2]), lines
        check_end(run, run.finish(), output)


def test_without_unicode(folder):
    output = os.path.join(folder, "plain")
    run = Run(80, RUN + ["--output", output], locale="C")
    run.until(in_middle)
    assert all(letter < "\x7f" for line in block(run) for letter in line), block(run)
    check_end(run, run.finish(), output)


def test_resize(folder):
    output = os.path.join(folder, "resized")
    run = Run(120, LONG + ["--output", output])
    run.until(in_middle)
    for columns in (50, 23, 21, 160):
        if run.columns >= 50:      # a block is drawn there
            run.read_one_line()
        run.resize(columns)
        draws = run.draws
        while run.draws < draws + 3 and run.read():      # what was under way is still as wide as before
            pass
        draws, misfits = run.draws, run.screen.misfits
        while run.draws < draws + 3 and run.read():
            pass
        if run.draws < draws + 3:      # the run is over: its last lines are no block, and may wrap
            break
        assert run.screen.misfits == misfits, run.screen.lines[-4:]
    check_end(run, run.finish(), output)


def test_suspend(folder):
    output = os.path.join(folder, "suspended")
    run = Run(80, LONG + ["--output", output], shell=True)
    for times in (1, 2):
        run.until(in_middle)
        os.write(run.terminal, b"\x1a")
        run.until(lambda run: "\n".join(run.screen.lines).count("$ fg") == times)
        above = run.screen.lines[:run.screen.row]
        assert not any(re.search(r"img/s  lr|run .* left|\[#|^\^", line) for line in above), above[-6:]
    check_end(run, run.finish(), output)
    assert "\n".join(run.screen.lines).count("[1]+  Stopped\n$ fg\n") == 2


def test_interrupt(folder):
    output = os.path.join(folder, "interrupted")
    run = Run(60, LONG + ["--output", output])
    run.until(in_middle)
    os.write(run.terminal, b"\x03")
    code = run.finish()
    text = "\n".join(run.screen.lines)
    assert code == 128 + signal.SIGINT, (code, text)
    assert "stopping: this step is finished first" in text and "saved" in text and not re.search(r"\[#|img/s  lr", text), text


def test_no_terminal(folder):
    for i, options in enumerate((["--progress", "auto"], ["--progress", "block"], ["--progress", "bar"], ["--quiet"])):
        output = os.path.join(folder, f"pipe{i}")
        done = subprocess.run([os.path.join(PROGRAMS, "train")] + RUN + options + ["--log-interval", "10", "--output", output], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=True)
        said = done.stdout + done.stderr
        assert b"\033" not in said and b"\r" not in said, said
        assert (b"step 10/" in done.stderr) == (i < 3) and (done.stderr == b"" or i < 3), done.stderr
        assert done.stdout.count(b"\n") == 1, done.stdout
        for name in os.listdir(output):
            if not name.endswith(".safetensors"):
                with open(os.path.join(output, name), "rb") as file:
                    assert b"\033" not in file.read(), name


def test_quiet(folder):
    run = Run(80, RUN + ["--quiet", "--output", os.path.join(folder, "quiet")])
    assert run.finish() == 0
    assert len(run.screen.lines) == 2 and "best.safetensors" in run.screen.lines[0] and run.screen.lines[1] == "", run.screen.lines


def main():
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        for test in (test_widths, test_without_unicode, test_resize, test_suspend, test_interrupt, test_no_terminal, test_quiet):
            test(folder)
            print(test.__name__, "ok")


main()
