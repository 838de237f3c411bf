#include "stages/model/weights/pth_reader.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "tests/stages/model/weights/pth_fixture.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

using PthReader = PthFixture;

const std::string kCopyAgain =
    "\ncopy or download the file again, or save it again by torch.save(model.state_dict(), path)";

std::string SmallFile(const ZipWriting& how = {}) {
  const std::string value = pickle::Dict(
      {{"a.weight", pickle::Tensor(pickle::Storage("FloatStorage", "0", 6), 0, {2, 3}, {3, 1})},
       {"a.bias", pickle::Tensor(pickle::Storage("LongStorage", "1", 2), 0, {2}, {1})}});
  return PthBytes(
      value, {{"0", Values<float>({1, 2, 3, 4, 5, 6})}, {"1", Values<std::int64_t>({-7, 8})}}, how);
}

// torch.save's old format of one vector of floats, and of an optimizer's one beside it.
std::string LegacyFile() {
  const std::string machine = "}(" + pickle::Text("little_endian") + "\x88" + "u";
  const std::string weights = pickle::Dict(
      {{"w", pickle::Tensor(pickle::Storage("FloatStorage", "77", 3, "N"), 0, {3}, {1})}});
  const std::string step =
      pickle::Tensor(pickle::Storage("DoubleStorage", "12", 1, "N"), 0, {}, {});
  return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
         pickle::Whole(pickle::Integer(1001)) + pickle::Whole(machine) +
         pickle::Whole(pickle::Dict({{"optimizer", "](" + step + "e"}, {"model", weights}})) +
         pickle::Whole("](" + pickle::Text("12") + pickle::Text("77") + "e") +
         LittleEndian<std::uint64_t>(1) + Values<double>({9}) + LittleEndian<std::uint64_t>(3) +
         Values<float>({1, -2, 3});
}

TEST_F(PthReader, ReadsEveryNumberTypeThatPyTorchSaves) {
  const auto read = [&](const std::string& type, int count, const std::string& values) {
    return Read(PthBytes(pickle::Dict({{"w", Vector(type, count)}}), {{"0", values}}), "w");
  };
  const std::vector<float> expected = {1, -2};
  EXPECT_EQ(read("FloatStorage", 2, Values<float>({1, -2})), expected);
  EXPECT_EQ(read("DoubleStorage", 2, Values<double>({1, -2})), expected);
  EXPECT_EQ(read("HalfStorage", 2, Values<std::uint16_t>({0x3C00, 0xC000})), expected);
  EXPECT_EQ(read("BFloat16Storage", 2, Values<std::uint16_t>({0x3F80, 0xC000})), expected);
  EXPECT_EQ(read("LongStorage", 2, Values<std::int64_t>({1, -2})), expected);
  EXPECT_EQ(read("IntStorage", 2, Values<std::int32_t>({1, -2})), expected);
  EXPECT_EQ(read("ShortStorage", 2, Values<std::int16_t>({1, -2})), expected);
  EXPECT_EQ(read("CharStorage", 2, Values<std::int8_t>({1, -2})), expected);
  EXPECT_EQ(read("ByteStorage", 2, Values<std::uint8_t>({1, 254})), (std::vector<float>{1, 254}));
  EXPECT_EQ(read("BoolStorage", 2, Values<std::uint8_t>({1, 0})), (std::vector<float>{1, 0}));
}

TEST_F(PthReader, HalfFloatsKeepSubnormalsAndInfinities) {
  const std::string bytes =
      PthBytes(pickle::Dict({{"w", Vector("HalfStorage", 4)}}),
               {{"0", Values<std::uint16_t>({0x0001, 0x8000, 0x7C00, 0x7BFF})}});
  const std::vector<float> values = Read(bytes, "w");
  EXPECT_EQ(values[0], 0x1p-24f);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(values[1]), 0x80000000u);
  EXPECT_EQ(values[2], std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[3], 65504.0f);
}

TEST_F(PthReader, NamesAreSortedAndShapesKept) {
  const auto file = WeightsFile::Open(folder_.Write("weights.pth", SmallFile()));
  ASSERT_EQ(file->tensors().size(), 2u);
  EXPECT_EQ(file->tensors()[0].name, "a.bias");
  EXPECT_EQ(file->tensors()[1].shape, (std::vector<std::int64_t>{2, 3}));
}

