#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What Slurm starts on a node: batch.sh NODE_PROGRAM CLI RUN. Slurm keeps a copy of its own, so all paths are arguments.
#
# The end of the task's time (USR1, to this shell alone) stops pmvx cleanly and puts the task back into the queue; so does, a few times, a
# node that lacks something. Cancelling (TERM, to all processes) stops pmvx by itself.
if [ ! -e "$3/spec.json" ]; then
  echo "$(hostname): $3 is not to be seen from here. Runs on Slurm need a folder that all nodes share: give one with --out." >&2
  exit 2
fi
again=
"$1" "$2" slurm task "$3" &
task=$!
trap : TERM
trap 'again=1; kill -TERM "$task"' USR1
while :; do
  wait "$task"
  code=$?
  # A signal ends the wait, and not what was waited for.
  kill -0 "$task" 2>/dev/null || break
done
# Exit code 3: this node lacks something (disk, memory). Another may not.
if [ -n "$again" ] || { [ "$code" -eq 3 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; }; then
  scontrol requeue "$SLURM_JOB_ID" && exit 0
fi
exit "$code"
