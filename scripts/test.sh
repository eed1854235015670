#!/bin/bash
# Builds convzoo with warnings as errors and runs every test; then once more under AddressSanitizer and UBSan.
#
# usage: scripts/test.sh [OPTION...] [-- CTEST OPTION...]      such as: scripts/test.sh --fast -- -R conv2d
#   --fast         without the sanitizers
#   --peers        also installs the programs that some tests compare with; without them these are skipped
#   --no-install   do not look for missing packages
#   --jobs N       compilers and tests at a time (default: the number of cores)
#   --help
set -euo pipefail
fast='' install=1 peers='' jobs=$(nproc)
while [ $# -gt 0 ]; do
    case $1 in
    --fast)       fast=1 ;;
    --peers)      peers=--peers ;;
    --no-install) install= ;;
    --jobs)       jobs=${2:?test.sh: --jobs needs a number}; shift ;;
    --help)       sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"; exit 0 ;;
    --)           shift; break ;;
    *)            echo "test.sh: unknown option '$1': choices: --fast --peers --no-install --jobs --help" >&2; exit 2 ;;
    esac
    shift
done
cd "$(dirname "$0")/.."
[ -z "$install" ] || scripts/install_dependencies.sh $peers

# check FOLDER CMAKE_OPTION...: builds there and tests.
check() {
    local folder=$1
    shift
    cmake -S . -B "$folder" -DWERROR=ON "$@" >"$folder.log" || { cat "$folder.log" >&2; return 1; }
    cmake --build "$folder" --parallel "$jobs" >>"$folder.log" || { grep -E -A3 'error|warning' "$folder.log" >&2; return 1; }
    ctest --test-dir "$folder" --output-on-failure --parallel "$jobs" "${ctest_options[@]}" || return
    grep -s '^skipped: ' "$folder/Testing/Temporary/LastTest.log" | sort -u || true
}

ctest_options=("$@")
check build-test
if [ -z "$fast" ]; then
    export ASAN_OPTIONS=${ASAN_OPTIONS-strict_string_checks=1:detect_stack_use_after_return=1}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
    check build-asan -DSANITIZE=ON
fi
