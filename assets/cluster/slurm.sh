#!/usr/bin/env bash
# Train a prepared run on several machines under Slurm. Prepare it once, then hand it in:
#   facevis train ms1mv3-r50 --out /shared/runs/first --prepare
#   sbatch slurm.sh /shared/runs/first
# The folder, and the pictures that its config.json names, must be seen by all machines. Handed in
# again, on as many machines as you like, it goes on from its last checkpoint.
#SBATCH --job-name=facevis
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
# Three minutes before its time is up a run is asked to end: it saves a checkpoint and leaves.
#SBATCH --signal=TERM@180
set -euo pipefail

run=${1:?name the folder of a prepared run}
read -r first < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
export run processes=${NPROC:-8} meeting="$first:${PORT:-29400}"

srun bash -c 'exec facevis train resume "$run" --nproc "$processes" \
  --nodes "$SLURM_NNODES" --node "$SLURM_NODEID" --rendezvous "$meeting"'
