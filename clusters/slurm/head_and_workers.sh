#!/bin/bash
# A search on the nodes of one Slurm job: Ray's head on the first node, a Ray node on each of them.
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
export RAY_task_events_report_interval_ms=0 # for a dashboard, which nobody starts here
export OMP_NUM_THREADS=1 RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$PWD/.@{study}-$SLURM_JOB_ID.token"
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32))' > "$RAY_AUTH_TOKEN_PATH") # nodes share this folder

head_node=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
head_address=$(srun --nodes=1 --ntasks=1 --overlap -w "$head_node" hostname --ip-address | awk '{print $1}')
address="$head_address:$((20000 + SLURM_JOB_ID % 20000))"

srun --nodes=1 --ntasks=1 --overlap -w "$head_node" \
    ray start --head --node-ip-address="$head_address" --port="${address##*:}" --num-cpus=@{cpus_per_node} \
    --include-dashboard=false --block &
for _ in $(seq 60); do
    if ray health-check --address="$address" > /dev/null 2>&1; then break; fi
    sleep 1
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
    others=$((SLURM_JOB_NUM_NODES - 1))
    srun --nodes="$others" --ntasks="$others" --overlap --exclude="$head_node" \
        ray start --address="$address" --num-cpus=@{cpus_per_node} --block &
fi

rex run "@{search}" --resume --store "@{store}" --workers @{workers} --cluster "$address" &
search=$!
trap 'kill -TERM "$search"' TERM
code=0
wait "$search" || code=$?
if kill -0 "$search" 2> /dev/null; then # SIGTERM ended the waiting, not yet the search
    code=0
    wait "$search" || code=$?
fi
rm -f "$RAY_AUTH_TOKEN_PATH"
if [ "$code" -eq 143 ]; then # it drained: what is left is done by the same job, later
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
