#!/usr/bin/env bash
# Holds readers.txt against the sources: a source that opens or parses what somebody else wrote has a row there, which
# names a test that there is, and no row is of a source that does not.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

reads='ifstream|InputFile[ (]|FileBytes(::Open|&)|MappedFile|ParseJson\(|VisitJson\(|archive_read_|json::parse|'
reads+='::p?read\(|::recv\(|\.Parse<|fread\(|YAML::Parser|csv_parse|ParseContentRange\('
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}

rows=$(sed '/^#/d; /^$/d' tests/readers.txt)
missing=$(comm -13 <(awk '{print $1}' <<< "$rows" | sort) \
  <(find framework stages pipelines -name '*.cc' -print0 | xargs -0 grep -lE "$reads" | sort))
stale=$(comm -23 <(awk '{print $1}' <<< "$rows" | sort) \
  <(find framework stages pipelines -name '*.cc' -print0 | xargs -0 grep -lE "$reads" | sort))
for source in $missing; do
  complain "$source reads what somebody else wrote: write a test of its bound, and name it in tests/readers.txt"
done
for source in $stale; do
  complain "tests/readers.txt: $source reads nothing, or is not there: remove its row"
done
while read -r source test; do
  [ -f "$test" ] || complain "tests/readers.txt: $source: there is no $test"
done <<< "$rows"
[ "$status" -ne 0 ] || printf '%s sources that read, each with a test of its bound\n' "$(wc -l <<< "$rows")"
exit "$status"
