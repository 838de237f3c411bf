# shellcheck shell=bash disable=SC2034,SC2154
# What `./bootstrap.sh test` runs: read by bootstrap.sh, whose functions and variables it uses.

# The version of clang, clang-tidy and the sanitizers.
# shellcheck source=/dev/null
case $(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}") in
  debian13) clang=19 ;;  # the oldest that it has is 17
  *) clang=14 ;;
esac

sources() {  # SUFFIX...: our own files, each ended by a NUL
  local suffix
  for suffix in "$@"; do
    find framework stages pipelines tests benchmarks -type f -name "*.$suffix" -print0
  done
}

unpack_clang_format() {  # FOLDER
  unpack_wheels clang-format "$1" 'clang_format/data/bin/clang-format'
  mkdir "$1/clang-format"
  mv "$1/clang_format/data/bin/clang-format" "$1/clang-format"
  chmod +x "$1/clang-format/clang-format"
}

fetch_clang_format() {
  stamps[clang-format]=$(pinned clang-format)
  [ "$(cat .deps/clang-format/stamp 2> /dev/null || true)" != "${stamps[clang-format]}" ] || return 0
  need_packages "packages of the download" python3 python3-pip unzip
  phase "clang-format: fetching 1 MB into .deps/clang-format" fetch_folder clang-format
}

check_format() {
  sources h cc cu | xargs -0 .deps/clang-format/clang-format --dry-run -Werror
  # It leaves comments as they are written, however long they are.
  if sources h cc cu | xargs -0 grep -nE '^.{101,}'; then echo 'lines of more than 100 characters' && return 1; fi
  # grep -q leaves with the first line that it finds, and what still writes then fails by SIGPIPE: now and then.
  if find bootstrap.sh .ci .cmake tests -type f \( -name '*.sh' -o -name run \) -print0 |
    xargs -0 grep -nE '[^|]\| *grep -[a-zA-Z]*q'; then
    echo 'pipes into grep -q: give it the text by <<<' && return 1
  fi
  shellcheck bootstrap.sh .ci/run .cmake/*.sh tests/*.sh tests/plugins/*.sh tests/stages/device/cuda/*.sh
}

# clang-tidy over sources of ours that are compiled here; their names, one a line, are read.
check_lint() {
  local sources
  mkdir -p build/lint  # without g++'s precompiled headers, which clang cannot read
  sed 's/ -Winvalid-pch -include [^ ]*//' build/compile_commands.json > build/lint/compile_commands.json
  sources=$(grep -xFf <(sed -n "s|^  \"file\": \"$PWD/\(.*\)\",*\$|\1|p" build/compile_commands.json) | sort -u)
  [ -n "$sources" ] || fail "there is no source to look at" "Nothing was linted."
  printf '%s\n' "$sources"
  tr '\n' '\0' <<< "$sources" | sed -z '/^$/d' |
    xargs -0 -n 1 -P "$job_count" "clang-tidy-$clang" -p build/lint --quiet
}

lint_all() {
  need_packages "packages of the checks" "clang-tidy-$clang"
  phase "configuring" configure_release
  phase "lint of framework/, stages/ and pipelines/ (clang-tidy $clang)" check_all_lint
}

check_all_lint() { find framework stages pipelines -name '*.cc' | check_lint; }

# The sources that were changed last, as many as there is time for; framework/ where there is no history to ask.
check_recent_lint() {
  local most=15 recent
  recent=$({ git log --max-count=200 --format= --name-only -- framework stages pipelines || true; } |
    sed -n 's/\.\(h\|cc\)$/.cc/p' | awk '!seen[$0]++' |
    while read -r source; do if [ -f "$source" ]; then echo "$source"; fi; done | awk -v most="$most" 'NR <= most')
  if [ -z "$recent" ]; then recent=$(find framework -name '*.cc'); fi
  check_lint <<< "$recent"
}

configure_clang() {  # PRESET: sanitize or thread
  # CMake forgets the preset's other variables where the compiler of a folder changes.
  grep -qs "CMAKE_CXX_COMPILER:.*clang++-$clang\$" "build-$1/CMakeCache.txt" || rm -rf "build-$1"
  cmake --preset "$1" -D CMAKE_C_COMPILER="clang-$clang" -D CMAKE_CXX_COMPILER="clang++-$clang"
}

sanitize() {
  configure_clang sanitize
  cmake --build --preset sanitize -j "$job_count"
  ctest --preset sanitize
}

