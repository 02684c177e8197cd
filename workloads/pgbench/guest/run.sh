#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh SEED CLIENTS TRANSACTIONS: a cluster of its own in memory, without what is for safety only.
set -eu
seed=$1 clients=$2 transactions=$3
bin=$(echo /usr/lib/postgresql/*/bin)
data=/tmp/pgdata
export PGHOST=/tmp PGUSER=postgres PGDATABASE=postgres
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

mkdir -m 700 "$data"
chown postgres:postgres "$data"
as "$bin/initdb" -D "$data" -A trust --no-sync --no-instructions --locale=C --set shared_buffers=16MB >/tmp/initdb.log 2>&1 ||
	{ tail -n 3 /tmp/initdb.log >&2; exit 1; }
as "$bin/postgres" -D "$data" -k /tmp -c listen_addresses= -c fsync=off -c autovacuum=off -c max_connections=140 >/tmp/postgres.log 2>&1 &
server=$!
# What it holds in memory is thrown away: nothing to be finished.
trap 'kill -QUIT "$server" 2>/dev/null || :' EXIT
tries=0
until "$bin/pg_isready" -q; do
	tries=$((tries + 1))
	[ "$tries" -lt 300 ] && kill -0 "$server" 2>/dev/null || { echo "pgbench: postgres did not come up" >&2; tail -n 3 /tmp/postgres.log >&2; exit 1; }
	sleep 0.05
done
"$bin/pgbench" -i -q -I dtgp >/tmp/init.log 2>&1 || { tail -n 3 /tmp/init.log >&2; exit 1; }
cd /tmp
"$bin/pgbench" -n -c "$clients" -j "$clients" -t "$transactions" --random-seed="$seed" -l --log-prefix=/tmp/transactions
# Of each transaction the log has client, number and microseconds, or a word in their place for one that failed.
! cat /tmp/transactions.* | grep -v '^[0-9]* [0-9]* [0-9][0-9]* ' >&2 || { echo "pgbench: some transactions failed" >&2; exit 1; }
awk '{ print $3 }' /tmp/transactions.* | sort -n >/tmp/latencies
[ "$(wc -l </tmp/latencies)" = $((clients * transactions)) ] || { echo "pgbench: the log is not complete" >&2; exit 1; }
awk '{ all[NR] = $1 } END { rank = int((NR * 99 + 99) / 100); printf "latency_p99 %d us\n", all[rank] }' /tmp/latencies
uniq -c /tmp/latencies | awk '{ print "latency_hist", $2, $1 }'
