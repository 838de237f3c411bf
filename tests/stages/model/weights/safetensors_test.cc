#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "stages/model/weights/safetensors_limits.h"
#include "stages/model/weights/safetensors_reader.h"
#include "stages/model/weights/safetensors_writer.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

class Safetensors : public testing::Test {
 protected:
  std::string Refusal(const std::string& header, const std::string& values = "") {
    return RefusalOf(LittleEndian<std::uint64_t>(header.size()) + header + values);
  }

  std::string RefusalOf(const std::string& bytes) {
    const std::string text =
        CaughtError([&] { WeightsFile::Open(folder_.Write("w.safetensors", bytes)); });
    return text.substr(folder_.path().string().size() + 1);
  }

  std::vector<float> Read(WeightsFile& file, const std::string& name) {
    std::vector<float> values(static_cast<std::size_t>(file.Find(name)->values()));
    file.Read(*file.Find(name), values);
    return values;
  }

  ScratchFolder folder_;
};

const std::string kCopyAgain = "\nthe file is damaged or cut short: copy or download it again";

std::string SmallFile(const ScratchFolder& folder) {
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6}, bias = {7, 8};
  WriteSafetensors(
      folder / "small",
      {TensorToWrite::Of("weight", {2, 3}, weight), TensorToWrite::Of("bias", {2}, bias)},
      {{"who", "weir"}});
  return FileText(folder / "small");
}

TEST_F(Safetensors, WhatIsWrittenIsRead) {
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> steps = {-3};
  WriteSafetensors(folder_ / "w.safetensors",
                   {TensorToWrite::Of("weight", {2, 3}, weight),
                    {"steps", {}, std::as_bytes(std::span(steps)), ElementType::kI64},
                    TensorToWrite::Of("empty", {0, 4}, {})},
                   {{"weir.convention", "keras"}});
  const auto file = WeightsFile::Open(folder_ / "w.safetensors");
  EXPECT_EQ(&file->format(), &kSafetensorsFormat);
  ASSERT_EQ(file->tensors().size(), 3u);
  EXPECT_EQ(Read(*file, "weight"), weight);
  EXPECT_EQ(Read(*file, "steps"), (std::vector<float>{-3}));
  EXPECT_EQ(file->Find("empty")->shape, (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(file->metadata().at("weir.convention"), "keras");
}

TEST_F(Safetensors, TheBytesDependOnTheContentsAlone) {
  const std::vector<float> a = {1}, b = {2};
  WriteSafetensors(folder_ / "1", {TensorToWrite::Of("a", {1}, a), TensorToWrite::Of("b", {1}, b)});
  WriteSafetensors(folder_ / "2", {TensorToWrite::Of("b", {1}, b), TensorToWrite::Of("a", {1}, a)});
  EXPECT_EQ(FileText(folder_ / "1"), FileText(folder_ / "2"));
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}     )";
  EXPECT_EQ(FileText(folder_ / "1"), LittleEndian<std::uint64_t>(header.size()) + header +
                                         LittleEndian(1.0f) + LittleEndian(2.0f));
}

