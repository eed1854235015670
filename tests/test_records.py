#!/usr/bin/env python3
"""What a run writes beside its checkpoints, read by others: log.csv by the csv module, the event file by tests/reference/read_events.py.

usage: test_records.py PROGRAMS_FOLDER

Both hold what log.jsonl holds, histograms count the weights of last.safetensors, its first filters are those of the picture, the training images are
what --preview shows, and a run that was stopped, and whose files were torn
meanwhile, has every epoch once."""
import csv
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference"))
import read_events    # noqa: E402

PROGRAMS = os.path.abspath(sys.argv[1])
EVENTS = "events.out.tfevents.0.convzoo"
FIGURES = {"loss/train": "train_loss", "loss/validation": "val_loss", "top1/train": "train_top1", "top1/validation": "val_top1",
           "top5/validation": "val_top5", "lr": "lr", "images_per_second": "images_per_second"}


def train(*options):
    done = subprocess.run([os.path.join(PROGRAMS, "train"), *options, "-q", "--threads", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def log_of(run):
    with open(os.path.join(run, "log.jsonl")) as file:
        return [json.loads(line) for line in file]


def weights_of(run):
    """{name: floats} of last.safetensors."""
    with open(os.path.join(run, "last.safetensors"), "rb") as file:
        data = file.read()
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + length])
    return {name: struct.unpack(f"<{(e['data_offsets'][1] - e['data_offsets'][0]) // 4}f", data[8 + length + e["data_offsets"][0]:8 + length + e["data_offsets"][1]])
            for name, e in header.items() if name != "__metadata__" and e["dtype"] == "F32"}


def close(a, b, tolerance=2e-6):
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9)


