#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Slurm cluster on this machine, from Debian's packages: munged, MariaDB, slurmdbd and slurmctld on the host `ctl`, a slurmd on each of the
# hosts n1, n2, ... A host is a network namespace with a name, a file system and processes of its own; a bridge joins them.
# Run as the first process of namespaces for mounts, network, names and processes, in which it counts as root:
#
#   cluster.sh FOLDER NODES CPUS    starts it, says `ready` when every node is idle, and keeps it up until it is killed
#   cluster.sh FOLDER node N CPUS   starts node N again (within the cluster)
#   cluster.sh FOLDER controller    starts slurmctld again
#
# FOLDER keeps configuration, state, logs (log/) and the pids of hosts (pid/): killing the first process of a node kills the node.
# Every node has a /run/node of its own, which stands for its local disk; the rest of the file system is shared.
set -euo pipefail
folder=$1 what=$2
export SLURM_CONF=$folder/slurm.conf

start() { # start NAME PROGRAM...: in the background, its words into a log
  local name=$1
  shift
  "$@" >>"$folder/log/$name.out" 2>&1 </dev/null &
  echo $! >"$folder/pid/$name"
}

await() { # await SECONDS COMMAND...: until it succeeds
  local until=$((SECONDS + $1)) words=''
  shift
  until words=$("$@" 2>&1); do
    if ((SECONDS >= until)); then
      echo "waited in vain for: $* ($words)"
      tail -n 5 "$folder"/log/*.out
      exit 1
    fi
    sleep 0.1
  done
}

listens() { : <"/dev/tcp/10.77.0.1/$1"; }

start_controller() { start slurmctld slurmctld -D; }

own_network() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }

start_node() { # start_node N CPUS
  local name=n$1 pid
  mkdir -p "$folder/disk-$name" "$folder/spool-$name"
  # The node's name, and its disk instead of the empty folder, before slurmd.
  # shellcheck disable=SC2016
  start "$name" unshare --net --uts --mount --pid --fork --kill-child --mount-proc \
    bash -c 'hostname "$1"; mount --bind "$2" /run/node; until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
      ip addr add "$3/24" dev eth0; ip link set eth0 up; ip link set lo up; exec slurmd -D -N "$1"' \
    bash "$name" "$folder/disk-$name" "10.77.0.$((10 + $1))"
  pid=$(cat "$folder/pid/$name")
  await 20 own_network "$pid" # before that, the cable's other end would be left in this host
  ip link del "v$1" 2>/dev/null || true
  ip link add "v$1" type veth peer name eth0 netns "$pid"
  ip link set "v$1" master br0 up
}

case $what in
  node) start_node "$3" "$4" && exit ;;
  controller) start_controller && exit ;;
esac

nodes=$what cpus=$3
mkdir -p "$folder"/{log,pid,state,db}
mount -t tmpfs tmpfs /run
mkdir -p /run/munge /run/mysqld /run/node
hostname ctl
ip link set lo up
ip link add br0 type bridge
ip addr add 10.77.0.1/24 dev br0
ip link set br0 up

(umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
start munged munged --foreground --force --key-file="$folder/munge.key" --seed-file="$folder/munge.seed" \
  --log-file="$folder/log/munged.log" --pid-file=/run/munge/munged.pid --socket=/run/munge/munge.socket.2

# Accounting: what `sacct` asks. Nothing here needs to survive a power cut.
database=(mariadbd --no-defaults --datadir="$folder/db" --user=root --skip-grant-tables --skip-networking
  --socket=/run/mysqld/mysqld.sock --innodb-buffer-pool-size=16M --innodb-log-file-size=8M
  --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0)
system_tables=(/usr/share/{mysql,mariadb}/{mysql,mariadb}_system_tables.sql)
for path in "${system_tables[@]}"; do [[ ! -e $path ]] || tables=$path; done
{ printf 'create database mysql;\nuse mysql;\n' && cat "$tables"; } |
  "${database[@]}" --bootstrap >"$folder/log/bootstrap.out" 2>&1 || { cat "$folder/log/bootstrap.out" && exit 1; }
start mariadb "${database[@]}"

cat >"$folder/slurmdbd.conf" <<CONF
AuthType=auth/munge
DbdHost=ctl
DbdAddr=10.77.0.1
SlurmUser=root
PidFile=/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageUser=root
StorageLoc=slurm
CONF
chmod 600 "$folder/slurmdbd.conf"

# Control groups are the machine's, not these hosts': up to 22.05 a plugin must be named, later it can be none.
version=$(slurmd -V | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
if [[ ${version%.*} -lt 23 ]]; then plugin=cgroup/v1; else plugin=disabled; fi
echo "CgroupPlugin=$plugin" >"$folder/cgroup.conf"

cat >"$folder/slurm.conf" <<CONF
ClusterName=pmvx
SlurmctldHost=ctl(10.77.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=10.77.0.1
MailProg=/bin/true
MaxArraySize=1001
ReturnToService=2
# Failures are noticed within seconds, and what was requeued starts as soon, as nobody waits here for minutes.
AuthInfo=cred_expire=5
SlurmdTimeout=5
MessageTimeout=5
KillWait=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1,sched_min_interval=0,requeue_delay=1
$(for ((n = 1; n <= nodes; n++)); do echo "NodeName=n$n NodeAddr=10.77.0.$((10 + n)) CPUs=$cpus RealMemory=16000"; done)
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

await 20 test -S /run/mysqld/mysqld.sock
start slurmdbd env "SLURM_CONF=$folder/slurmdbd.conf" slurmdbd -D
await 30 listens 6819
start_controller
for ((n = 1; n <= nodes; n++)); do start_node "$n" "$cpus"; done
all_idle() { [[ $(sinfo --noheader --format=%D --states=idle) == "$nodes" ]]; }
await 60 all_idle
echo ready
exec sleep infinity
