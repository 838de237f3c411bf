// A file of kept features: the bytes are the beginning of its head, 24 of them, and its records.
// It is read whole, and one record is added.
#include <filesystem>
#include <fstream>

#include "stages/features/feature_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr std::size_t kValues = 3, kHeadBytes = 4096, kShownHeadBytes = 24;

// A real file: it is set aside where its head is damaged, which a file in memory cannot be.
const std::filesystem::path& Path() {
  static const ScratchFolder folder;
  static const std::filesystem::path path = folder / "a.features";
  return path;
}

void ReadAll(const FeatureFile& file) {
  std::vector<float> values(kValues);
  file.ForEach(
      [&](const FeatureKey&, const FeatureRecord& record) { file.Read(record, values.data()); });
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const int records : {0, 1, 3}) {
    std::filesystem::remove(Path());
    FeatureFile file(Path(), kValues, "");
    for (int i = 0; i < records; ++i) {
      const std::vector<float> values(kValues, static_cast<float>(i));
      file.Append(FeatureKeyOf(std::to_string(i)), values.data());
    }
    const std::string text = FileText(Path());
    seeds.push_back(text.substr(0, kShownHeadBytes) + text.substr(kHeadBytes));
  }
  return seeds;
}

void FuzzRead(std::string_view bytes) {
  {
    std::ofstream file(Path(), std::ios::binary);
    file << bytes.substr(0, kShownHeadBytes);
    if (bytes.size() > kShownHeadBytes) {
      file << std::string(kHeadBytes - kShownHeadBytes, '\0') << bytes.substr(kShownHeadBytes);
    }
  }
  FeatureFile file(Path(), kValues, "");
  ReadAll(file);
  const std::vector<float> values(kValues, 7);
  const FeatureRecord added = file.Append(FeatureKeyOf("added"), values.data());
  std::vector<float> back(kValues);
  if (!file.Read(added, back.data()) || back != values) __builtin_trap();
  ReadAll(file);
}

}  // namespace weir
