#!/usr/bin/env bash
# Two ranks under each launcher that is installed here: they leave the model that `weir run --ranks 2` leaves, two
# starts at once do not meet each other's ranks, and where one rank is killed the other ends too.
#
# usage: launchers_test.sh WEIR. Ends with 77 where there is no launcher.
set -euo pipefail
export LC_ALL=C OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
weir=$(realpath "$1")
configuration=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../configs/demo.yaml")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

launchers=()
[ -z "$(type -P mpirun)" ] || launchers+=('mpirun --oversubscribe -np 2')
if [ -n "$(type -P srun)" ] && [ -n "$(timeout 10 sinfo -h 2> /dev/null)" ]; then launchers+=('srun --overlap -n 2'); fi
[ -z "$(type -P torchrun)" ] || launchers+=('torchrun --standalone --no-python --nproc-per-node 2')
if [ ${#launchers[@]} -eq 0 ]; then
  echo 'skipped: neither mpirun nor torchrun is installed, nor is there a Slurm that srun reaches'
  exit 77
fi

fail() {
  printf '%s\n' "$1"
  tail -n 20 -- *.log
  exit 1
}
more=()
run() {  # NAME EPOCHS WORDS...: with WORDS in front, into the folder NAME
  local name=$1 epochs=$2
  shift 2
  "$@" run "$configuration" --set pipeline.directory.path="$scratch/pictures" --set training.epochs="$epochs" \
    --set training.checkpoint_interval=0ms --out "$scratch/$name" "${more[@]}" > "$name.log" 2>&1
}
ranks() {  # NAME: the processes of the run in that folder, as "PROCESS RANK"
  local process variables
  for process in $(pgrep -x weir || true); do
    grep -qxF "$scratch/$1" <<< "$(tr '\0' '\n' < "/proc/$process/cmdline" 2> /dev/null)" || continue
    variables=$(tr '\0' '\n' < "/proc/$process/environ")
    printf '%s %s\n' "$process" "$(sed -n 's/^\(OMPI_COMM_WORLD_RANK\|SLURM_PROCID\|RANK\)=//p' <<< "$variables" | tail -n 1)"
  done
}

"$weir" draw pictures --per-class 12 > /dev/null
more=(--ranks 2)
run alone 2 "$weir" || fail 'weir run --ranks 2 failed'
more=()
for launcher in "${launchers[@]}"; do
  name=${launcher%% *}
  read -ra words <<< "$launcher"
  run "$name-1" 2 "${words[@]}" "$weir" &
  first=$!
  run "$name-2" 2 "${words[@]}" "$weir" || fail "$name: two starts at once: the second failed"
  wait "$first" || fail "$name: two starts at once: the first failed"
  for each in "$name-1" "$name-2"; do
    [ -d "$each/ranks/1" ] || fail "$name: there was no rank 1"
    cmp "$each/model/model.safetensors" alone/model/model.safetensors || fail "$name: another model"
  done

  run "$name-killed" 1000 "${words[@]}" "$weir" &
  start=$!
  grep -qm 1 'epoch 2/' <(tail --pid="$start" -F -n +1 "$name-killed.log" 2> /dev/null) || fail "$name: it ended"
  kill -9 "$(ranks "$name-killed" | awk '$2 == 1 {print $1}')"
  if wait "$start"; then fail "$name: a rank was killed, and the launcher says all is well"; fi
  [ -z "$(ranks "$name-killed")" ] || fail "$name: a rank outlives the one that was killed"
  echo "$name: the same model twice at once; all end with one that is killed"
done
