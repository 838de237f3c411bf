#!/usr/bin/env bash
# Sets up, builds, shows and tests weir on Debian 12 and Ubuntu 22.04 or 24.04; `./bootstrap.sh --help` says more.
# A step that has been done is not done again: with nothing left to do it takes about a second.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat << 'EOF'
usage: ./bootstrap.sh [build | demo | test | cuda]

  build   set up and build build/weir (what happens without an argument)
  demo    build, then draw pictures and train a classifier on them inside a memory ceiling
  test    build everything, run the tests, check format and lint, run framework/ under the sanitizers
  cuda    build the device side; needs the CUDA toolkit 13 (nvcc on PATH or in /usr/local/cuda)

Set-up installs the distribution's packages that are missing (as root, or with a sudo that asks nothing) and
unpacks LibTorch and oneDNN into .deps/ (a download of 540 MB, 0.6 GB on disk).
  Torch_DIR, WEIR_LIBTORCH   a LibTorch of your own: its share/cmake/Torch, or the folder with include/ and lib/
  WEIR_ONEDNN                a oneDNN 3 of your own: the folder with include/ and lib/
EOF
}

fail() {  # WHAT WHAT_TO_DO
  printf 'bootstrap.sh: %s\n%s\n' "$1" "$2" >&2
  exit 1
}

scratch=$(mktemp -d)
locked=      # set once this is the only bootstrap.sh of the folder
with_cuda=   # set where there is a CUDA toolkit that LibTorch agrees with
keep_going=  # set where a phase that fails is remembered in `failures`, and not the end
failures=()
clean_up() {
  rm -rf "$scratch"
  [ -z "$locked" ] || rm -rf .deps/.fetch.*
}
trap clean_up EXIT

# phase TITLE COMMAND...: one line with the seconds it took; what it printed is shown only where it fails.
phase() {
  local title=$1 started=$SECONDS status
  shift
  printf '%-58s' "$title"
  set +e
  (set -e; "$@") > "$scratch/log" 2>&1 < /dev/null
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    printf '%4d s\n' $((SECONDS - started))
    return
  fi
  printf '%4d s  FAILED\n' $((SECONDS - started))
  cat "$scratch/log"
  [ -n "$keep_going" ] || exit 1
  failures+=("$title")
}

# --- packages -------------------------------------------------------------------------------------------------------

# Sets `missing` to those of the packages that are not installed; `a|b` is satisfied by either, and installed as a.
find_missing() {
  local package name names found
  local -A installed=()
  while read -r name; do
    installed[$name]=1
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  missing=()
  for package in "$@"; do
    found=
    IFS='|' read -ra names <<< "$package"
    for name in "${names[@]}"; do found+=${installed[$name]:-}; done
    [ -n "$found" ] || missing+=("${names[0]}")
  done
}

install_packages() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends --no-remove "$@"
}

# need_packages WHAT PACKAGE...
need_packages() {
  local what=$1 missing
  shift
  if ! command -v dpkg-query > /dev/null; then
    printf '%s: not Debian or Ubuntu, so install these yourself: %s\n' "$what" "$*"
    return
  fi
  find_missing "$@"
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2> /dev/null; then
    fail "$what: missing, and installing them needs root: ${missing[*]}" \
      "Run: sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  phase "$what: installing ${#missing[@]}" install_packages "${missing[@]}"
}

build_packages() {
  local packages=(g++ cmake ninja-build ccache pkg-config libtbb-dev libvips-dev libyaml-cpp-dev nlohmann-json3-dev
    libcli11-dev libhdf5-dev 'libcurl4-openssl-dev|libcurl4-gnutls-dev' libssl-dev zlib1g-dev libgtest-dev
    libgmock-dev libbenchmark-dev)
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "$ID$VERSION_ID") in
    debian12 | ubuntu22.04) ;;
    *) packages+=(libheif-plugin-libde265 libheif-plugin-aomdec) ;;  # parts of libheif1 before
  esac
  need_packages "packages of the build" "${packages[@]}"
}

# --- LibTorch and oneDNN --------------------------------------------------------------------------------------------

arch=$(uname -m)

# The major version of the CUDA toolkit, or nothing.
cuda_major() {
  local nvcc
  nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
  [ ! -x "$nvcc" ] || "$nvcc" --version | sed -n 's/.*release \([0-9]*\)\..*/\1/p'
}

