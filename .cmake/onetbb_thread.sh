#!/usr/bin/env bash
# Builds oneTBB VERSION, such as 2021.8.0, with ThreadSanitizer, by the compiler in CC and CXX, and installs it into
# FOLDER. The source is the one that Debian or Ubuntu has of it, without their patches; apt's own settings and lists stay
# as they are. Takes 60 MB of /tmp.
#   .cmake/onetbb_thread.sh VERSION FOLDER JOBS
set -euo pipefail
mkdir -p "$2"
version=$1 folder=$(cd "$2" && pwd) jobs=$3
work=$(mktemp -d)  # not in FOLDER: oneTBB is not built where a folder has a space in its name
trap 'rm -rf "$work"' EXIT
cd "$work"
options=(-q -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/dev/null
  -o "Dir::Etc::SourceParts=$work/archives" -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")

write_archives() {  # those that apt knows, as archives of sources
  local list='' parts='' file
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  for file in "$list" "${parts%/}"/*.list "${parts%/}"/*.sources; do
    [ ! -f "$file" ] ||
      sed -E 's/^deb([[:space:]])/deb-src\1/; s/^Types:.*/Types: deb-src/I' "$file" > "archives/${file##*/}"
  done
}

fetch() {  # apt-get verifies it
  local package
  mkdir archives lists cache
  write_archives
  apt-get "${options[@]}" update || true  # an archive without sources need not be the one that has it
  package=$(apt-cache "${options[@]}" showsrc --only-source onetbb | sed -n "s/^Version: \($version-.*\)/\1/p" |
    sort -V | tail -n 1)
  [ -n "$package" ] || { echo "no archive has the source of oneTBB $version" && return 1; }
  apt-get "${options[@]}" source --download-only --tar-only --only-source "onetbb=$package"
}

if ! fetch; then
  printf 'oneTBB %s: its source could not be fetched (above: why), so nothing runs under ThreadSanitizer.\n' "$version"
  printf 'If it is the network, run this again.\n'
  exit 1
fi >&2
cmake -E tar xf onetbb_*.orig.tar.*
# Its warnings are not for us.
cmake -S oneTBB-* -B build -G Ninja -D CMAKE_BUILD_TYPE=RelWithDebInfo -D CMAKE_INSTALL_LIBDIR=lib \
  -D TBB_SANITIZE=thread -D TBB_STRICT=OFF -D TBB_TEST=OFF -D TBBMALLOC_BUILD=OFF -D TBB_ENABLE_IPO=OFF \
  -D TBB_DISABLE_HWLOC_AUTOMATIC_SEARCH=ON
cmake --build build -j "$jobs"
cmake --install build --prefix "$folder"
