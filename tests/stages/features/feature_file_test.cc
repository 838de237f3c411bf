#include "stages/features/feature_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kValues = 5;

std::vector<float> Values(int of) { return std::vector<float>(kValues, static_cast<float>(of)); }
FeatureKey Key(int of) { return FeatureKeyOf("sample " + std::to_string(of)); }

class FeatureFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<FeatureFile> Open(std::size_t values = kValues) const {
    return std::make_unique<FeatureFile>(path_, values, "features of a test");
  }
  // Its records by key, with what is read of each; no entry where the checksum is wrong.
  static std::map<FeatureKey, std::vector<float>> Contents(const FeatureFile& file) {
    std::map<FeatureKey, std::vector<float>> all;
    file.ForEach([&](const FeatureKey& key, const FeatureRecord& record) {
      std::vector<float> values(kValues);
      if (file.Read(record, values.data())) all[key] = values;
    });
    return all;
  }
  void Overwrite(std::uint64_t offset, char byte) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset)).put(byte);
  }

  ScratchFolder folder_;
  fs::path path_ = folder_ / "deep/er/a.features";
};

TEST_F(FeatureFileTest, GivesBackWhatWasAddedInThisRunAndInLaterOnes) {
  {
    const auto file = Open();
    EXPECT_EQ(file->Append(Key(1), Values(1).data()).number, 0u);
    EXPECT_EQ(file->Append(Key(2), Values(2).data()).number, 1u);
    EXPECT_EQ(Contents(*file).size(), 2u);
  }
  const auto file = Open();
  EXPECT_EQ(file->Append(Key(3), Values(3).data()).number, 2u);
  const auto contents = Contents(*file);
  ASSERT_EQ(contents.size(), 3u);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(contents.at(Key(i)), Values(i));
}

TEST_F(FeatureFileTest, GivesNothingOfAnotherFileThatWasCopiedOverIt) {
  const auto file = Open();
  const FeatureRecord record = file->Append(Key(1), Values(1).data());
  std::vector<float> values(kValues);
  EXPECT_TRUE(file->Read(record, values.data()));
  const fs::path other = folder_ / "other.features";
  FeatureFile(other, kValues, "features of a test").Append(Key(2), Values(2).data());
  std::ofstream(path_, std::ios::binary) << std::ifstream(other, std::ios::binary).rdbuf();
  EXPECT_FALSE(file->Read(record, values.data())) << "a whole record, of another picture";
}

TEST_F(FeatureFileTest, TakesOffARecordThatWasCutShort) {
  for (const int missing : {1, 20, 43}) {
    fs::remove(path_);
    {
      const auto file = Open();
      for (int i = 0; i < 3; ++i) file->Append(Key(i), Values(i).data());
    }
    fs::resize_file(path_, fs::file_size(path_) - missing);
    const auto file = Open();
    EXPECT_EQ(Contents(*file).size(), 2u);
    file->Append(Key(7), Values(7).data());
    const auto contents = Contents(*file);
    EXPECT_EQ(contents.size(), 3u);
    EXPECT_EQ(contents.at(Key(7)), Values(7));
  }
}

TEST_F(FeatureFileTest, DoesNotGiveWhatWasDamaged) {
  {
    const auto file = Open();
    for (int i = 0; i < 3; ++i) file->Append(Key(i), Values(i).data());
  }
  const std::uint64_t record_bytes = (fs::file_size(path_) - 4096) / 3;
  for (std::uint64_t byte = 0; byte < record_bytes; ++byte) {
    if (byte >= 20 && byte < 24) continue;  // the record's unused bytes
    Overwrite(4096 + record_bytes + byte, 0x5a);
    const auto contents = Contents(*Open());
    EXPECT_FALSE(contents.contains(Key(1)) && contents.at(Key(1)) != Values(1)) << byte;
    EXPECT_EQ(contents.size(), 2u) << byte;
    EXPECT_EQ(contents.at(Key(2)), Values(2));
  }
}

