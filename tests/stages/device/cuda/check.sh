#!/usr/bin/env bash
# What only a machine with a GPU can say, in ten minutes and without a network: that the device side works there and
# keeps to its ceiling, and how fast it is.
#
#   check.sh pack BUILD FILE   here: what must travel, a .tar.gz of less than 64 MB, of a build that has cuda_test;
#                              where the other machine has another LibTorch, of a build with that (WEIR_LIBTORCH)
#   check.sh [LOGS]            there, where it was unpacked; or in a clone, for what BUILD (build) has in it
#
# LibTorch is the one that WEIR_LIBTORCH names (the folder with lib/), or that of Python's torch. Each step has a log
# and a limit of its own, and none stops the others; the tables come last, and stand in LOGS/tables too. All limits
# together are 600 seconds; BUDGET=60 makes each a tenth.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export here

pack() {  # BUILD FILE
  set -e
  local build=$1 file=$2 folder library
  folder=$(mktemp -d)
  mkdir "$folder/bin" "$folder/lib"
  cp "$build/weir" "$build/libweir_torch.so" "$build/libweir_cuda.so" "$build/cuda_test" "$folder/bin"
  strip "$folder"/bin/*
  # What they are linked to beside LibTorch, CUDA and the C library: a bare machine has none of it.
  for library in "$folder"/bin/*; do ldd "$library"; done | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
    grep -Ev '/lib(torch|c10|cu|nv|nccl|gomp|gfortran|c\.so|m\.so|dl\.so|rt\.so|pthread|stdc|gcc_s|mvec|resolv|util|anl)' |
    xargs -r cp -t "$folder/lib"
  cp "$here/check.sh" "$here/check_engines.py" "$here/check_memory.py" "$folder"
  mkdir "$folder/configs"
  cp configs/demo.yaml configs/demo_weights.safetensors "$folder/configs"
  tar -czf "$file" -C "$folder" .
  rm -r "$folder"
  [ "$(stat -c %s "$file")" -le 64000000 ] || { echo "check.sh: $file is larger than 64 MB" >&2; exit 1; }
  ls -l "$file"
}
if [ "${1:-}" = pack ]; then
  [ $# -eq 3 ] || { echo 'usage: check.sh pack BUILD FILE' >&2; exit 2; }
  pack "$2" "$3"
  exit
fi

logs=${1:-check}
mkdir -p "$logs"
logs=$(cd "$logs" && pwd)
: > "$logs/tables"
if [ -x "$here/bin/weir" ]; then  # unpacked
  cd "$here" || exit
  weir=$here/bin/weir cuda_test=$here/bin/cuda_test
  export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
else
  build=$(cd "${BUILD:-build}" && pwd)
  cd "$here/../../../.." || exit
  weir=${WEIR_BINARY:-$build/weir}
  cuda_test=${CUDA_TEST:-$build/cuda_test}
fi
WEIR_CUDA_FOLDER=$(dirname "$weir")
export WEIR_CUDA_FOLDER
python=$(command -v python3 || true)
libtorch=${WEIR_LIBTORCH:-}
if [ -z "$libtorch" ] && [ -n "$python" ]; then
  libtorch=$("$python" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' \
    2> /dev/null) || libtorch=
fi
[ -z "$libtorch" ] || export LD_LIBRARY_PATH=$libtorch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

say() { printf '%s\n' "$*" >> "$logs/tables"; }
limit() { echo $(($1 * ${BUDGET:-600} / 600 + 1)); }

# step NAME SECONDS COMMAND...: its output goes to LOGS/NAME.log; one line of the first table.
say "step                     seconds  ended"
step() {
  local name=$1 seconds=$2 started=$SECONDS status
  shift 2
  printf '%s...\n' "$name"
  timeout --kill-after=5 "$(limit "$seconds")" "$@" > "$logs/$name.log" 2>&1 < /dev/null
  status=$?
  case $status in
    0) status=well ;;
    124 | 137) status="after its $(limit "$seconds") s" ;;
    *) status="with status $status: $(tail -n 1 "$logs/$name.log")" ;;
  esac
  say "$(printf '%-24s %7d  %s' "$name" $((SECONDS - started)) "$status")"
}
export -f say limit
export logs weir BUDGET

facts() {
  nvidia-smi -L
  nvidia-smi -q | grep -E 'Driver Version|CUDA Version|MIG Mode|Current  |Compute Mode|Addressing' | sort | uniq -c
  ls -l /dev/nvidia* /dev/dxg /proc/driver/nvidia/version
  "$weir" devices
  # Whether the driver tells a process of its own memory, here and in a PID namespace as containers have.
  python3 "$here/check_memory.py" own
  unshare -pf --mount-proc python3 "$here/check_memory.py" own
  true
}

pictures() { [ -d "$logs/pictures" ] || "$weir" draw "$logs/pictures" --per-class 40; }

# demo NAME ARGUMENT...: the demo on the GPU, of three epochs.
demo() {
  local name=$1
  shift
  ${instead:-} "$weir" run configs/demo.yaml --out "$logs/runs/$name" --set "pipeline.directory.path=$logs/pictures" \
    --set pipeline.prefetch.device=cuda --set memory.host=4GiB --set training.epochs=3 "$@"
}

# Images a second, what was held on the card, and the ceiling, from a run's own summary.
line_of() {  # NAME
  python3 - "$logs/runs/$1" "$1" << 'PYTHON'
import json, sys
run = json.load(open(sys.argv[1] + "/summary.json"))
plan = json.load(open(sys.argv[1] + "/plan.json"))
mib = lambda value: "%7.0f" % (value / 2**20) if value else "      -"
passes = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
rates = [each["images"] / each["seconds"] for each in passes if each["split"] == "train"]
print("%-24s %s %s  %s" % (sys.argv[2], mib(plan["device"].get("limit_bytes")), mib(run.get("peak_device_bytes")),
      " ".join("%.0f" % rate for rate in rates[-3:])))
PYTHON
}

# From ample to refused: a ceiling holds, and costs no speed.
sweep() {
  local ceiling
  pictures
  for ceiling in 1.0 3GiB 2GiB 1500MiB 1GiB 800MiB 700MiB 600MiB 500MiB; do
    demo "ceiling-$ceiling" --set "memory.device=$ceiling" --set model.frozen=none &&
      line_of "ceiling-$ceiling" >> "$logs/sweep"
  done
  [ -s "$logs/sweep" ]
}

speed() {
  local batch precision
  pictures
  for batch in 32 128 512; do
    for precision in float32 tf32 bfloat16; do
      demo "batch-$batch-$precision" --set "pipeline.batch.size=$batch" --set "pipeline.features.precision=$precision" \
        --set training.epochs=5 && line_of "batch-$batch-$precision" >> "$logs/speed"
    done
  done
  [ -s "$logs/speed" ]
}

# Killed and gone on with, it gives the model that it would have given; ten starts leave nothing on the card.
endings() {
  local before
  pictures
  before=$(nvidia-smi --query-gpu=memory.used --format=csv,noheader || true)
  demo whole --set training.micro_batch=16
  (instead='exec'; demo killed --set training.micro_batch=16 --set training.checkpoint_interval=100ms) &
  until [ -e "$logs/runs/killed/checkpoint/latest.safetensors" ] || ! kill -0 $!; do sleep 0.05; done
  kill -KILL $!
  wait $!
  [ $? -eq 137 ] || return 1
  demo killed --set training.micro_batch=16 --set training.checkpoint_interval=100ms --resume || return 1
  cmp "$logs/runs/whole/model/model.safetensors" "$logs/runs/killed/model/model.safetensors" || return 1
  for _ in 1 2 3 4 5 6 7 8 9 10; do "$weir" devices > /dev/null || return 1; done
  echo "on the card: $before before, $(nvidia-smi --query-gpu=memory.used --format=csv,noheader || true) after"
}
export -f facts pictures demo line_of sweep speed endings

step facts 20 bash -c facts
if [ -n "$python" ]; then
  step engines 60 "$python" "$here/check_engines.py"
  step memory 30 "$python" "$here/check_memory.py"
fi
step cuda_test 90 "$cuda_test"
if command -v compute-sanitizer > /dev/null; then
  sanitizer=(compute-sanitizer --error-exitcode 9)
  step memcheck 45 "${sanitizer[@]}" --tool memcheck "$cuda_test" --gtest_filter='*CudaUploader.*:CudaPrefix.*'
  step racecheck 45 "${sanitizer[@]}" --tool racecheck "$cuda_test" --gtest_filter='*CudaUploader.*'
fi
step sweep 80 bash -c sweep
step speed 90 bash -c speed
step endings 60 bash -c endings

say ''
say 'run                      ceiling    peak  images/s of the last passes that learn (MiB)'
for table in sweep speed; do [ ! -f "$logs/$table" ] || cat "$logs/$table" >> "$logs/tables"; done
for log in engines memory; do
  [ ! -s "$logs/$log.log" ] || { say ''; grep -v '^ *File\|^    \|^Traceback' "$logs/$log.log" >> "$logs/tables"; }
done
grep -hE '^\[  (PASSED|FAILED|SKIPPED)' "$logs"/*.log >> "$logs/tables"
echo
cat "$logs/tables"