TEST_F(Safetensors, AFullDiskLeavesTheOldFileAndNothingElse) {
  folder_.Write("w.safetensors", "what was there");
  const std::vector<float> large(1 << 20);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // the write fails instead
  const rlimit small{.rlim_cur = 1 << 16, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string text = CaughtError([&] {
    WriteSafetensors(folder_ / "w.safetensors", {TensorToWrite::Of("w", {1 << 20}, large)});
  });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);

  const std::string path = (folder_ / "w.safetensors").string();
  EXPECT_EQ(text, path +
                      ": cannot be written: File too large\n"
                      "A file may not become that large here: raise the limit (`ulimit -f`), or "
                      "write to another place.");
  EXPECT_EQ(FileText(path), "what was there");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(Safetensors, AFolderThatIsNotThereIsNamed) {
  const std::string path = (folder_ / "no/w.safetensors").string();
  EXPECT_EQ(
      CaughtError([&] { WriteSafetensors(path, {}); }),
      path + ": cannot be made: the folder " + (folder_ / "no").string() +
          " is not there\nMake that folder, and leave it in its place while weir runs, or write to "
          "another place.");
}

TEST_F(Safetensors, DoNotTakeThePlaceOfADeviceOrAFolder) {
  EXPECT_EQ(CaughtError([&] { WriteSafetensors("/dev/null", {}); }),
            "/dev/null is there and is no file that can be replaced\nGive another path.");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(CaughtError([&] { WriteSafetensors(folder_.path(), {}); }),
            folder_.path().string() +
                " is there and is no file that can be replaced\nGive another path.");
}

TEST_F(Safetensors, GrowByAsManyRowsAsCome) {
  for (const int batches : {0, 1, 1000}) {
    std::vector<std::int32_t> labels;
    GrowingSafetensors growing(folder_ / "g.safetensors", "features", {2, 3}, {{"who", "weir"}});
    for (int i = 0; i < batches; ++i) {
      const std::vector<float> rows(12, static_cast<float>(i));
      growing.AddRows(rows);
      labels.insert(labels.end(), {i, -1});
    }
    growing.Commit("labels", labels);
    const auto file = WeightsFile::Open(folder_ / "g.safetensors");
    EXPECT_EQ(file->metadata().at("who"), "weir");
    EXPECT_EQ(file->Find("features")->shape, (std::vector<std::int64_t>{2 * batches, 2, 3}));
    const std::vector<float> features = Read(*file, "features"), read = Read(*file, "labels");
    ASSERT_EQ(read.size(), labels.size());
    for (int i = 0; i < batches; ++i) {
      EXPECT_EQ(features[12 * i + 11], static_cast<float>(i));
      EXPECT_EQ(read[2 * i], static_cast<float>(i));
      EXPECT_EQ(read[2 * i + 1], -1);
    }
  }
}

TEST_F(Safetensors, RefusesWhatTheFormatForbids) {
  const auto tensor = [](const std::string& rest) { return "{\"w\":{" + rest + "}}"; };
  EXPECT_EQ(RefusalOf(LittleEndian<std::uint64_t>(100) + "{}"),
            "w.safetensors: its header reaches past the end of the file" + kCopyAgain);
  EXPECT_EQ(RefusalOf(LittleEndian<std::uint64_t>(~std::uint64_t{0}) + "{}"),
            "w.safetensors: its header is longer than 16.0 MiB" + kCopyAgain);
  EXPECT_EQ(Refusal("{\"w\":"), "w.safetensors: its header is not whole JSON" + kCopyAgain);
  EXPECT_EQ(Refusal("{\"w\":{\"a\":{\"b\":{\"c\":{}}}}}"),
            "w.safetensors: its header is nested more than 3 levels deep" + kCopyAgain);
  EXPECT_EQ(
      Refusal(tensor(R"("dtype":"F32","shape":[1])")),
      "w.safetensors: tensor 'w' is not described by dtype, shape and data_offsets" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":8,"shape":[1],"data_offsets":[0,1])"), "a"),
            "w.safetensors: tensor 'w' has no type" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "abc"),
            "w.safetensors: tensor 'w' lies outside the file" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), "abcd"),
            "w.safetensors: tensor 'w' does not have as many bytes as its shape says" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"U8","shape":[4611686018427387905,4],"data_offsets":[0,4])"),
                    "abcd"),
            "w.safetensors: tensor 'w' does not have as many bytes as its shape says" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])"), "a"),
            "w.safetensors: tensor 'w' has no shape" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])"), "ab"),
            "w.safetensors: it has bytes that belong to no tensor" + kCopyAgain);
  EXPECT_EQ(Refusal(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                    "abc"),
            "w.safetensors: its tensors overlap or leave gaps" + kCopyAgain);
  EXPECT_EQ(Refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                    "a"),
            "w.safetensors: tensor 'a' is there twice\nsave the weights again");
  EXPECT_EQ(Refusal("[]"),
            "w.safetensors: is none of the weight files that are read\n"
            "give a PyTorch .pth, a .safetensors, or a Keras .keras, .h5 or .weights.h5");
  EXPECT_EQ(
      Refusal(tensor(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])"), "abcd"),
      "w.safetensors: tensor 'w' is not described by dtype, shape and data_offsets" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), "abcd"),
            "w.safetensors: tensor 'w' has no place in the file" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":"F32","shape":"1","data_offsets":[0,4])"), "abcd"),
            "w.safetensors: tensor 'w' has no shape" + kCopyAgain);
  EXPECT_EQ(Refusal(tensor(R"("dtype":1,"shape":[1],"data_offsets":[0,4])"), "abcd"),
            "w.safetensors: tensor 'w' has no type" + kCopyAgain);
  EXPECT_EQ(
      Refusal("{\"w\":7}"),
      "w.safetensors: tensor 'w' is not described by dtype, shape and data_offsets" + kCopyAgain);
  EXPECT_EQ(Refusal(R"({"__metadata__":[]})"),
            "w.safetensors: its __metadata__ is not an object" + kCopyAgain);
  EXPECT_EQ(Refusal(R"({"__metadata__":{"a":1}})"),
            "w.safetensors: its __metadata__ holds something other than text" + kCopyAgain);
}