TEST_F(FeatureFileTest, AFileThatWasKilledBeforeItHadAHeadBeginsAnew) {
  fs::create_directories(path_.parent_path());
  std::ofstream(path_, std::ios::binary) << "weir fea";
  const auto file = Open();
  file->Append(Key(1), Values(1).data());
  EXPECT_EQ(Contents(*Open()).size(), 1u);
}

TEST_F(FeatureFileTest, IsSharedByThoseWhoAddAtOnce) {
  const auto one = Open(), two = Open();
  const auto add = [](FeatureFile& file, int from) {
    for (int i = from; i < from + 200; ++i) file.Append(Key(i), Values(i).data());
  };
  std::thread beside([&] { add(*two, 1000); });
  add(*one, 0);
  beside.join();
  const auto contents = Contents(*Open());
  EXPECT_EQ(contents.size(), 400u);
  for (const int i : {0, 199, 1000, 1199}) EXPECT_EQ(contents.at(Key(i)), Values(i));
}

TEST_F(FeatureFileTest, DoesNotAddWhatAnotherAddedMeanwhile) {
  const auto one = Open(), two = Open();
  for (int i = 1; i <= 3; ++i) one->Append(Key(i), Values(i).data());
  std::vector<std::uint32_t> others;
  const auto note = [&](const FeatureKey&, const FeatureRecord& record) {
    others.push_back(record.number);
  };
  EXPECT_EQ(two->Append(Key(2), Values(2).data(), note).number, 1u);
  EXPECT_EQ(others, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(two->Append(Key(4), Values(4).data(), note).number, 3u);
  EXPECT_EQ(two->Append(Key(5), Values(5).data(), note).number, 4u);
  EXPECT_EQ(others.size(), 3u) << "each is shown once, and not to who added it";
  Overwrite(4096 + 4 * 44 + 30, 0x5a);
  EXPECT_EQ(one->Append(Key(5), Values(5).data()).number, 5u) << "that one is damaged";
}

TEST_F(FeatureFileTest, SetsAsideWhatIsDamagedAndBeginsAnew) {
  EXPECT_EQ(Open()->set_aside(), "");
  const auto other_size = Open(6);  // whoever has it open goes on, in the file that was set aside
  const std::string aside = path_.string() + ".damaged";
  EXPECT_EQ(other_size->set_aside(), aside);
  EXPECT_EQ(fs::file_size(aside), 4096u);
  const std::string foreign(5000, 'x');
  std::ofstream(path_, std::ios::binary) << foreign;
  const auto file = Open();
  EXPECT_EQ(file->set_aside(), aside);
  file->Append(Key(1), Values(1).data());
  EXPECT_EQ(Contents(*Open()).size(), 1u);
  EXPECT_EQ(FileText(aside), foreign);
}

TEST_F(FeatureFileTest, RefusesWhatItCannotUse) {
  fs::create_directories(path_);
  EXPECT_THAT(CaughtError([&] { Open(); }), HasSubstr("cannot be opened: Is a directory"));
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0666), 0);
  EXPECT_EQ(CaughtError([&] { Open(); }),
            path_.string() +
                " is not a regular file\n"
                "Remove it, or set features.cache_folder to another folder.");
}

TEST_F(FeatureFileTest, SaysThatTheDiskIsFullAndLeavesWholeRecords) {
  const auto file = Open();
  file->Append(Key(1), Values(1).data());
  const std::uint64_t bytes = fs::file_size(path_);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit less { bytes + 10, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  const std::string error = CaughtError([&] { file->Append(Key(2), Values(2).data()); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(error, HasSubstr("cannot be written: File too large"));
  EXPECT_EQ(fs::file_size(path_), bytes);
  file->Append(Key(2), Values(2).data());
  EXPECT_EQ(Contents(*Open()).size(), 2u);
}

}  // namespace
}  // namespace weir
