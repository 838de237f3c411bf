#!/usr/bin/env bash
# package_test.sh BUILD: packs that build as a .deb and a .tar.gz, unpacks both elsewhere, and has what is in them work.
# Skipped where there is no Debian to pack for.
set -euo pipefail
build=$1
for tool in cpack dpkg-deb dpkg-shlibdeps file; do
  command -v "$tool" > /dev/null || { echo "skipped: there is no $tool"; exit 77; }
done
scratch=$(mktemp -d -p "$build")  # a gigabyte, for a minute
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "package_test.sh: $1" >&2
  exit 1
}

cpack --config "$build/CPackConfig.cmake" -G 'DEB;TGZ' -B "$scratch" > "$scratch/log" 2>&1 ||
  { cat "$scratch/log"; fail 'cannot be packed'; }
mkdir "$scratch/deb" "$scratch/tar"
dpkg-deb -x "$scratch"/weir_*.deb "$scratch/deb"
tar -xzf "$scratch"/weir-*.tar.gz -C "$scratch/tar" --strip-components=1
diff -r "$scratch/deb/usr" "$scratch/tar" || fail 'the two packages hold different things'

# Whatever the program and its own libraries are linked to is in the package, or is asked for.
asked_for=$(dpkg-deb -f "$scratch"/weir_*.deb Depends | sed 's/ ([^)]*)//g; s/, /\n/g')  # a name a line
own=$scratch/deb/usr/lib/weir
linked=("$scratch/deb/usr/bin/weir" "$scratch/deb/usr/lib"/*.so* "$own"/*.so*)
for library in $(objdump -p "${linked[@]}" | sed -n 's/^ *NEEDED *//p' | sort -u); do
  [ ! -e "$own/$library" ] || continue
  is_asked_for=
  for package in $(dpkg -S "*/$library" | sed 's/:.*//'); do
    if grep -qxF "$package" <<< "$asked_for"; then is_asked_for=1; fi
  done
  [ -n "$is_asked_for" ] || fail "$library is in no package that is asked for: ${asked_for//$'\n'/, }"
done

cd "$scratch"
for place in deb/usr tar; do
  "$place/bin/weir" --version > /dev/null || fail "weir of $place does not start"
  "$place/bin/weir" draw "$place/pictures" --per-class 6 > /dev/null
  "$place/bin/weir" run "$place/share/weir/configs/features.yaml" --out "$place/run" \
    --set pipeline.directory.path="$place/pictures" --set pipeline.safetensors.path="$place/f.safetensors" > /dev/null ||
    fail "weir of $place does not run"
  "$place/bin/weir" run "$place/share/weir/configs/demo.yaml" --out "$place/trained" \
    --set pipeline.directory.path="$place/pictures" --set model.backbone.weights=none --set training.epochs=1 \
    > /dev/null || fail "weir of $place does not train"
done
cmp deb/usr/f.safetensors tar/f.safetensors