// The most that a header may have of each: written, it is read; one more, and nothing is written.
TEST_F(Safetensors, WhatIsWrittenCanBeReadAgainUpToTheLimits) {
  const std::string path = (folder_ / "w").string();
  const auto write = [&](std::size_t tensors, std::size_t dimensions, std::size_t keys,
                         std::size_t text_bytes) {
    std::vector<TensorToWrite> all;
    for (std::size_t i = 0; i < tensors; ++i) {
      all.push_back(TensorToWrite::Of("t" + std::to_string(i),
                                      std::vector<std::int64_t>(i == 0 ? dimensions : 1, 0), {}));
    }
    std::map<std::string, std::string> metadata;
    for (std::size_t i = 0; i < keys; ++i) metadata[std::to_string(i)];
    if (text_bytes > 0) metadata["long"] = std::string(text_bytes, '"');
    return CaughtError([&] { WriteSafetensors(path, all, metadata); });
  };
  // The header has 8 more tensors' worth of marks around: {"__metadata__":{"long":""},...}.
  const std::size_t longest = (kMostOwnHeaderBytes - 104) / 2;
  struct Case {
    std::size_t tensors, dimensions, keys, text_bytes;
  };
  for (const Case& each : {Case{kMostOwnTensors, 1, 0, 0}, Case{1, 8, 0, 0},
                           Case{1, 1, kMostSafetensorsMetadata, 0}, Case{1, 1, 0, longest}}) {
    EXPECT_EQ(write(each.tensors, each.dimensions, each.keys, each.text_bytes),
              "nothing was thrown");
    const auto file = WeightsFile::Open(path);
    EXPECT_EQ(file->tensors().size(), each.tensors);
    EXPECT_EQ(file->Find("t0")->shape.size(), each.dimensions);
    EXPECT_EQ(file->metadata().size(), each.keys + (each.text_bytes > 0));
    std::filesystem::remove(path);
  }
  EXPECT_EQ(write(kMostOwnTensors + 1, 1, 0, 0),
            path +
                ": would have 16385 tensors, which could not be read again\n"
                "The most is 16384: write less into one file.");
  EXPECT_EQ(write(1, 9, 0, 0),
            path +
                ": would have 9 dimensions in 't0', which could not be read again\n"
                "The most is 8: write less into one file.");
  EXPECT_EQ(write(1, 1, kMostSafetensorsMetadata + 1, 0),
            path +
                ": would have 4097 keys of metadata, which could not be read again\n"
                "The most is 4096: write less into one file.");
  EXPECT_EQ(write(1, 1, 0, longest + 16),
            path +
                ": would have a header of 3145744 bytes, which could not be read again\n"
                "The most is 3145728: write less into one file.");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Safetensors, NamesThatAreNotUtf8AreWrittenAsTextThatIs) {
  WriteSafetensors(folder_ / "w", {TensorToWrite::Of("caf\xe9", {0}, {})}, {{"k", "M\xfcller"}});
  const auto file = WeightsFile::Open(folder_ / "w");
  EXPECT_EQ(file->tensors().at(0).name, "caf\xef\xbf\xbd");
  EXPECT_EQ(file->metadata().at("k"), "M\xef\xbf\xbdller");
}

TEST_F(Safetensors, OnlyATensorThatIsAskedForMustBeOfATypeThatIsRead) {
  const std::string header = R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})";
  const std::string path =
      folder_.Write("w", LittleEndian<std::uint64_t>(header.size()) + header + "abc").string();
  const auto file = WeightsFile::Open(path);
  EXPECT_EQ(Read(*file, "b"), (std::vector<float>{'c'}));
  EXPECT_EQ(CaughtError([&] { Read(*file, "a"); }),
            path +
                ": tensor 'a' is of type F8_E4M3, which is not read\ncopy or download the file "
                "again, or save its tensors again, whole and in float32");
}

TEST_F(Safetensors, OtherFilesAreToldByTheirContent) {
  const std::string path = folder_.Write("weights.pth", "\x01 I am no weights").string();
  EXPECT_EQ(CaughtError([&] { WeightsFile::Open(path); }),
            path +
                ": is none of the weight files that are read\n"
                "give a PyTorch .pth, a .safetensors, or a Keras .keras, .h5 or .weights.h5");
  EXPECT_EQ(CaughtError([&] { WeightsFile::Open(folder_.Write("e")); }),
            (folder_ / "e").string() +
                ": is empty\n"
                "give a PyTorch .pth, a .safetensors, or a Keras .keras, .h5 or .weights.h5");
  EXPECT_EQ(CaughtError([&] { WeightsFile::Open(folder_.path()); }),
            folder_.path().string() +
                ": cannot be read: it is a folder\n"
                "check the path and the file's permissions");
}

TEST_F(Safetensors, WhateverTheBytesAreTheOutcomeIsTensorsOrAnError) {
  const std::string bytes = SmallFile(folder_);
  const HostileOutcome outcome = ReadAllOf(DamagedCopies(bytes, 5000));
  EXPECT_EQ(outcome.read + outcome.refused, 5000);
  EXPECT_GT(outcome.refused, 1000);
  EXPECT_LT(outcome.grown_bytes, std::size_t{64} << 20);
  EXPECT_EQ(ReadAllOf(AllTruncations(bytes)).read, 0);
}

TEST_F(Safetensors, ReadsAndRewritesWhatItsOwnLibraryWrote) {
  const auto path = SharedData("weights/mobilenet_v2_imagenet.safetensors");
  if (!path) GTEST_SKIP() << kNoSharedData;
  const auto file = WeightsFile::Open(*path);
  EXPECT_EQ(file->metadata().at("input"), "x/127.5-1");
  const std::vector<float> values = Read(*file, "classifier.1.weight");
  WriteSafetensors(folder_ / "copy", {TensorToWrite::Of("w", {1000, 1280}, values)});
  EXPECT_EQ(Read(*WeightsFile::Open(folder_ / "copy"), "w"), values);
}

}  // namespace
}  // namespace weir
