#!/usr/bin/env bash
# install_test.sh BUILD: installs that build into an empty prefix and does there what a stranger would: writes a plugin,
# builds it, tests it, runs it in a pipeline; and builds programs of one's own on the framework and on libweir. The tools
# are those that CMAKE_GENERATOR, CC and CXX name.
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

# What learns finds LibTorch where that was installed.
grep -qF "libtorch_cpu.so => $scratch/weir/lib/weir/" <<< "$(ldd "$scratch/weir/lib/libweir_torch.so")" ||
  fail 'what learns does not find LibTorch'

# Nothing of the device side is looked for where it was built, and LibTorch's half is found.
if [ -e "$build/libweir_cuda.so" ]; then
  looks_in=$(objdump -p "$scratch/weir/lib/libweir_cuda.so" | sed -n 's/^ *RUNPATH *//p')
  # shellcheck disable=SC2016  # as it stands there
  [ "$looks_in" = '$ORIGIN/weir' ] ||
    fail 'the device side looks for its libraries elsewhere'
  grep -qF "libtorch_cuda.so => $scratch/weir/lib/weir/" <<< "$(ldd "$scratch/weir/lib/libweir_cuda.so")" ||
    fail 'the device side does not find LibTorch'
fi

cd "$scratch"
weir new-plugin sepia
cd sepia
cmake -B build -D CMAKE_PREFIX_PATH="$scratch/weir" > ../log 2>&1 || { cat ../log; fail 'the plugin cannot be configured'; }
cmake --build build > ../log 2>&1 || { cat ../log; fail 'the plugin cannot be built'; }
ctest --test-dir build > ../log 2>&1 || { cat ../log; fail 'the test of the plugin fails'; }
[ "$(nm -D --defined-only build/libsepia.so | grep -c ' T ')" = 1 ] || { nm -D --defined-only build/libsepia.so; fail 'more than its entry is visible'; }
grep -q 'strength: a number' <<< "$(weir stages --plugin build/libsepia.so sepia)" || fail 'weir stages does not show it'
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

# A saved model in a program of one's own, in C and in C++, by pkg-config and by CMake.
mkdir "$scratch/runtime"
cd "$scratch/runtime"
cp "$scratch/weir/share/weir/examples/classify.c" .
read -ra compiling <<< "$(pkg-config --cflags weir-runtime)"
read -ra linking <<< "$(pkg-config --libs weir-runtime)"
# What a linker checks of libraries that others are linked to is theirs to find.
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror "${compiling[@]}" classify.c -o classify "${linking[@]}" \
  -Wl,-rpath,"$scratch/weir/lib" -Wl,--allow-shlib-undefined || fail 'the example in C cannot be built'
weir draw plain --per-class 6 > /dev/null
weir run "$scratch/weir/share/weir/configs/demo.yaml" --out trained --set pipeline.directory.path=plain \
  --set model.backbone.weights=none --set training.epochs=1 > /dev/null || fail 'the demo does not run'
mapfile -t pictures < <(find plain -mindepth 2 -type f | sort)
./classify trained/model "${pictures[@]}" | sed 's/ [^ ]*$//' > by_library || fail 'the example in C fails'
weir predict trained "${pictures[@]}" | sed -E 's/: +([^ ]+) .*/: \1/' > by_weir
cmp by_library by_weir || fail 'libweir answers otherwise than weir predict'
if ldd "$scratch/weir/lib/libweir.so" | awk '{print $1}' | grep -E '^lib(torch|c10)'; then fail 'libweir is linked to LibTorch'; fi
cat > CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.22)
project(classify LANGUAGES CXX)
find_package(weir REQUIRED COMPONENTS runtime)
add_executable(classify classify.cc)
target_compile_features(classify PRIVATE cxx_std_17)
target_link_libraries(classify PRIVATE weir::runtime)
target_link_options(classify PRIVATE -Wl,--allow-shlib-undefined)
END
cat > classify.cc <<'END'
#include <cstdio>
#include <weir.hpp>

int main(int, char** arguments) try {
  const libweir::Model model(arguments[1], 64 << 20);
  const libweir::Workspace workspace(model);
  std::puts(model.Top(workspace.Classify(arguments[2]), 1).at(0).name);
} catch (const libweir::Error& error) {
  std::printf("%d %s\n", error.status(), error.what());
}
END
cmake -B build -D CMAKE_PREFIX_PATH="$scratch/weir" > ../log 2>&1 || { cat ../log; fail 'find_package(weir COMPONENTS runtime) fails'; }
cmake --build build > ../log 2>&1 || { cat ../log; fail 'the example in C++ cannot be built'; }
[ "$(build/classify trained/model "${pictures[0]}")" = "$(sed -n '1s/.*: //p' by_weir)" ] || fail 'weir.hpp answers otherwise'
grep -q '^2 ' <<< "$(build/classify nowhere x)" || fail 'weir.hpp throws something else'
