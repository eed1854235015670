#!/bin/bash
# The speed and peak memory of convzoo beside PyTorch's on this machine: both in turn, several runs, medians and spread.
#
# usage: scripts/compare_pytorch.sh [OPTION...] [ARCH...]
#   --mode train|infer   what to time (default: train)
#   --dtypes LIST        f32, bf16 (mixed precision) or both (default: f32)
#   --batches LIST       batch sizes, such as 1,32,128,512 (default: 128)
#   --sides LIST         image sides (default: 32)
#   --threads LIST       thread counts (default: all cores)
#   --runs N             runs of each program (default: 5)
#   --seconds F          how long a run measures (default: 4)
#   --build DIR          where convzoo's programs are (default: build)
#   --help
# Needs what scripts/install_dependencies.sh --peers installs.
set -euo pipefail
if [ "${1-}" = --help ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"
    exit 0
fi
cd "$(dirname "$0")/.."
exec /usr/bin/python3 tests/reference/compare_speed.py "$@"
