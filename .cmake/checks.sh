# shellcheck shell=bash disable=SC2034,SC2154
# What `./bootstrap.sh test` runs: read by bootstrap.sh, whose functions and variables it uses.

sources() {  # SUFFIX...: our own files, each ended by a NUL
  local suffix
  for suffix in "$@"; do
    find framework stages pipelines tests benchmarks -type f -name "*.$suffix" -print0
  done
}

check_format() {
  sources h cc cu | xargs -0 clang-format-14 --dry-run -Werror
  # It leaves comments as they are written, however long they are.
  if sources h cc cu | xargs -0 grep -nE '^.{101,}'; then echo 'lines of more than 100 characters' && return 1; fi
  shellcheck bootstrap.sh .ci/run .cmake/*.sh tests/*.sh tests/plugins/*.sh
}

check_lint() {
  printf '%s\0' framework/*.cc framework/*/*.cc | xargs -0 -n 1 -P "$job_count" clang-tidy-14 -p build --quiet
}

configure_sanitize() {
  # CMake forgets the preset's other variables where the compiler of a folder changes.
  grep -qs 'CMAKE_CXX_COMPILER:.*clang++-14$' build-sanitize/CMakeCache.txt || rm -rf build-sanitize
  cmake --preset sanitize
}

sanitize() {
  configure_sanitize
  cmake --build --preset sanitize -j "$job_count"
  ctest --preset sanitize
}

unpack_onetbb_thread() {  # FOLDER
  .cmake/onetbb_thread.sh "${stamps[onetbb-thread]%% *}" "$1/onetbb-thread" "$job_count"
}

# A oneTBB of the version that is installed. That one is compiled without ThreadSanitizer, which takes all that it hands
# from thread to thread for a race.
make_onetbb_thread() {
  local version
  command -v apt-get > /dev/null || fail "oneTBB: its source is fetched from Debian or Ubuntu, and this is neither" \
    "Nothing was run under ThreadSanitizer."
  version=$(dpkg-query -W -f '${source:Upstream-Version}' libtbb-dev)
  stamps[onetbb-thread]="$version $("${CXX:-c++}" --version | sed -n 1p)"
  [ "$(cat .deps/onetbb-thread/stamp 2> /dev/null || true)" != "${stamps[onetbb-thread]}" ] || return 0
  rm -rf .deps/onetbb-thread build-thread  # what was compiled with other headers may be newer than these
  fetch_folder onetbb-thread
}

thread() {
  local steady=()
  [ -e .deps/onetbb-thread/stamp ] || fail "there is no oneTBB for it" "Nothing was run under ThreadSanitizer."
  cmake --preset thread
  cmake --build --preset thread -j "$job_count"
  ldd build-thread/graph_test | grep -F '/.deps/onetbb-thread/lib/libtbb.so' ||
    fail "build-thread/graph_test would run with another oneTBB than .deps/onetbb-thread" "Unset LD_LIBRARY_PATH."
  # Addresses that Linux spreads over more than 28 bits are an "unexpected memory mapping" to g++'s ThreadSanitizer.
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
  local packages=(clang-14 libomp-14-dev)
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "$ID$VERSION_ID") in
    ubuntu22.04) ;;  # there libclang-common-14-dev has the sanitizers
    *) packages+=(libclang-rt-14-dev) ;;
  esac
  need_packages "packages of the sanitizers" "${packages[@]}"
}

fuzz_all() {  # SECONDS
  need_clang
  phase "configuring the sanitizers" configure_sanitize
  phase "building the readers under libFuzzer" cmake --build --preset sanitize -j "$job_count" --target all_fuzz
  phase "fuzzing each reader for $1 s" .cmake/fuzz.sh build-sanitize "$job_count" build-sanitize/corpus \
    -max_total_time="$1"
  cat "$scratch/log"
}

test_all() {
  need_packages "packages of the checks" clang-format-14 clang-tidy-14 shellcheck valgrind \
    python3-yaml python3-jsonschema dpkg-dev file
  need_clang
  build all
  keep_going=1
  phase "tests" ctest --preset release
  phase "format (clang-format 14, shellcheck)" check_format
  phase "lint of framework/ (clang-tidy 14)" check_lint
  phase "readers and framework/ under ASan and UBSan" sanitize
  # The same inputs each time, as what a longer search finds is not the fault of the change that is checked.
  phase "each reader under libFuzzer" .cmake/fuzz.sh build-sanitize "$job_count" "$scratch/corpus" -seed=1 -runs=5000
  phase "oneTBB for ThreadSanitizer" make_onetbb_thread
  phase "framework/ under ThreadSanitizer" thread
  summary
  [ ${#failures[@]} -eq 0 ] || fail "failed: $(printf '%s; ' "${failures[@]}" | sed 's/; $//')" "What each printed stands above."
}
