#!/bin/bash
#SBATCH --job-name=augkit-balance
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
# sbatch deploy/slurm.sh /shared/ws [options of augkit balance]
# A Ray cluster on the job's nodes, for as long as the job lasts; submitted again, it goes on where it was.
set -euo pipefail
workspace=$1
shift

RAY_AUTH_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts[0]} port=$((20000 + SLURM_JOB_ID % 20000))

start() { # host, options of ray start
    local host=$1
    shift
    srun --nodes=1 --ntasks=1 --nodelist="$host" ray start --block --num-cpus="$SLURM_CPUS_PER_TASK" "$@" &
}

start "$head" --head --port="$port"
for host in "${hosts[@]:1}"; do start "$host" --address="$head:$port"; done

RAY_ADDRESS=$head:$port augkit balance --workspace "$workspace" --no-train "$@" &
balance=$!
trap 'kill -TERM "$balance"' TERM # two minutes before the time is up: shards in hand are left, those written stay
wait "$balance"
