#!/usr/bin/env bash
# Runs each reader of tests/fuzz as the options of libFuzzer say, JOBS of them at a time, and prints what each did. What
# makes one of them fail is kept in FOLDER/findings; what it learns, for the next time, in CORPUS.
#   .cmake/fuzz.sh FOLDER JOBS CORPUS OPTION...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$1 jobs=$2 corpus=$3
shift 3
options=("$@")
mkdir -p "$folder/findings" "$folder/logs"

# One reader: 0 where nothing was found. A run that takes 10 s, or 2 GiB, is a finding.
run_one() {  # BINARY
  local name=${1##*/} pictures=() hostile=() kind status=0
  mkdir -p "$corpus/$name"
  case $name in
    jpeg_fuzz) pictures=(jpeg jpeg_valid exif_orientation) ;;
    png_fuzz) pictures=(png) ;;
  esac
  for kind in "${pictures[@]}"; do
    if [ -d "../shared/hostile/$kind" ]; then hostile+=("../shared/hostile/$kind"); fi
  done
  "$1" "${options[@]}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/findings/$name-" "$corpus/$name" "${hostile[@]}" \
    > "$folder/logs/$name" 2>&1 || status=$?
  awk -v name="$name" -v status="$status" '
    /^stat::number_of_executed_units/ {runs = $2}
    /^stat::average_exec_per_sec/ {rate = $2}
    /^stat::peak_rss_mb/ {peak = $2}
    END {
      per_second = rate > 0 ? rate "/s" : ""  # unknown where it took less than a second
      printf "%-24s%10d runs %9s %5d MB%s\n", name, runs, per_second, peak, status ? "  FAILED" : ""
    }
  ' "$folder/logs/$name"
  [ "$status" -eq 0 ] || tail -n 60 "$folder/logs/$name"
  return "$status"
}

export UBSAN_OPTIONS=print_stacktrace=1
export TMPDIR=$folder/scratch
rm -rf "$TMPDIR"
mkdir "$TMPDIR"
status=0
for reader in "$folder"/*_fuzz; do
  while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n || status=1; done
  run_one "$reader" &
done
while [ -n "$(jobs -p)" ]; do wait -n || status=1; done
rm -rf "$TMPDIR"
exit "$status"