TEST_F(PthReader, LongFilesKeepTheirSizesInZip64) {
  EXPECT_EQ(Read(SmallFile({.zip64 = true}), "a.bias"), (std::vector<float>{-7, 8}));
}

TEST_F(PthReader, TransposedAndSlicedTensorsAreReadInTheirOrder) {
  const std::string storage = pickle::Storage("FloatStorage", "0", 6);
  const std::string bytes =
      PthBytes(pickle::Dict({{"transposed", pickle::Tensor(storage, 0, {3, 2}, {1, 3})},
                             {"sliced", pickle::Tensor(storage, 1, {2, 2}, {3, 1})},
                             {"scalar", pickle::Tensor(storage, 5, {}, {})}}),
               {{"0", Values<float>({1, 2, 3, 4, 5, 6})}});
  EXPECT_EQ(Read(bytes, "transposed"), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Read(bytes, "sliced"), (std::vector<float>{2, 3, 5, 6}));
  EXPECT_EQ(Read(bytes, "scalar"), (std::vector<float>{6}));
}

TEST_F(PthReader, TensorsAreNamedByTheKeysThatLeadToThem) {
  const std::string parameter = pickle::Global("torch._utils", "_rebuild_parameter") +
                                pickle::Tuple({Vector("FloatStorage", 2), "\x88", "N"}) + "R";
  const std::string weights = pickle::Dict({{"w", parameter}, {"steps", pickle::Integer(3)}});
  const std::string state = "}" + pickle::Integer(0) + pickle::Dict({{"average", parameter}}) + "s";
  const std::string bytes =
      PthBytes(pickle::Dict({{"best_acc1", Vector("FloatStorage", 1)},
                             {"epoch", pickle::Integer(3)},
                             {"any name", weights},
                             {"optimizers", "](" + pickle::Dict({{"state", state}}) + "e"}}),
               {{"0", Values<float>({1, 2})}});
  EXPECT_EQ(Names(bytes),
            (std::vector<std::string>{"any name.w", "best_acc1", "optimizers.0.state.0.average"}));
  EXPECT_EQ(Read(bytes, "any name.w"), (std::vector<float>{1, 2}));
}

TEST_F(PthReader, ADictionaryThatHoldsItselfIsLookedIntoOnce) {
  const std::string remember = "q" + std::string(1, '\0'), recall = "h" + std::string(1, '\0');
  const std::string value = "}" + remember + "(" + pickle::Text("self") + recall +
                            pickle::Text("w") + Vector("FloatStorage", 1) + "u";
  EXPECT_EQ(Names(PthBytes(value, {{"0", Values<float>({1})}})), std::vector<std::string>{"w"});
}

TEST_F(PthReader, ReadsTheFormatFromBeforePyTorch16) {
  EXPECT_EQ(Read(LegacyFile(), "model.w"), (std::vector<float>{1, -2, 3}));
  EXPECT_EQ(Read(LegacyFile(), "optimizer.0"), (std::vector<float>{9}));
}

TEST_F(PthReader, RefusesTensorsThatAreNotInTheFile) {
  const auto refusal = [&](const std::string& tensor) {
    return Refusal(PthBytes(pickle::Dict({{"w", tensor}}), {{"0", Values<float>({1, 2})}}), "w");
  };
  const std::string two = pickle::Storage("FloatStorage", "0", 2);
  EXPECT_EQ(refusal(pickle::Tensor(two, 1, {2}, {1})),
            "weights.pth: tensor 'w' lies outside its storage" + kWholeAgain);
  EXPECT_EQ(refusal(pickle::Tensor(two, 0, {2}, {0x7FFFFFFF})),
            "weights.pth: tensor 'w' lies outside its storage" + kWholeAgain);
  EXPECT_EQ(refusal(pickle::Tensor(two, 0, {1000000}, {0})),
            "weights.pth: tensor 'w' has more values than its storage: expanded tensors are not "
            "read" +
                kWholeAgain);
  EXPECT_EQ(refusal(pickle::Tensor(two, 0, {2}, {-1})),
            "weights.pth: tensor 'w' has a shape that no tensor can have" + kWholeAgain);
  EXPECT_EQ(refusal(pickle::Tensor(pickle::Storage("FloatStorage", "0", 3), 0, {3}, {1})),
            "weights.pth: tensor 'w' is longer than its place in the file" + kWholeAgain);
  EXPECT_EQ(refusal(pickle::Tensor(pickle::Storage("FloatStorage", "9", 2), 0, {2}, {1})),
            "weights.pth: tensor 'w' has no values in the file" + kWholeAgain);
}

