#!/bin/bash
# Shows that a long command goes on: on a terminal its last line, in place; elsewhere a line every ten seconds.
#
# usage: COMMAND | scripts/progress.sh
set -euo pipefail

shown=-10
while IFS= read -r line; do
    if [ -t 1 ]; then
        printf '\r\033[K%.*s' $(($(tput cols 2>/dev/null || echo 80) - 1)) "$line"
    elif [ $((SECONDS - shown)) -ge 10 ]; then
        echo "$line"
        shown=$SECONDS
    fi
done
[ ! -t 1 ] || printf '\r\033[K'
