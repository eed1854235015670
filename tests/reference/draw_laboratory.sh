#!/bin/bash
# Draws the pictures of docs/laboratory.md again, each with the command that stands beside it there.
#
# usage: tests/reference/draw_laboratory.sh [BUILD]
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
export PATH=$(cd "${1:-$here/build}" && pwd):$PATH
cd "$here/docs/laboratory"
sed -n 's/^    \$ \(activations .* -o [a-z-]*\.png\)$/\1/p' ../laboratory.md | while read -r command; do
    echo "$command"
    $command >/dev/null
done