TEST_F(PthReader, RefusesZipFilesThatTorchSaveDidNotWrite) {
  const std::string one = pickle::Dict({{"w", Vector("FloatStorage", 1)}});
  const std::map<std::string, std::string> storage = {{"0", Values<float>({1})}};
  EXPECT_EQ(Refusal(PthBytes(one, storage, {.method = 8})),
            "weights.pth: entry 'archive/data.pkl' is compressed\ntorch.save stores its entries "
            "uncompressed: save the weights with it again");
  EXPECT_EQ(Refusal(PthBytes(one, storage, {}, "big")),
            "weights.pth: was saved on a big-endian machine, which is not supported" + kCopyAgain);
  EXPECT_EQ(Refusal(ZipBytes({{"a", ""}, {"a", ""}})),
            "weights.pth: entry 'a' is there twice\nthe file is cut short or damaged: copy or "
            "download it again");
  EXPECT_EQ(Refusal(ZipBytes({{"a/b/data.pkl", "}."}})),
            "weights.pth: the zip file holds no data.pkl in its one folder" + kCopyAgain);
  EXPECT_EQ(Refusal(PthBytes(pickle::Dict({{"epoch", pickle::Integer(3)}}), {})),
            "weights.pth: holds no dictionary of tensors\nsave the weights alone, by "
            "torch.save(model.state_dict(), path)");
  const std::string again =
      pickle::Dict({{"w", Vector("FloatStorage", 1)}, {"w", Vector("FloatStorage", 1)}});
  EXPECT_EQ(Refusal(PthBytes(again, storage)),
            "weights.pth: tensor 'w' is there twice\nsave the weights again");
}

TEST_F(PthReader, AChangedWeightIsNoticed) {
  std::string bytes =
      PthBytes(pickle::Dict({{"w", Vector("FloatStorage", 1)}}), {{"0", Values<float>({1.5f})}});
  const std::size_t at = bytes.find(LittleEndian(1.5f));
  bytes[at + 2] = static_cast<char>(bytes[at + 2] ^ 1);
  EXPECT_EQ(Refusal(bytes),
            "weights.pth: tensor 'w' does not have the checksum that the file states" + kCopyAgain);
}

TEST_F(PthReader, WhateverTheBytesAreTheOutcomeIsTensorsOrAnError) {
  constexpr std::size_t kMostGrownBytes = 64 << 20;
  const std::string by_torch = FileText("tests/stages/model/weights/torch_files/old.pth");
  for (const std::string& bytes :
       {SmallFile(), SmallFile({.zip64 = true}), LegacyFile(), by_torch}) {
    const HostileOutcome outcome = ReadAllOf(DamagedCopies(bytes, 3000));
    EXPECT_EQ(outcome.read + outcome.refused, 3000);
    EXPECT_GT(outcome.refused, 1000);
    EXPECT_LT(outcome.grown_bytes, kMostGrownBytes);
    if (bytes == by_torch) continue;  // cut at each of its bytes it would take half a minute
    EXPECT_EQ(ReadAllOf(AllTruncations(bytes)).read, 0);
  }
}

TEST_F(PthReader, ReadsWhatPyTorchWrote) {
  const auto path = SharedData("weights/mobilenet_v2_imagenet.pth");
  if (!path) GTEST_SKIP() << kNoSharedData;
  const auto file = WeightsFile::Open(*path);
  EXPECT_EQ(file->tensors().size(), 314u);
  const TensorInfo* classifier = file->Find("classifier.1.weight");
  ASSERT_NE(classifier, nullptr);
  EXPECT_EQ(classifier->shape, (std::vector<std::int64_t>{1000, 1280}));
}

}  // namespace
}  // namespace weir
