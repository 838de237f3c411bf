// What libarchive takes at most while it reads the headers of a shard: everything that may stand
// before a file, each as large as it is let through, under a malloc that counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "framework/error.h"
#include "stages/sources/shards/tar_reader.h"
#include "tests/stages/sources/shards/tar_member.h"
#include "tests/support/counting_malloc.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kMostBytes = 24 * kMiB;    // tar_reader.h
constexpr std::size_t kMostRecordsBytes = kMiB;  // libarchive takes so many of pax records

// "LENGTH key=value\n", where the length counts itself.
std::string PaxRecord(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::string length = std::to_string(rest.size());
  while (std::to_string(rest.size() + length.size()) != length) {
    length = std::to_string(rest.size() + length.size());
  }
  return length + rest;
}

// As many of them as fit, # for 0, 1, 2, ...
std::string PaxRecords(const std::string& key, const std::string& value) {
  std::string all;
  for (int i = 0;; ++i) {
    std::string numbered = key;
    const std::size_t at = numbered.find('#');
    if (at != numbered.npos) numbered.replace(at, 1, std::to_string(i));
    const std::string next = PaxRecord(numbered, value);
    if (all.size() + next.size() > kMostRecordsBytes) return all;
    all += next;
  }
}

// `each` again and again, as long as records may be.
std::string Repeated(const std::string& each) {
  std::string all;
  while (all.size() + each.size() < kMostRecordsBytes - 100) all += each;
  return all;
}

// A file of GNU's old kind of sparse files: `blocks` of 21 pieces each behind its header.
std::string OldSparse(int blocks) {
  std::string pieces, piece = "00000000000";
  for (int i = 0; i < 21; ++i)
    pieces += piece + std::string(1, '\0') + piece + std::string(1, '\0');
  std::string file = TarMember("1.jpg", 'S', "");
  file.replace(257, 8, "ustar  ").replace(386, 96, pieces.substr(0, 96));
  file[482] = 1;  // more of the map follows
  unsigned sum = 8 * ' ';
  for (int i = 0; i < 512; ++i)
    sum += i < 148 || i >= 156 ? static_cast<unsigned char>(file[i]) : 0;
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  file.replace(148, 7, std::string(checksum, 7));
  for (int i = 0; i < blocks; ++i) {
    std::string block = pieces;
    block.resize(512);
    block[504] = i + 1 < blocks;
    file += block;
  }
  return file;
}

struct Shard {
  const char* name;
  std::string headers;  // before "1.jpg", or with it
};

void PrintTo(const Shard& shard, std::ostream* out) { *out << shard.name; }

std::vector<Shard> Shards() {
  const auto pax = [](const std::string& records) { return TarMember("x", 'x', records); };
  const auto member = [](char type, const std::string& text) {
    return TarMember("././@LongLink", type, text);
  };
  const std::string name(kMiB - 1, 'n');
  const std::string version = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n";
  std::string map = "80000\n";
  for (int i = 0; i < 80'000; ++i) map += "0\n0\n";
  map.resize((map.size() + 511) / 512 * 512);
  return {
      {"gnu_long_name", member('L', name)},
      {"gnu_long_link", member('K', name)},
      {"gnu_long_name_and_link", member('K', name) + member('L', name)},
      {"gnu_longer_name", member('L', std::string(8 * kMiB, 'n'))},
      {"pax_path", pax(PaxRecord("path", std::string(kMiB - 100, 'n')))},
      {"pax_longer_path", pax(PaxRecord("path", std::string(8 * kMiB, 'n')))},
      {"pax_link", pax(PaxRecord("linkpath", std::string(kMiB - 100, 'n')))},
      {"pax_owner", pax(PaxRecord("uname", std::string(kMiB - 100, 'n')))},
      {"pax_path_not_utf8", pax(PaxRecord("path", std::string(kMiB - 100, '\xff')))},
      {"pax_path_of_long_letters", pax(PaxRecord("path", Repeated("\xf0\x9f\x90\x9c")))},
      {"pax_attributes", pax(PaxRecords("SCHILY.xattr.#", ""))},
      {"pax_attributes_encoded", pax(PaxRecords("LIBARCHIVE.xattr.#", "QQ"))},
      {"pax_attributes_of_one_name", pax(PaxRecords("SCHILY.xattr.a", "b"))},
      {"pax_long_attribute", pax(PaxRecord("SCHILY.xattr.a", std::string(kMiB - 100, 'x')))},
      {"pax_access", pax(PaxRecord("SCHILY.acl.access", Repeated("u::r,")))},
      {"pax_access_of_users", pax(PaxRecord("SCHILY.acl.access", Repeated("u:a:rwx,")))},
      {"pax_access_by_default", pax(PaxRecord("SCHILY.acl.default", Repeated("u:a:r,")))},
      {"pax_access_of_nfs", pax(PaxRecord("SCHILY.acl.ace", Repeated("user:a:r::allow,")))},
      {"pax_flags", pax(PaxRecord("SCHILY.fflags", Repeated("nodump,")))},
      {"pax_sparse_pairs",
       pax(PaxRecords("GNU.sparse.offset", "0") + "29 GNU.sparse.numblocks=9\n")},
      {"pax_sparse_map", pax(PaxRecord("GNU.sparse.map", Repeated("0,0,")))},
      {"pax_sparse_file", pax(version) + TarMember("1.jpg", '0', map)},
      {"pax_unknown", pax(PaxRecords("#", ""))},
      {"pax_for_all", TarMember("g", 'g', PaxRecords("SCHILY.xattr.#", ""))},
      {"pax_again_and_again", pax(Repeated(PaxRecord("path", "n"))) + pax(PaxRecord("path", name))},
      {"gnu_old_sparse", OldSparse(4'000)},
      {"gnu_longer_old_sparse", OldSparse(20'000)},
  };
}

class TarCosts : public testing::TestWithParam<Shard> {};

TEST_P(TarCosts, AreWithinTheirBound) {
  if (!kCountsAllocations) GTEST_SKIP() << "a sanitizer has its own malloc";
  const ScratchFolder folder;
  const std::string path =
      folder
          .Write("t.tar", GetParam().headers + TarMember("1.jpg", '0', "a picture") +
                              TarMember("2.jpg", '0', "a picture") + std::string(1024, '\0'))
          .string();
  std::string outcome = "read";
  const AllocatedBytes before;
  try {
    TarReader tar(path);
    while (tar.Next()) {
    }
  } catch (const Error& error) {
    outcome = error.what();
  }
  const std::size_t grown = before.peak_growth();
  EXPECT_LE(grown, kMostBytes) << outcome;
  std::printf("%-28s %8zu bytes of headers, %9zu held: %.120s\n", GetParam().name,
              GetParam().headers.size(), grown, outcome.c_str());
}

INSTANTIATE_TEST_SUITE_P(Headers, TarCosts, testing::ValuesIn(Shards()),
                         [](const testing::TestParamInfo<Shard>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace weir