def check_table(run):
    with open(os.path.join(run, "log.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    log = log_of(run)
    assert len(rows) == len(log), (len(rows), len(log))
    for row, line in zip(rows, log):
        assert list(row) == ["epoch", "step", "lr", "train_loss", "train_top1", "val_loss", "val_top1", "val_top5", "best", "images_per_second", "seconds", "val_seconds"]
        for name, cell in row.items():
            assert close(float(cell), float(line[name])), (name, cell, line[name])


def check_histogram(histogram, weights):
    for name, expected in (("min", min(weights)), ("max", max(weights)), ("num", len(weights)), ("sum", math.fsum(weights)),
                           ("sum_squares", math.fsum(w * w for w in weights))):
        assert close(histogram[name], expected, 1e-9), (name, histogram[name], expected)
    ends, counts = histogram["bucket_limit"], histogram["bucket"]
    assert len(ends) == len(counts) and ends == sorted(ends) and sum(counts) == len(weights)
    assert close(ends[-1], max(weights))
    for i, end in enumerate(ends):      # a weight at the end of a bin may be in either
        room = 1e-9 * (ends[-1] - ends[0])
        assert sum(w <= end - room for w in weights) <= sum(counts[:i + 1]) <= sum(w <= end + room for w in weights)


def check_filters(shown, weights):
    """Each filter of 3 x h x w is enlarged, grey where a weight is 0; two pixels lie between filters."""
    height, width, channels, rows = shown
    count, side, gap = 6, 5, 2      # lenet's
    columns, zoom = 3, 7
    assert (height, width, channels) == (2 * (side * zoom + gap) + gap, columns * (side * zoom + gap) + gap, 3), (height, width, channels)
    for f in range(count):
        filter = weights[f * 3 * side * side:(f + 1) * 3 * side * side]
        most = max(map(abs, filter))
        for place, weight in enumerate(filter):
            c, y, x = place // (side * side), place // side % side, place % side
            top, left = f // columns * (side * zoom + gap) + gap + y * zoom, f % columns * (side * zoom + gap) + gap + x * zoom
            for i in range(zoom):
                for k in range(zoom):
                    level = rows[top + i][3 * (left + k) + c]
                    assert abs(level - (127.5 + 127.5 * weight / most)) <= 0.51, (f, c, y, x, level, weight, most)
    assert rows[0] == b"\xff" * (3 * width)


def check_samples(shown, run):
    """The same as --preview's, of the same options."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(PROGRAMS, "train"), "--config", os.path.join(os.path.abspath(run), "args.json"), "--preview", "16", "-q"], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "preview.png"), "rb") as file:
            assert shown == read_events.png(file.read())


def check_events(run):
    log, weights = log_of(run), weights_of(run)
    events = {}
    for step, tag, value in read_events.load(os.path.join(run, EVENTS)):
        assert (step, tag) not in events, f"{tag} of step {step} stands twice"
        events[step, tag] = value
    layers = [name for name in weights if name.endswith(".weight") and "." in name and not name.startswith(("optimizer.", "ema."))]
    assert layers
    check_samples(events.pop((0, "training images")), run)
    for line in log:
        for tag, name in FIGURES.items():
            assert close(events.pop((line["step"], tag)), line[name], 1e-6), (tag, line)
        filters = events.pop((line["step"], "filters/features.0.weight"))
        if line is log[-1]:
            check_filters(filters, weights["features.0.weight"])
        for name in layers:
            histogram = events.pop((line["step"], name))
            if line is log[-1]:
                check_histogram(histogram, weights[name])
            assert 0 < events.pop((line["step"], "update/" + name)) < 1
            assert events.pop((line["step"], "gradient/" + name)) > 0
    assert not events, list(events)[:3]


def tear(run):
    """What a killed process may leave: a line and an event of an epoch that the checkpoint does not know, and halves of others."""
    path = os.path.join(run, EVENTS)
    with open(path, "rb") as file:
        whole = file.read()
    body = b"\x09" + struct.pack("<d", 1.7e9) + b"\x10\xff\x7f"
    later = struct.pack("<Q", len(body))
    later += struct.pack("<I", read_events.masked(later)) + body + struct.pack("<I", read_events.masked(body))
    with open(path, "ab") as file:
        file.write(later + whole[:20])
    with open(os.path.join(run, "log.csv"), "a") as file:
        file.write("9,99,0.1,1,1,1,1,1,0,1,1,1\n3,9")


def check_late(run):
    """Files that cannot be written at first, and can be later, have every epoch once: what was owed, and not what an earlier call left."""
    hidden = {name: os.path.join(run, name) for name in ("log.csv", "health.jsonl", EVENTS)}
    for path in hidden.values():
        if os.path.exists(path):
            os.rename(path, path + ".aside")
        os.mkdir(path)
    with open(hidden["health.jsonl"] + ".aside", "a") as file:
        file.write('{"epoch": 2}\n')
    command = [os.path.join(PROGRAMS, "train"), "--resume", run, "--log", "tb", "--epochs", "12", "-q", "--threads", "1"]
    training = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while training.poll() is None and len(log_of(run)) < 3:
        time.sleep(0.002)
    for path in hidden.values():
        os.rmdir(path)
    os.rename(hidden["health.jsonl"] + ".aside", hidden["health.jsonl"])
    told = training.communicate()[1]
    assert training.returncode == 0 and "tried again at the next epoch" in told, told
    check_table(run)
    with open(hidden["health.jsonl"]) as file:
        assert [json.loads(line)["epoch"] for line in file] == list(range(1, 13))
    seen = [(step, tag) for step, tag, _ in read_events.load(os.path.join(run, EVENTS))]
    assert len(set(seen)) == len(seen) and {step for step, _ in seen} == {0} | {line["step"] for line in log_of(run)[1:]}


def main():
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "run")
        train("lenet", "--data", "shapes", "--limit", "300", "--img-size", "16", "-b", "50", "--epochs", "4", "--log", "tb", "--max-steps", "15", "--output", run)
        check_table(run)
        tear(run)
        train("--resume", run)
        assert [line["epoch"] for line in log_of(run)] == [1, 2, 3, 4]
        check_table(run)
        check_events(run)
        os.remove(os.path.join(run, "log.csv"))
        with open(os.path.join(run, EVENTS), "wb") as file:
            file.write(b"no events")
        train("--resume", run, "--epochs", "5")
        check_table(run)
        steps = {step for step, _, _ in read_events.load(os.path.join(run, EVENTS))}
        assert steps == {0, 30}, steps

        plain = os.path.join(folder, "plain")
        train("lenet", "--data", "shapes", "--limit", "60", "--img-size", "16", "-b", "20", "--epochs", "1", "--output", plain)
        assert os.path.exists(os.path.join(plain, "log.csv")) and not os.path.exists(os.path.join(plain, EVENTS))

        late = os.path.join(folder, "late")
        train("lenet", "--data", "shapes", "--limit", "120", "--img-size", "16", "-b", "20", "--epochs", "1", "--output", late)
        check_late(late)

        os.mkdir(os.path.join(folder, "plain", EVENTS))
        told = train("--resume", plain, "--log", "tb", "--epochs", "2")
        assert "training goes on without this record" in told and "Is a directory" in told, told
        assert len(log_of(plain)) == 2
    print("log.csv and the event file hold what the run did")


main()
