#!/bin/bash
# test_rank_scripts.sh - docs/ranks/: a job that is put back in the queue, and one that is started again, go on where they were.
#
# srun, scontrol and mpirun are stand-ins that note their arguments; the training that they would start makes a folder and ends with the
# next of the codes in $CODES. Slurm's variables are those that its manual names.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
cat >"$work/bin/start" <<'S'
#!/bin/bash
echo "$(basename "$0") $*" >>calls
code=$(sed -n "$(($(cat starts 2>/dev/null || echo 0) + 1))p" codes)
echo $(($(cat starts 2>/dev/null || echo 0) + 1)) >starts
mkdir -p run && touch run/args.json
exit "${code:-0}"
S
cat >"$work/bin/scontrol" <<'S'
#!/bin/bash
echo "scontrol $*" >>calls
S
chmod +x "$work"/bin/*
cp "$work/bin/start" "$work/bin/srun"
cp "$work/bin/start" "$work/bin/mpirun"
export PATH=$work/bin:$PATH SLURM_JOB_ID=77 SLURM_CPUS_PER_TASK=2
failures=0

# begin NAME CODE...: an empty folder, and what the trainings end with.
begin() {
    cd "$(mktemp -d -p "$work")" || exit 1
    name=$1
    shift
    printf '%s\n' "$@" >codes
}

# expect CODE LINE...: the exit code, and all that was called.
expect() {
    if [ "$code" != "$1" ] || [ "$(cat calls)" != "$(printf '%s\n' "${@:2}")" ]; then
        echo "$name: code $code, expected $1; called:"
        cat calls
        printf 'expected:\n%s\n' "$(printf '%s\n' "${@:2}")"
        failures=$((failures + 1))
    fi
}

slurm() {
    RUN=run SLURM_RESTART_COUNT=$1 "$root/docs/ranks/train.slurm" lenet --epochs 9 2>messages
    code=$?
}
srun='srun --mpi=pmix --cpus-per-task=2 --kill-on-bad-exit=1 convzoo train'

begin 'slurm: done' 0
slurm 0
expect 0 "$srun lenet --epochs 9 --output run"

begin 'slurm: a mistake' 2
slurm 0
expect 2 "$srun lenet --epochs 9 --output run"

begin 'slurm: out of time, then done' 143 0
slurm 0
slurm 1
expect 0 "$srun lenet --epochs 9 --output run" 'scontrol requeue 77' "$srun --resume run"

begin 'slurm: a rank is lost' 8
slurm 3
expect 0 "$srun lenet --epochs 9 --output run" 'scontrol requeue 77'

begin 'slurm: given up' 137
STARTS=4 slurm 4
expect 137 "$srun lenet --epochs 9 --output run"

hosts() {
    "$root/docs/ranks/train.hosts" names 8 lenet "$@" 2>messages
    code=$?
}
mpirun='mpirun --hostfile names --map-by slot:PE=8 --bind-to core convzoo train'

begin 'hosts: two ranks are lost, then done' 137 8 0
hosts --output run
expect 0 "$mpirun lenet --output run" "$mpirun --resume run" "$mpirun --resume run"

begin 'hosts: stopped by a person' 143
hosts --output run
expect 143 "$mpirun lenet --output run"

begin 'hosts: given up' 8 8 8
STARTS=2 hosts --output run
expect 8 "$mpirun lenet --output run" "$mpirun --resume run"

begin 'hosts: no folder' 0
touch calls
hosts
expect 2

exit $((failures > 0))
