#!/usr/bin/env bash
# Sets up, builds, shows and tests weir on Debian 12 or 13 and Ubuntu 22.04 or 24.04; `./bootstrap.sh --help` says more.
# A step that has been done is not done again: with nothing left to do it takes about a second.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat << 'EOF'
usage: ./bootstrap.sh [build | demo | test | lint | fuzz [SECONDS] | cuda]

  build   set up and build build/weir (what happens without an argument)
  demo    build, then draw pictures and train a classifier on them inside a memory ceiling
  test    build everything and run the tests; check the format, and lint what was changed last; run what needs no
          LibTorch under the sanitizers, and hand the readers what libFuzzer makes of files
  lint    look at all sources with clang-tidy
  fuzz    the readers under libFuzzer for so long each (60 s)
  cuda    build the device side alone, GPU or not

Set-up installs the distribution's packages that are missing (as root, or with a sudo that asks nothing) and
unpacks LibTorch and oneDNN into .deps/ (a download of 580 MB, 0.7 GB on disk). The device side is built as well where
an NVIDIA driver 580 or newer or the CUDA toolkit 13 is; for the driver, CUDA's libraries are fetched too (1.9 GB,
2.6 GB on disk; 0.5 GB more of LibTorch), and where no toolkit 13 is, its compiler (160 MB, 0.3 GB on disk).
For the tests of the device side on GPUs that are simulated, test fetches CUDA's headers where no toolkit 13 is (6 MB).
For ThreadSanitizer, test builds a oneTBB into .deps/ from the distribution's source (a download of 12 to 30 MB).
  WEIR_CUDA                  OFF: build for the CPU alone; ON: build the device side too, whatever is here
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
with_cuda=   # set where the device side is built
gpu=         # set where there is a GPU that it can use
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
    libcli11-dev libhdf5-dev 'libcurl4-openssl-dev|libcurl4-gnutls-dev' libssl-dev zlib1g-dev libarchive-dev libcsv-dev
    libprotozero-dev libflatbuffers-dev libcpp-httplib-dev rapidjson-dev libgtest-dev libgmock-dev libbenchmark-dev)
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "$ID$VERSION_ID") in
    debian12 | ubuntu22.04) ;;
    *) packages+=(libheif-plugin-libde265 libheif-plugin-aomdec) ;;  # parts of libheif1 before
  esac
  need_packages "packages of the build" "${packages[@]}"
}

# --- the device side ------------------------------------------------------------------------------------------------

# Sets `gpu` where there is a GPU that CUDA 13 can use; says why where there is one that it cannot.
find_gpu() {
  local best driver='' capability=7.5 why=''
  best=$(PATH="$PATH:/usr/lib/wsl/lib" nvidia-smi --query-gpu=compute_cap,driver_version --format=csv,noheader \
    2> /dev/null | sort -rV | head -n 1) || true
  if [[ $best =~ ^([0-9]+\.[0-9]),\ ([0-9]+)\. ]]; then
    capability=${BASH_REMATCH[1]} driver=${BASH_REMATCH[2]}
  elif [ -e /dev/nvidiactl ]; then  # a container that has the driver without its programs
    driver=$(sed -n '/^NVRM/s/.* \([0-9]*\)\.[0-9.]* .*/\1/p' /proc/driver/nvidia/version 2> /dev/null) || true
  else
    return 0
  fi
  [ "${capability/./}" -ge 75 ] || why="the GPU is of compute capability $capability, and CUDA 13 needs 7.5 or newer"
  [ "${driver:-0}" -ge 580 ] || why="the NVIDIA driver is of version ${driver:-unknown}, and CUDA 13 needs 580 or newer"
  if [ -z "$why" ]; then gpu=1; else echo "weir will run on the CPU alone: $why"; fi
}

