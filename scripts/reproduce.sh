#!/bin/bash
# Runs a line of the README's table of results again: the same command, then the accuracy beside the one that the README says.
#
# usage: scripts/reproduce.sh [NAME] [--data FOLDER] [--build DIR] [--output DIR] [--print] [-- OPTION OF TRAIN...]
#   NAME           what stands in the table's first column; without it, the table's names are listed
#   --data FOLDER  CIFAR-10's binary parts (default: data/cifar-10-batches-bin)
#   --build DIR    where convzoo's programs are (default: build)
#   --output DIR   the run's folder (default: runs/reproduce-NAME)
#   --print        print the commands and run nothing
#   --help
# The command is the README's own, `train NAME ...` above the table, with the row's name for NAME and all `--options` that stand in the row; where --tta is
# among them, evaluate gives the accuracy. Options after -- are added, such as --threads 2, or --epochs 1 to try it.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
page=$top/README.md

fail() { echo "reproduce.sh: $1" >&2; exit 2; }

name='' data=data/cifar-10-batches-bin build=$top/build output='' only_print=false more=()
while [ $# -gt 0 ]; do
    case $1 in
        --help) sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0"; exit 0 ;;
        --print) only_print=true; shift ;;
        --data|--build|--output) [ $# -gt 1 ] || fail "no value: $1: give a folder"
                                 declare "${1#--}=$2"; shift 2 ;;
        --) shift; more=("$@"); break ;;
        -*) fail "unknown option: $1: --help shows all" ;;
        *) name=$1; shift ;;
    esac
done

results() { awk '/^## /{on = $2 == "Results"} on' "$page"; }
names() { results | sed -n 's/^| `\([^`]*\)`.*/\1/p'; }

[ -n "$name" ] || { names; exit 0; }
row=$(results | grep -F "| \`$name\` |" | head -1) || fail "no row of that name: $name: the table in README.md has $(names | tr '\n' ' ')"
command=$(results | grep -o '`train NAME [^`]*`' | head -1 | tr -d '`') || fail "no command: README.md: it must say \`train NAME ...\` above the table of results"
said=$(cut -d'|' -f3 <<<"$row" | grep -oE '[0-9]+(\.[0-9]+)?%' | head -1) || said='nothing yet'

tta=() options=()
while read -r option value; do
    [ -n "$option" ] || continue
    if [ "$option" = --tta ]; then tta=("$option" $value); else options+=("$option" $value); fi
done < <(grep -o '`--[^`]*`' <<<"$row" | tr -d '`' || true)

output=${output:-runs/reproduce-${name// /-}}
read -ra words <<<"${command/NAME/$name}"
for i in "${!words[@]}"; do
    [ "${words[i]}" = --data ] && words[i + 1]=$data
done
train=("$build/${words[0]}" "${words[@]:1}" ${options[@]+"${options[@]}"} --output "$output" ${more[@]+"${more[@]}"})
evaluate=("$build/evaluate" "$output" --split val --json -q ${tta[@]+"${tta[@]}"})

echo "${train[@]}"
[ ${#tta[@]} = 0 ] || echo "${evaluate[@]}"
$only_print && exit 0
"${train[@]}"
if [ ${#tta[@]} = 0 ]; then
    top1=$(grep -o '"val_top1": [0-9.]*' "$output/log.jsonl" | sort -k2 -g | tail -1 | cut -d' ' -f2)
else
    top1=$("${evaluate[@]}" | grep -o '"top1": [0-9.]*' | cut -d' ' -f2)
fi
awk -v top1="$top1" -v said="$said" -v name="$name" 'BEGIN { printf "%s: top-1 %.1f%%; README.md says %s\n", name, 100 * top1, said }'
