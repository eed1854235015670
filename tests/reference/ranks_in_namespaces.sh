#!/bin/bash
# Two ranks on two machines that are network namespaces of this one, with a wire of a given rate and delay between them: they talk TCP, as they
# would over a cable. As root; needs iproute2, and Open MPI or MPICH.
#
#   ranks_in_namespaces.sh [-m openmpi|mpich] [-r 1gbit] [-d 50us] [-n] COMMAND...
#
#   ranks_in_namespaces.sh -r 1gbit build/bench resnet18 -b 16 --threads 1 --ranks-model
#   ranks_in_namespaces.sh -r 10gbit -m mpich build/train lenet --threads 1 --data shapes --epochs 1 --output /tmp/run --no-overlap
#
# Each rank has one core. -n: each may use all of them. Where the kernel has no netem the delay is left out, and a line says so: a message over TCP on
# one machine takes some 20 us anyway.
set -euo pipefail

mpi=openmpi rate=1gbit delay=50us pin=yes
while getopts m:r:d:n flag; do
    case $flag in
    m) mpi=$OPTARG ;;
    r) rate=$OPTARG ;;
    d) delay=$OPTARG ;;
    n) pin=no ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \?//p' "$0" | sed '/^set/d'; exit 2; }
[ "$(id -u)" = 0 ] || { echo "only root may make network namespaces" >&2; exit 77; }

names=(left$$ right$$)
work=$(mktemp -d)
leave() {
    for name in "${names[@]}"; do ip netns del "$name" 2>/dev/null || true; done
    rm -rf "$work"
}
trap leave EXIT

# The wire: `wire` is its end in either.
for name in "${names[@]}"; do
    ip netns add "$name"
    ip -n "$name" link set lo up
done
ip link add wire netns "${names[0]}" type veth peer name wire netns "${names[1]}"
for i in 0 1; do
    ip -n "${names[i]}" address add 10.77.0.$((i + 1))/24 dev wire
    ip -n "${names[i]}" link set wire up
    if ! tc -n "${names[i]}" qdisc add dev wire root netem delay "$delay" rate "$rate" 2>/dev/null; then
        tc -n "${names[i]}" qdisc add dev wire root tbf rate "$rate" burst 128k latency 50ms
        [ $i = 1 ] || echo "this kernel has no netem: $rate without the delay of $delay" >&2
    fi
done

for name in "${names[@]}"; do      # the kernel tells it a moment later
    until [ "$(ip netns exec "$name" cat /sys/class/net/wire/operstate)" = up ]; do sleep 0.1; done
done

# What mpirun takes for ssh: [options] ADDRESS COMMAND...
cat >"$work/agent" <<END
#!/bin/bash
while [[ \$1 == -* ]]; do shift; done
i=\$((\${1##*.} - 1)); shift
names=(${names[*]})
bind=""; [ $pin = no ] || bind="taskset -c \$i"
exec ip netns exec \${names[i]} unshare --uts sh -c "hostname \${names[i]}; exec \$bind sh -c '\$*'"
END
chmod +x "$work/agent"

hosts=10.77.0.1,10.77.0.2
if [ "$mpi" = mpich ]; then
    start=(mpirun.mpich -np 2 -launcher ssh -launcher-exec "$work/agent" -hosts $hosts -iface wire -bind-to none)
    export FI_PROVIDER=tcp FI_TCP_IFACE=wire UCX_TLS=tcp,self UCX_NET_DEVICES=wire
else
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    start=(mpirun.openmpi -np 2 --host $hosts --map-by node --bind-to none --mca plm_rsh_agent "$work/agent" --mca oob_tcp_if_include wire
           --mca btl self,tcp --mca btl_tcp_if_include wire --mca pml ob1)
fi
bind=()
[ "$pin" = no ] || bind=(taskset -c 0)
ip netns exec "${names[0]}" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "${names[0]}" "${bind[@]}" "${start[@]}" "$@"