# fetch_wheels NAME FOLDER: what .cmake/wheels/NAME.txt pins, whichever Python pip itself runs on.
fetch_wheels() {
  local platform platforms=()
  for platform in manylinux_2_28 manylinux_2_25 manylinux2014 manylinux1; do
    platforms+=(--platform "${platform}_$arch")
  done
  TMPDIR=$2 python3 -m pip --isolated download --quiet --no-input --disable-pip-version-check --no-cache-dir \
    --retries 5 --progress-bar off --no-deps --only-binary=:all: --implementation cp --python-version 3.11 \
    --abi cp311 "${platforms[@]}" --require-hashes -r ".cmake/wheels/$1.txt" -d "$2/wheels"
}

# replace_folder FROM TO STAMP: TO is complete, or is not there; its stamp says what is in it.
replace_folder() {
  echo "$3" > "$1/stamp"
  rm -rf "$2"
  mv "$1" "$2"
}

pinned() {  # NAME: the versions of a wheel list, on one line
  grep -oE '^[a-z][a-z0-9-]*==[^ ]+' ".cmake/wheels/$1.txt" | tr '\n' ' '
}

need_disk() {  # MEGABYTES
  local free
  mkdir -p .deps
  free=$(df -Pk .deps | awk 'NR == 2 {print int($4 / 1024)}')
  [ "$free" -ge "$1" ] || fail "$PWD/.deps: $free MB free, and fetching LibTorch takes $1 MB for a while" \
    "Free some space, or set WEIR_LIBTORCH to a LibTorch that you have."
}

unpack_libtorch() {  # STAMP
  local new part skip=('torch/lib/libtorch_python.so' 'torch/lib/libshm*' 'torch/include/dnnl*' 'torch/include/oneapi/*')
  [ -n "$with_cuda" ] || skip+=('torch/lib/libtorch_cuda*' 'torch/lib/libc10_cuda*' 'torch/lib/libtorch_nvshmem*')
  new=$(mktemp -d .deps/.fetch.XXXXXX)
  fetch_wheels libtorch "$new"
  # The headers of LibTorch's own oneDNN stay behind: they would be taken for those of the oneDNN that we link.
  unzip -q "$new"/wheels/torch-*.whl 'torch/include/*' 'torch/lib/*.so*' -x "${skip[@]}" -d "$new"
  for part in cudart cupti; do  # beside libtorch_cpu.so, whose RPATH ends in $ORIGIN
    unzip -qj "$new/wheels/nvidia_cuda_${part/cudart/runtime}"-*.whl "nvidia/cu13/lib/lib$part.so.13" -d "$new/torch/lib"
  done
  replace_folder "$new/torch" .deps/libtorch "$1"
  rm -rf "$new"
}

unpack_onednn() {  # STAMP
  local new wheel
  new=$(mktemp -d .deps/.fetch.XXXXXX)
  fetch_wheels onednn "$new"
  for wheel in "$new"/wheels/*.whl; do
    unzip -qn "$wheel" '*.data/data/include/*' '*/libdnnl.so.3' -d "$new" || [ $? -eq 11 ]  # 11: has one of the two
  done
  mkdir "$new/onednn"
  mv "$new"/onednn_cpu_gomp-*/data/lib "$new"/onednn_devel_cpu_gomp-*/data/include "$new/onednn"
  ln -s libdnnl.so.3 "$new/onednn/lib/libdnnl.so"
  replace_folder "$new/onednn" .deps/onednn "$1"
  rm -rf "$new"
}

# An importable Python torch of the version that we are written against.
python_torch() {
  python3 -c 'import importlib.metadata as m, sys; sys.exit(m.version("torch").split("+")[0] != sys.argv[1])' \
    "$(sed -n 's/^torch==\([^ ]*\).*/\1/p' .cmake/wheels/libtorch.txt)" 2> /dev/null
}

libtorch() {
  [ -z "${Torch_DIR:-}${WEIR_LIBTORCH:-}" ] || return 0
  local cpu have
  cpu="$(pinned libtorch)$arch cpu"
  have=$(cat .deps/libtorch/stamp 2> /dev/null || true)
  [ "$have" != "$cpu cuda" ] || return 0
  if [ -z "$with_cuda" ] && [ "$have" = "$cpu" ]; then return 0; fi
  if [ ! -d .deps/libtorch ] && python_torch; then return 0; fi
  case $arch in
    x86_64 | aarch64) ;;
    *) fail "LibTorch: there is no wheel for $arch" "Build one and set WEIR_LIBTORCH to the folder with include/ and lib/." ;;
  esac
  need_disk $((with_cuda ? 2000 : 1400))
  need_packages "packages of the download" python3 python3-pip unzip
  phase "LibTorch: fetching 540 MB into .deps/libtorch" unpack_libtorch "$cpu${with_cuda:+ cuda}"
}