# The folder of an importable Python torch of the version that we are written against, or nothing.
python_torch() {
  python3 -c 'import importlib.metadata as m, importlib.util as u, sys
if m.version("torch").split("+")[0] == sys.argv[1]: print(u.find_spec("torch").submodule_search_locations[0])' \
    "$(sed -n 's/^torch==\([^ ]*\).*/\1/p' .cmake/wheels/libtorch.txt)" 2> /dev/null || true
}

# Sets `with_cuda`, `toolkit` (its major version, or nothing), and `own_libtorch`, empty where LibTorch is from .deps/.
choose_device_side() {
  local given=${WEIR_LIBTORCH:-}
  [ -z "${Torch_DIR:-}" ] || given=$Torch_DIR/../../..
  own_libtorch=$given
  [ -n "$given" ] || [ -d .deps/libtorch ] || own_libtorch=$(python_torch)
  toolkit=$("$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)" --version 2> /dev/null |
    sed -n 's/.*release \([0-9]*\)\..*/\1/p') || true
  [ "$device_side" = OFF ] || find_gpu
  [ "$device_side" = ON ] || [ -n "$gpu" ] || { [ "$device_side" = AUTO ] && [ "$toolkit" = 13 ]; } || return 0
  with_cuda=1
  if [ -z "$own_libtorch" ] || grep -qsF libcudart.so.13 "$own_libtorch/lib/libc10_cuda.so"; then return; fi
  own_libtorch=$given  # a Python torch that is of no use is not taken
  if [ -n "$given" ] && [ "$device_side" = AUTO ]; then  # where it is ON, CMake says so, and that it cannot be
    echo "$given: this LibTorch has no half for CUDA 13; building for the CPU alone"
    with_cuda=
  fi
}

# --- what is fetched ------------------------------------------------------------------------------------------------

arch=$(uname -m)
to_fetch=()  # folders of .deps/, in this order
declare -A stamps  # what is to be in them
kept=0 peak=0  # megabytes that they take: in the end, and on the way

# want FOLDER STAMP KEPT_MB PEAK_MB: FOLDER is to be fetched, unless what STAMP says is in it.
want() {
  [ "$(cat ".deps/$1/stamp" 2> /dev/null || true)" != "$2" ] || return 0
  to_fetch+=("$1")
  stamps[$1]=$2
  if [ $((kept + $4)) -gt "$peak" ]; then peak=$((kept + $4)); fi
  kept=$((kept + $3))
}

pinned() {  # NAME: the versions of a wheel list, on one line, and the machine that they are for
  grep -oE '^[a-z][a-z0-9-]*==[^ ]+' ".cmake/wheels/$1.txt" | tr '\n' ' '
  printf %s "$arch"
}

want_libtorch() {
  local cpu
  [ -z "$own_libtorch" ] || return 0
  cpu="$(pinned libtorch) cpu"
  if [ -n "$with_cuda" ] || [ "$(cat .deps/libtorch/stamp 2> /dev/null || true)" = "$cpu cuda" ]; then
    want libtorch "$cpu cuda" 1040 1700
  else
    want libtorch "$cpu" 520 1400
  fi
}

# What libtorch_cuda.so is linked to is fetched only where it can run, or where it is asked for and no toolkit is there.
want_cuda() {
  [ -n "$with_cuda" ] || return 0
  if [ -z "$own_libtorch" ] && { [ -n "$gpu" ] || [ "$toolkit" != 13 ]; }; then
    want nvidia "$(pinned cuda)" 2600 4000
  fi
  [ "$toolkit" = 13 ] || want nvcc "$(pinned nvcc)" 260 600
}

# With them the tests simulate GPUs; a compiler that is fetched has them too.
want_cuda_headers() {
  [ "$command" = test ] && [ "$toolkit" != 13 ] && [ -z "$with_cuda" ] || return 0
  want cuda-headers "$(pinned cuda-headers)" 10 20
}

