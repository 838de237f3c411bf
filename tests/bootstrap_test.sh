#!/usr/bin/env bash
# What bootstrap.sh says where it cannot go on, and that it then changes nothing. No package is installed and nothing is
# fetched: it sees a system without packages and a person without root, in an empty folder. And where it looks for the
# source of oneTBB.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree="$work/a folder with spaces"
mkdir -p "$tree" "$work/bin"
cp "$source_dir/bootstrap.sh" "$tree/"

stand_in() {  # PROGRAM LINE
  printf '#!/bin/sh\n%s\n' "$2" > "$work/bin/$1"
  chmod +x "$work/bin/$1"
}
stand_in id 'echo 1000'
stand_in sudo 'exit 1'
stand_in dpkg-query 'echo "installed g++"; echo "installed cmake"; echo "installed libcurl4-gnutls-dev"'

tests=0
failed=0
expect() {  # STATUS FIRST_LINE ARGUMENT...: run from another folder
  local status=0 expected_status=$1 expected=$2 output
  shift 2
  output=$(cd / && PATH="$work/bin:$PATH" "$tree/bootstrap.sh" "$@" 2>&1) || status=$?
  tests=$((tests + 1))
  if [ "$status" -ne "$expected_status" ] || [ "${output%%$'\n'*}" != "$expected" ]; then
    printf 'bootstrap.sh %s\n  expected %s: %s\n  was      %s: %s\n' "$*" "$expected_status" "$expected" "$status" "$output"
    failed=$((failed + 1))
  fi
}

usage='usage: ./bootstrap.sh [build | demo | test | lint | fuzz [SECONDS] | cuda]'
expect 0 "$usage" --help
expect 2 "$usage" build twice
expect 2 "$usage" fuzz long
expect 2 "$usage" fuzz 10 20
expect 2 "bootstrap.sh: unknown argument 'tset'" tset
# No version of a distribution adds to these; those after Ubuntu 22.04 and Debian 12 have two more.
missing='ninja-build ccache pkg-config libtbb-dev libvips-dev libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libhdf5-dev'
missing+=' libssl-dev zlib1g-dev libarchive-dev libcsv-dev libprotozero-dev libflatbuffers-dev libcpp-httplib-dev rapidjson-dev libgtest-dev libgmock-dev libbenchmark-dev'
if ! grep -qE '^VERSION_ID="(12|22.04)"' /etc/os-release; then missing+=' libheif-plugin-libde265 libheif-plugin-aomdec'; fi
expect 1 "bootstrap.sh: packages of the build: missing, and installing them needs root: $missing" build

tests=$((tests + 1))
if [ "$(find "$tree" -mindepth 1 -not -path "$tree/.deps*" -not -name bootstrap.sh)" != "" ]; then
  echo 'bootstrap.sh left something behind:' && ls -lA "$tree"
  failed=$((failed + 1))
fi

# The source of oneTBB is looked for in the archives of both of apt's formats, and nothing of apt's own is changed.
mkdir -p "$work/apt/sources.list.d"
cat > "$work/apt/sources.list" << 'EOF'
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/a/key.gpg] http://one.example/debian bookworm main
EOF
cat > "$work/apt/sources.list.d/two.sources" << 'EOF'
Types: deb deb-src
URIs: http://two.example/ubuntu
Suites: noble noble-updates
Components: main universe
EOF
cp -r "$work/apt" "$work/apt before"
cat > "$work/expected" << 'EOF'
# deb http://old.example/debian bookworm main
deb-src [arch=amd64 signed-by=/a/key.gpg] http://one.example/debian bookworm main
Types: deb-src
URIs: http://two.example/ubuntu
Suites: noble noble-updates
Components: main universe
EOF
stand_in apt-config "echo \"list='$work/apt/sources.list'\"; echo \"parts='$work/apt/sources.list.d/'\""
stand_in apt-get "cat archives/* > '$work/archives'; echo 'Could not resolve one.example'; exit 100"
stand_in apt-cache 'exit 100'
status=0
output=$(PATH="$work/bin:$PATH" "$source_dir/.cmake/onetbb_thread.sh" 2021.8.0 "$work/onetbb" 1 2>&1) || status=$?
expected='Could not resolve one.example
no archive has the source of oneTBB 2021.8.0
oneTBB 2021.8.0: its source could not be fetched (above: why), so nothing runs under ThreadSanitizer.
If it is the network, run this again.'
tests=$((tests + 1))
if [ "$status" -ne 1 ] || [ "$output" != "$expected" ] || ! diff "$work/expected" "$work/archives" ||
  ! diff -r "$work/apt before" "$work/apt"; then
  printf 'onetbb_thread.sh ended with %s and said:\n%s\n' "$status" "$output"
  failed=$((failed + 1))
fi

# In GoogleTest's words, which bootstrap.sh counts.
echo "[  PASSED  ] $((tests - failed)) tests."
[ "$failed" -eq 0 ]