unpack_onetbb_thread() {  # FOLDER
  local version=${stamps[onetbb-thread]%% *}
  CC=clang-$clang CXX=clang++-$clang .cmake/onetbb_thread.sh "$version" "$1/onetbb-thread" "$job_count"
}

# A oneTBB of the version that is installed. That one is compiled without ThreadSanitizer, which takes all that it hands
# from thread to thread for a race.
make_onetbb_thread() {
  local version
  command -v apt-get > /dev/null || fail "oneTBB: its source is fetched from Debian or Ubuntu, and this is neither" \
    "Nothing was run under ThreadSanitizer."
  version=$(dpkg-query -W -f '${source:Upstream-Version}' libtbb-dev)
  stamps[onetbb-thread]="$version $("clang++-$clang" --version | sed -n 1p)"
  [ "$(cat .deps/onetbb-thread/stamp 2> /dev/null || true)" != "${stamps[onetbb-thread]}" ] || return 0
  rm -rf .deps/onetbb-thread build-thread  # what was compiled with other headers may be newer than these
  fetch_folder onetbb-thread
}

thread() {
  local steady=()
  [ -e .deps/onetbb-thread/stamp ] || fail "there is no oneTBB for it" "Nothing was run under ThreadSanitizer."
  configure_clang thread
  cmake --build --preset thread -j "$job_count"
  ldd build-thread/graph_test | grep -F '/.deps/onetbb-thread/lib/libtbb.so' ||
    fail "build-thread/graph_test would run with another oneTBB than .deps/onetbb-thread" "Unset LD_LIBRARY_PATH."
  # Addresses that Linux spreads over more than 28 bits are an "unexpected memory mapping" to ThreadSanitizer.
  if setarch -R true; then steady=(setarch -R); fi
  "${steady[@]}" ctest --preset thread
}

# What GoogleTest counted in every binary of the last run, and why tests were skipped. A binary that failed without
# naming a test (it crashed, or ran out of time) counts as one.
summary() {
  awk '
    reason_follows {reasons[$0]++; reason_follows = 0}
    /: Skipped$/ {reason_follows = 1}
    /^\[  PASSED  \] [0-9]+ test/ {passed += $4}
    /^\[  SKIPPED \] [0-9]+ test/ {skipped += $4}
    /^\[  FAILED  \] .*\([0-9]+ ms\)$/ {failed++; named = 1}
    /^Test Failed\.$/ {failed += !named}
    /^Test (Failed|Passed)\.$/ {named = 0}
    END {
      for (reason in reasons) printf "skipped: %s (%d)\n", reason, reasons[reason]
      printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    }
  ' build/Testing/Temporary/LastTest.log
}

# The compiler that has libFuzzer, and the OpenMP that it is used with.
need_clang() {
  local packages=("clang-$clang" "libomp-$clang-dev")
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "$ID$VERSION_ID") in
    ubuntu22.04) ;;  # there libclang-common-14-dev has the sanitizers
    *) packages+=("libclang-rt-$clang-dev") ;;
  esac
  need_packages "packages of the sanitizers" "${packages[@]}"
}

fuzz_all() {  # SECONDS
  need_clang
  phase "configuring the sanitizers" configure_clang sanitize
  phase "building the readers under libFuzzer" cmake --build --preset sanitize -j "$job_count" --target all_fuzz
  phase "fuzzing each reader for $1 s" .cmake/fuzz.sh build-sanitize "$job_count" build-sanitize/corpus \
    -max_total_time="$1"
  cat "$scratch/log"
}

test_all() {
  need_packages "packages of the checks" "clang-tidy-$clang" shellcheck valgrind python3-yaml python3-jsonschema \
    python3-numpy dpkg-dev file git
  need_clang
  fetch_clang_format
  build all
  keep_going=1
  phase "tests" ctest --preset release
  phase "format (clang-format 14, shellcheck)" check_format
  phase "lint of the sources changed last (clang-tidy $clang)" check_recent_lint
  phase "what needs no LibTorch under ASan and UBSan" sanitize
  # The same inputs each time, as what a longer search finds is not the fault of the change that is checked.
  phase "each reader under libFuzzer" .cmake/fuzz.sh build-sanitize "$job_count" "$scratch/corpus" -seed=1 -runs=5000
  phase "oneTBB for ThreadSanitizer" make_onetbb_thread
  phase "framework/ under ThreadSanitizer" thread
  summary
  [ ${#failures[@]} -eq 0 ] ||
    fail "failed: $(printf '%s; ' "${failures[@]}" | sed 's/; $//')" "What each printed stands above."
}
