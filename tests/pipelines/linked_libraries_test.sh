#!/usr/bin/env bash
# linked_libraries_test.sh WEIR LIBWEIR_TORCH: that the program is not linked to LibTorch, which takes a tenth of a second
# and tens of megabytes as it is loaded, and that what the two have in common is there once.
set -euo pipefail
export LC_ALL=C
weir=$1 library=$2
fail() {
  echo "linked_libraries_test.sh: $1" >&2
  exit 1
}

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'; }
if needed "$weir" | grep -E '^lib(torch|c10|weir)'; then fail 'the program is linked to what it is to open'; fi
grep -q '^libtorch_cpu' <<< "$(needed "$library")" || fail 'what learns is not linked to LibTorch'

# Names of ours that others may refer to. The dynamic linker binds a name to the program's where the program shows it: a
# static variable that both had for themselves would be two.
names() { sed -nE 's/^[^ ]* [A-Zuvw] ([^ ]*4weir[^ ]*)$/\1/p' | sort -u; }
both=$(comm -12 <(nm --defined-only "$weir" | names) <(nm -D --defined-only "$library" | names))
[ "$(wc -l <<< "$both")" -gt 500 ] || fail 'the names of the two were not read'
hidden=$(comm -23 <(echo "$both") <(nm -D --defined-only "$weir" | names))
[ -z "$hidden" ] || fail "both have for themselves, among others: $(head -n 3 <<< "$hidden")"
