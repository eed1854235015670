#!/bin/bash
# From a fresh checkout to a trained network in a few minutes: installs what is missing, builds, trains LeNet on the
# built-in images for 120 epochs (a minute or less) and evaluates the result.
#
# usage: scripts/quickstart.sh [--help]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
    [ "$1" = --help ] || { echo "quickstart.sh: unknown argument '$1': choices: --help" >&2; exit 2; }
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"
    exit 0
fi

echo "== packages"
scripts/install_dependencies.sh
echo "== build"
cmake -S . -B build -DBUILD_TESTS=OFF >/dev/null
cmake --build build --parallel "$(nproc)" | tail -n 1

run=runs/quickstart-$(date +%Y%m%d-%H%M%S)
echo "== train"
build/train --arch lenet --data shapes --epochs 120 --log-interval 5000 --output "$run"
echo "== evaluate"
build/evaluate "$run/best.safetensors"

cat <<END

The network is $run/best.safetensors. What to try next:

    build/train --arch resnet18 --act silu --data shapes      another architecture, another activation
    build/train --data FOLDER                                 your images: a folder of class folders
    build/predict $run/best.safetensors IMAGE...
    build/activations list
    build/train --help
END
