#!/bin/bash
# Installs what convzoo is built and tested with, on Debian 12 or later: only the packages that are missing.
#
# usage: scripts/install_dependencies.sh [--pytorch] [--dry-run] [--help]
#   --pytorch   also python3-torch, for the tests that compare with it (they are skipped without)
#   --dry-run   print the missing packages and install nothing
set -euo pipefail

# ocl-icd-opencl-dev: the CMake files of Debian 12's libdnnl-dev look for it.
packages=(gcc libc6-dev make cmake pkgconf ocl-icd-opencl-dev
          libdnnl-dev libpng-dev libjpeg-dev libstb-dev zlib1g-dev libjansson-dev libcmocka-dev)
dry_run=

for argument in "$@"; do
    case $argument in
    --pytorch) packages+=(python3-torch) ;;
    --dry-run) dry_run=1 ;;
    --help)    sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"; exit 0 ;;
    *)         echo "install_dependencies.sh: unknown option '$argument': choices: --pytorch --dry-run --help" >&2; exit 2 ;;
    esac
done

if ! command -v apt-get >/dev/null; then
    echo "install_dependencies.sh: no apt-get: this is not Debian: install a C compiler, CMake 3.25, pkg-config and the" \
         "development files of oneDNN, libpng, libjpeg-turbo, stb, zlib, jansson and cmocka by your system's means" >&2
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
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