onednn() {
  local stamp major
  stamp="$(pinned onednn)$arch"
  [ -z "${WEIR_ONEDNN:-}" ] && [ "$(cat .deps/onednn/stamp 2> /dev/null || true)" != "$stamp" ] || return 0
  [ "$arch" = x86_64 ] || need_packages "packages of the build" libdnnl-dev
  major=$(sed -n 's/^#define DNNL_VERSION_MAJOR //p' /usr/include/oneapi/dnnl/dnnl_version.h 2> /dev/null || true)
  [ "${major:-0}" -lt 3 ] || return 0
  [ "$arch" = x86_64 ] || fail "oneDNN: this distribution has version ${major:-0} and there is no wheel for $arch" \
    "Build oneDNN 3 and set WEIR_ONEDNN to the folder with include/ and lib/."
  mkdir -p .deps
  need_packages "packages of the download" python3 python3-pip unzip
  phase "oneDNN: fetching 39 MB into .deps/onednn" unpack_onednn "$stamp"
}

# --- build ----------------------------------------------------------------------------------------------------------

# As many compilers as there are cores, and as memory holds: a file that includes LibTorch takes 1.5 GB.
job_limit() {
  local kilobytes limit file by_memory cores
  kilobytes=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat "$file" 2> /dev/null || true)
    if [[ $limit =~ ^[0-9]+$ ]] && [ $((limit / 1024)) -lt "$kilobytes" ]; then kilobytes=$((limit / 1024)); fi
  done
  by_memory=$((kilobytes / 2000000))
  cores=$(nproc)
  echo $((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))
}

set_up() {
  mkdir -p .deps
  exec 9> .deps/lock
  flock -n 9 || { echo 'waiting for another bootstrap.sh in this folder'; flock 9; }
  locked=1
  rm -rf .deps/.fetch.*
  local major
  major=$(cuda_major)
  if [ "$major" = 13 ]; then with_cuda=1; fi
  if [ -n "$major" ] && [ -z "$with_cuda" ]; then
    echo "CUDA toolkit $major: the device side needs 13, as LibTorch does; building for the CPU alone"
  fi
  build_packages
  libtorch
  onednn
  job_count=$(job_limit)
}

build() {  # TARGET...
  phase "configuring" cmake --preset release "-DWEIR_CUDA=$([ -n "$with_cuda" ] && echo AUTO || echo OFF)"
  phase "building $1 (Release, $job_count at a time)" cmake --build --preset release -j "$job_count" --target "$@"
}

demo_run() {
  build/weir draw runs/demo-pictures
  build/weir run configs/demo.yaml
}

# --- checks ---------------------------------------------------------------------------------------------------------

sources() {  # SUFFIX...: our own files, each ended by a NUL
  local suffix
  for suffix in "$@"; do
    find framework stages pipelines tests benchmarks -type f -name "*.$suffix" -print0
  done
}

check_format() {
  sources h cc cu | xargs -0 clang-format-14 --dry-run -Werror
  shellcheck bootstrap.sh .ci/run tests/*.sh
}

check_lint() {
  printf '%s\0' framework/*.cc | xargs -0 -n 1 -P "$job_count" clang-tidy-14 -p build --quiet
}

sanitize() {
  cmake --preset sanitize
  cmake --build --preset sanitize -j "$job_count"
  ctest --preset sanitize
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

test_all() {
  need_packages "packages of the checks" clang-format-14 clang-tidy-14 shellcheck
  build all
  keep_going=1
  phase "tests" ctest --preset release
  phase "format (clang-format 14, shellcheck)" check_format
  phase "lint of framework/ (clang-tidy 14)" check_lint
  phase "framework/ under the address and undefined sanitizers" sanitize
  summary
  [ ${#failures[@]} -eq 0 ] || fail "failed: $(printf '%s; ' "${failures[@]}" | sed 's/; $//')" "What each printed stands above."
}

cuda() {
  [ -n "$with_cuda" ] || fail "no CUDA toolkit 13: neither nvcc on PATH nor /usr/local/cuda/bin/nvcc" \
    "Install it, or build for the CPU alone with ./bootstrap.sh build"
  phase "configuring with the device side" cmake --preset cuda
  phase "building weir_cuda ($job_count at a time)" cmake --build --preset cuda -j "$job_count"
}

if [ $# -gt 1 ]; then
  usage >&2
  exit 2
fi
case ${1:-build} in
  -h | --help | help) usage ;;
  build)
    set_up
    build weir
    echo 'build/weir is ready'
    ;;
  demo)
    set_up
    build weir
    demo_run
    ;;
  test)
    set_up
    test_all
    ;;
  cuda)
    set_up
    cuda
    ;;
  *)
    printf "bootstrap.sh: unknown argument '%s'\n\n" "$1" >&2
    usage >&2
    exit 2
    ;;
esac
