#!/bin/bash
# Draws the pictures of docs/evaluation.md again, each with the command that stands beside it there, and prints what the others print.
#
# usage: tests/reference/draw_evaluation.sh CIFAR-10-FOLDER [RUN] [BUILD]
#
# RUN: a run that is there, of `train baseline --amp --seed 2 --data CIFAR-10-FOLDER --val-split data_batch_5`; without it that is trained first.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
data=$(realpath "$1")
run=${2:+$(realpath "$2")}
export PATH=$(cd "${3:-$here/build}" && pwd):$PATH
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
mkdir runs
if [ -n "$run" ]; then
    cp -r "$run" runs/baseline-relu-1
else
    train baseline --amp --seed 2 --data "$data" --val-split data_batch_5 -q
fi
train lenet --recipe fast --data "$data" --val-split data_batch_5 -q
python3 - "$data" <<'PYTHON'
import os, sys
os.mkdir("photos")
classes = open(os.path.join(sys.argv[1], "batches.meta.txt")).read().split()
with open(os.path.join(sys.argv[1], "data_batch_5.bin"), "rb") as file:
    for record in (3, 5, 2, 4):
        file.seek(3073 * record)
        label, *planes = file.read(3073)
        with open(f"photos/{classes[label]}.ppm", "wb") as picture:
            picture.write(b"P6 32 32 255\n" + bytes(planes[1024 * c + i] for i in range(1024) for c in range(3)))
PYTHON
sed -n -e 's/^    \$ \(evaluate .*\|predict .*\)$/\1/p' "$here/docs/evaluation.md" | while read -r command; do
    echo "\$ $command"
    sh -c "$command" 2>&1 </dev/null
done
for picture in *.png; do
    cp "$picture" "$here/docs/evaluation/"
done
cp looks/0003-horse-gradcam.png "$here/docs/evaluation/gradcam.png"
cp looks/0003-horse-saliency.png "$here/docs/evaluation/saliency.png"
cp looks/0003-horse-features.png "$here/docs/evaluation/features.png"
