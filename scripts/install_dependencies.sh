#!/bin/bash
# Installs what convzoo is built and tested with, on Debian 12 or later: only the packages that are missing.
#
# usage: scripts/install_dependencies.sh [--peers] [--dry-run] [--help]
#   --peers     also the programs that some tests compare with (they are skipped without); --pytorch is the same
#   --dry-run   print the missing packages and install nothing
set -euo pipefail

# ocl-icd-opencl-dev: the CMake files of Debian 12's libdnnl-dev look for it.
packages=(gcc libc6-dev make cmake pkgconf ocl-icd-opencl-dev
          libdnnl-dev libpng-dev libjpeg-dev libstb-dev zlib1g-dev libjansson-dev libcmocka-dev
          libplplot-dev plplot-driver-cairo)
# What tests compare with, one a line.
peers=(
    python3-torch             # tests/test_pytorch.py: checkpoints to PyTorch and back
    libopenblas0-pthread      # without it PyTorch's linear layers take ten times as long
    chromium                  # tests/test_explorer.py: the page of activations in a browser
    openmpi-bin               # tests/test_ranks.c: several processes train together,
    libopenmpi-dev            # by either of two MPIs
    mpich
    libmpich-dev
)
dry_run=

for argument in "$@"; do
    case $argument in
    --peers|--pytorch) packages+=("${peers[@]}") ;;
    --dry-run) dry_run=1 ;;
    --help)    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"; exit 0 ;;
    *)         echo "install_dependencies.sh: unknown option '$argument': choices: --peers --dry-run --help" >&2; exit 2 ;;
    esac
done

if ! command -v apt-get >/dev/null; then
    echo "install_dependencies.sh: no apt-get: this is not Debian: install a C compiler, CMake 3.25, pkg-config and the" \
         "development files of oneDNN, libpng, libjpeg-turbo, stb, zlib, jansson, PLplot and cmocka by your system's means" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "missing: ${missing[*]}"
[ -z "$dry_run" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    echo "install_dependencies.sh: not root and no sudo: run as root: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
here=$(dirname "$0")
"${as_root[@]}" apt-get update | "$here/progress.sh"
"${as_root[@]}" apt-get install -y -o Dpkg::Use-Pty=0 --no-install-recommends "${missing[@]}" | "$here/progress.sh"
