#!/bin/bash
# The same recipe in convzoo and in PyTorch, on the same images and cores: accuracy against time, as a table and a picture.
#
# usage: scripts/race_pytorch.sh ARCH [--data FOLDER] [--held-out PART] [--output DIR] [--build DIR] [--target PERCENT] [--draw] [-- OPTION OF TRAIN...]
#   --data FOLDER     CIFAR-10's binary parts (default: data/cifar-10-batches-bin)
#   --held-out PART   what is measured after each epoch and not trained on (default: data_batch_5)
#   --output DIR      where logs, table and picture go (default: race-ARCH)
#   --build DIR       where convzoo's programs are (default: build)
#   --target PERCENT  the accuracy to which the time is told, beside the last one (default: 80)
#   --draw            make table and picture anew from the logs in DIR
#   --help
# Options of train stand after --: PyTorch takes them too. An example of a minute:
#   scripts/race_pytorch.sh lenet --data cifar-10-batches-bin -- --epochs 2 --limit 4000
# Needs what scripts/install_dependencies.sh --peers installs.
set -euo pipefail
if [ "${1---help}" = --help ]; then
    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"
    exit 0
fi
exec /usr/bin/python3 "$(dirname "$0")/../tests/reference/race.py" "$@"