want_onednn() {
  local stamp major
  stamp=$(pinned onednn)
  [ -z "${WEIR_ONEDNN:-}" ] && [ "$(cat .deps/onednn/stamp 2> /dev/null || true)" != "$stamp" ] || return 0
  [ "$arch" = x86_64 ] || need_packages "packages of the build" libdnnl-dev
  major=$(sed -n 's/^#define DNNL_VERSION_MAJOR //p' /usr/include/oneapi/dnnl/dnnl_version.h 2> /dev/null || true)
  [ "${major:-0}" -lt 3 ] || return 0
  [ "$arch" = x86_64 ] || fail "oneDNN: this distribution has version ${major:-0} and there is no wheel for $arch" \
    "Build oneDNN 3 and set WEIR_ONEDNN to the folder with include/ and lib/."
  want onednn "$stamp" 60 200
}

fetch() {
  local folder free cpu_alone=${with_cuda:+, or build for the CPU alone: WEIR_CUDA=OFF ./bootstrap.sh}
  local -A titles=([nvidia]="CUDA's libraries: fetching 1.9 GB" [nvcc]='the CUDA compiler: fetching 160 MB'
    [libtorch]='LibTorch: fetching 540 MB' [onednn]='oneDNN: fetching 39 MB'
    [cuda-headers]="CUDA's headers: fetching 6 MB")
  [ ${#to_fetch[@]} -gt 0 ] || return 0
  [[ $arch = @(x86_64|aarch64) ]] || fail "${to_fetch[*]}: there is no wheel for $arch" \
    "Build LibTorch and set WEIR_LIBTORCH to the folder with include/ and lib/$cpu_alone."
  free=$(df -Pk .deps | awk 'NR == 2 {print int($4 / 1024)}')
  [ "$free" -ge "$peak" ] || fail "$PWD/.deps: $free MB free, and fetching ${to_fetch[*]} takes $peak MB for a while" \
    "Free some space, or set WEIR_LIBTORCH to a LibTorch that you have$cpu_alone."
  need_packages "packages of the download" python3 python3-pip unzip
  for folder in "${to_fetch[@]}"; do
    phase "${titles[$folder]} into .deps/$folder" fetch_folder "$folder"
  done
}

# It is complete, or is not there; its stamp says what is in it.
fetch_folder() {  # FOLDER
  local new
  new=$(mktemp -d .deps/.fetch.XXXXXX)
  "unpack_${1//-/_}" "$new"
  echo "${stamps[$1]}" > "$new/$1/stamp"
  rm -rf ".deps/$1"
  mv "$new/$1" ".deps/$1"
  rm -rf "$new"
}

# unpack_wheels NAME FOLDER PATTERN...: the files that fit, of what .cmake/wheels/NAME.txt pins, whichever Python pip
# itself runs on.
unpack_wheels() {
  local name=$1 folder=$2 wheel platforms=(manylinux{_2_28,_2_27,_2_25,_2_18,2014,1}_"$arch")
  shift 2
  TMPDIR=$folder python3 -m pip --isolated download --quiet --no-input --disable-pip-version-check --no-cache-dir \
    --retries 5 --progress-bar off --no-deps --only-binary=:all: --implementation cp --python-version 3.11 \
    --abi cp311 "${platforms[@]/#/--platform=}" --require-hashes -r ".cmake/wheels/$name.txt" -d "$folder/wheels" ||
    fail "pip could not fetch what .cmake/wheels/$name.txt pins (above: why)" \
      "If it is the network, run this again: what was fetched before is kept."
  for wheel in "$folder"/wheels/*.whl; do
    unzip -qn "$wheel" "$@" -d "$folder" || [ $? -eq 11 ]  # 11: a pattern fits nothing in this one
    rm "$wheel"
  done
}

unpack_libtorch() {  # FOLDER
  local skip=('torch/lib/libtorch_python.so' 'torch/lib/libshm*' 'torch/include/dnnl*' 'torch/include/oneapi/*')
  # libc10_cuda.so stays, 0.7 MB: with it tests simulate GPUs.
  [ -n "$with_cuda" ] || skip+=('torch/lib/libtorch_cuda*' 'torch/lib/libtorch_nvshmem*')
  # The headers of LibTorch's own oneDNN stay behind: they would be taken for those of the oneDNN that we link.
  unpack_wheels libtorch "$1" 'torch/include/*' 'torch/lib/*.so*' '*/libcudart.so.13' '*/libcupti.so.13' -x "${skip[@]}"
  mv "$1"/nvidia/cu13/lib/lib{cudart,cupti}.so.13 "$1/torch/lib"  # where the RPATH of libtorch_cpu.so ends
  mv "$1/torch" "$1/libtorch"
}

unpack_nvidia() {  # FOLDER: laid out as the RPATH of libtorch_cuda.so has it, which begins with $ORIGIN/../../nvidia
  unpack_wheels cuda "$1" 'nvidia/*/lib/lib*.so*'
}

unpack_nvcc() {  # FOLDER: laid out as a toolkit is
  unpack_wheels nvcc "$1" 'nvidia/cu13/bin/*' 'nvidia/cu13/include/*' 'nvidia/cu13/lib/libcud*' 'nvidia/cu13/nvvm/*'
  mv "$1/nvidia/cu13" "$1/nvcc"
  ln -s libcudart.so.13 "$1/nvcc/lib/libcudart.so"
  ln -s lib "$1/nvcc/lib64"  # where CMake looks
}

unpack_cuda_headers() {  # FOLDER
  unpack_wheels cuda-headers "$1" 'nvidia/cu13/include/*' -x 'nvidia/cu13/include/cccl/*'
  mv "$1/nvidia/cu13" "$1/cuda-headers"
}

unpack_onednn() {  # FOLDER
  unpack_wheels onednn "$1" '*.data/data/include/*' '*/libdnnl.so.3'
  mkdir "$1/onednn"
  mv "$1"/onednn_cpu_gomp-*/data/lib "$1"/onednn_devel_cpu_gomp-*/data/include "$1/onednn"
  ln -s libdnnl.so.3 "$1/onednn/lib/libdnnl.so"
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
  build_packages
  choose_device_side
  want_cuda
  want_cuda_headers
  want_libtorch
  want_onednn
  fetch
  job_count=$(job_limit)
}

configure_release() {
  cmake --preset release "-DWEIR_CUDA=$([ -n "$with_cuda" ] && echo ON || echo OFF)"
}

build() {  # TARGET...
  phase "configuring" configure_release
  phase "building $1 (Release, $job_count at a time)" cmake --build --preset release -j "$job_count" --target "$@"
}

cuda() {
  phase "configuring with the device side" cmake --preset cuda
  phase "building weir_cuda ($job_count at a time)" cmake --build --preset cuda -j "$job_count"
}

device_side=${WEIR_CUDA:-AUTO}
[[ $device_side = @(AUTO|ON|OFF) ]] || fail "WEIR_CUDA is '$device_side'" "Write AUTO, ON or OFF."
if [ $# -gt 2 ] || { [ $# -eq 2 ] && [[ "$1 $2" != fuzz\ [1-9]*([0-9]) ]]; }; then
  usage >&2
  exit 2
fi
command=${1:-build}
case $command in
  -h | --help | help) usage ;;
  build) set_up; build weir; echo 'build/weir is ready' ;;
  demo) set_up; build weir; build/weir draw runs/demo-pictures; build/weir run configs/demo.yaml ;;
  test)
    set_up
    # shellcheck source=.cmake/checks.sh
    . .cmake/checks.sh
    test_all
    ;;
  lint)
    set_up
    # shellcheck source=.cmake/checks.sh
    . .cmake/checks.sh
    lint_all
    ;;
  fuzz)
    set_up
    # shellcheck source=.cmake/checks.sh
    . .cmake/checks.sh
    fuzz_all "${2:-60}"
    ;;
  cuda) device_side=ON; set_up; cuda ;;
  *)
    printf "bootstrap.sh: unknown argument '%s'\n\n" "$1" >&2
    usage >&2
    exit 2
    ;;
esac
