#!/bin/bash
# Draws the pictures of docs/laboratory.md again, each with the command that stands beside it there.
#
# usage: tests/reference/draw_laboratory.sh [BUILD]
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
export PATH=$(cd "${1:-$here/build}" && pwd):$PATH
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
sed -n -e 's/^    \$ \(activations .* -o [a-z-]*\.png\)$/\1/p' -e 's/^    \$ \(train .*\)$/\1/p' "$here/docs/laboratory.md" | while read -r command; do
    echo "$command"
    $command >/dev/null
done
cp ./*.png "$here/docs/laboratory/"
