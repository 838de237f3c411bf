#!/usr/bin/env bash
# install_test.sh BUILD: installs that build into an empty prefix and does there what a stranger would: writes a plugin,
# builds it, tests it, runs it in a pipeline; and builds a program of one's own with pkg-config. The tools are those that
# CMAKE_GENERATOR and CXX name.
set -euo pipefail
build=$1
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d -p "$build")  # a gigabyte, for a minute
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "install_test.sh: $1" >&2
  exit 1
}

cmake --install "$build" --prefix "$scratch/prefix" > "$scratch/log" || { cat "$scratch/log"; fail 'cannot be installed'; }
if [ -e "$build/libweir_cuda.so" ]; then
  cmake --install "$build" --prefix "$scratch/prefix" --component cuda > "$scratch/log" ||
    { cat "$scratch/log"; fail 'the device side cannot be installed'; }
fi
# Moved, as an archive that is unpacked elsewhere is.
mv "$scratch/prefix" "$scratch/weir"
export PATH=$scratch/weir/bin:$PATH
[ "$(command -v weir)" = "$scratch/weir/bin/weir" ] || fail 'another weir comes first'
weir --version

# Nothing of the device side is looked for where it was built, and LibTorch's half is found.
if [ -e "$build/libweir_cuda.so" ]; then
  looks_in=$(objdump -p "$scratch/weir/lib/libweir_cuda.so" | sed -n 's/^ *RUNPATH *//p')
  # shellcheck disable=SC2016  # as it stands there
  [ "$looks_in" = '$ORIGIN/weir' ] ||
    fail 'the device side looks for its libraries elsewhere'
  ldd "$scratch/weir/lib/libweir_cuda.so" | grep -qF "libtorch_cuda.so => $scratch/weir/lib/weir/" ||
    fail 'the device side does not find LibTorch'
fi

cd "$scratch"
weir new-plugin sepia
cd sepia
cmake -B build -D CMAKE_PREFIX_PATH="$scratch/weir" > ../log 2>&1 || { cat ../log; fail 'the plugin cannot be configured'; }
cmake --build build > ../log 2>&1 || { cat ../log; fail 'the plugin cannot be built'; }
ctest --test-dir build > ../log 2>&1 || { cat ../log; fail 'the test of the plugin fails'; }
[ "$(nm -D --defined-only build/libsepia.so | grep -c ' T ')" = 1 ] || { nm -D --defined-only build/libsepia.so; fail 'more than its entry is visible'; }
weir stages --plugin build/libsepia.so sepia | grep -q 'strength: a number' || fail 'weir stages does not show it'
weir draw pictures --per-class 6 > /dev/null
weir run config.yaml --out first || fail 'the pipeline with the plugin fails'
weir predict first pictures > ../predictions || fail 'predict does not load the plugin'

# A program of one's own.
export PKG_CONFIG_PATH=$scratch/weir/lib/pkgconfig
read -ra compiling <<< "$(pkg-config --cflags weir)"
read -ra linking <<< "$(pkg-config --libs weir)"
find "$scratch/weir/include" -name '*.h' -printf '#include "%p"\n' > every_header.cc
"${CXX:-c++}" "${compiling[@]}" -fsyntax-only every_header.cc || fail 'a header needs another that is not installed'
"${CXX:-c++}" "${compiling[@]}" "$source/embedding.cc" -o embedding "${linking[@]}"
[ "$(./embedding)" = 'the sum of the squares of 1 to 100: 338350' ] || fail 'the embedding example computes something else'
