#!/bin/bash
# A search on the nodes of one Slurm job, with `ray symmetric-run`: the same command on every node.
#SBATCH --job-name=@{study}
#SBATCH --nodes=@{nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=@{cpus_per_node}
#SBATCH --gpus-per-node=@{gpus_per_node}
#SBATCH --time=@{time_limit}
#SBATCH --partition=@{partition}
#SBATCH --output=@{study}.slurm.log
#SBATCH --open-mode=append
# Two minutes before the end, or on preemption, this shell gets SIGTERM: the search drains and the job is queued again.
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
set -euo pipefail
@{environment}
own="$PWD/.@{study}-$SLURM_JOB_ID"
export RAY_task_events_report_interval_ms=0 # for a dashboard, which nobody starts here
export OMP_NUM_THREADS=1 RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$own.token"
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32))' > "$RAY_AUTH_TOKEN_PATH") # nodes share this folder

head_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
head_address=$(srun --nodes=1 --ntasks=1 --overlap -w "$head_node" hostname --ip-address | awk '{print $1}')
address="$head_address:$((20000 + SLURM_JOB_ID % 20000))"

# symmetric-run starts the search on the head node, which is the one that runs this shell
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --overlap \
    ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" --num-cpus=@{cpus_per_node} \
    --include-dashboard=false -- bash -c 'echo $$ > "$0.pid" && exec rex run "$1" "${@:2}"' "$own" \
    "@{search}" --resume --store "@{store}" --workers @{workers} --cluster "$address" &
nodes=$!
trap 'kill -TERM "$(cat "$own.pid")"' TERM
code=0
wait "$nodes" || code=$?
if kill -0 "$nodes" 2> /dev/null; then # SIGTERM ended the waiting, not yet the search
    code=0
    wait "$nodes" || code=$?
fi
rm -f "$RAY_AUTH_TOKEN_PATH" "$own.pid"
if [ "$code" -eq 143 ]; then # it drained: what is left is done by the same job, later
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
