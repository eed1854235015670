#!/bin/bash
# From a fresh checkout to a trained network in a few minutes: installs what is missing, builds, trains LeNet on the
# built-in images for 120 epochs (a minute or less) and evaluates the result.
#
# usage: scripts/quickstart.sh [--help]
set -euo pipefail
if [ $# -gt 0 ]; then
    [ "$1" = --help ] || { echo "quickstart.sh: unknown argument '$1': choices: --help" >&2; exit 2; }
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."

# Ctrl-C: what remains, in one line.
stage=
again="run scripts/quickstart.sh again to go on: what is there is not made twice"
stopped() {
    echo >&2
    echo "quickstart.sh: stopped while $stage: $again" >&2
    exit 130
}
trap stopped INT

echo "== packages"
stage="packages were installed"
scripts/install_dependencies.sh
echo "== build"
stage="the programs were built"
cmake -S . -B build -DBUILD_TESTS=ON >/dev/null
cmake --build build --parallel "$(nproc)" --target programs | scripts/progress.sh

run=runs/quickstart-$(date +%Y%m%d-%H%M%S)
echo "== train"
stage="the network was trained"
again="build/train --resume $run goes on, then build/evaluate $run/best.safetensors"
build/train --arch lenet --data shapes --epochs 120 --log-interval 5000 --output "$run"
echo "== evaluate"
stage="the network was evaluated"
again="build/evaluate $run/best.safetensors"
build/evaluate "$run/best.safetensors"

cat <<END

The network is $run/best.safetensors. What to try next:

    build/train --arch resnet18 --act silu --data shapes      another architecture, another activation
    build/train --data FOLDER                                 your images: a folder of class folders
    build/predict $run/best.safetensors IMAGE...
    build/activations list
    build/train --help
END
