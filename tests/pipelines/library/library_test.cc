#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "framework/memory/host_memory.h"
#include "pipelines/library/weir.hpp"
#include "stages/decode/vips/vips_decoder.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/drawn_model.h"
#include "tests/support/file_text.h"
#include "tests/support/sanitizer.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kRoom = std::size_t{64} << 20;

// "2: ...": the status and the text of what is thrown.
std::string Refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const libweir::Error& error) {
    return std::to_string(error.status()) + ": " + error.what();
  }
  return "nothing was thrown";
}

class LibraryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    StartVips();
    files_ = new ScratchFolder();
    SaveDrawnModel(model());
    Save(MakePhoto(300, 200), (*files_ / "photo.jpg").string());
    Save(MakePhoto(90, 120), (*files_ / "photo.png").string());
    Save(MakePhoto(64, 64), (*files_ / "small.png").string());
  }
  static void TearDownTestSuite() {
    delete files_;
    files_ = nullptr;
  }

  static fs::path model() { return *files_ / "model"; }
  static std::string Photo(const char* name = "photo.jpg") { return (*files_ / name).string(); }

  // A copy of the model, to be damaged.
  fs::path Copied() const {
    fs::copy(model(), scratch_ / "model");
    return scratch_ / "model";
  }

  static ScratchFolder* files_;
  const ScratchFolder scratch_;
};

ScratchFolder* LibraryTest::files_ = nullptr;

TEST_F(LibraryTest, GivesAProbabilityToEachClass) {
  const libweir::Model opened(model().string(), kRoom);
  ASSERT_EQ(opened.classes(), 3U);
  EXPECT_STREQ(weir_class_name(opened.get(), 1), "bees");
  EXPECT_EQ(weir_class_name(opened.get(), 3), nullptr);
  EXPECT_EQ(weir_input_height(opened.get()), 64);
  const libweir::Workspace workspace(opened);
  const std::vector<float> probabilities = workspace.Classify(Photo());
  EXPECT_NEAR(std::accumulate(probabilities.begin(), probabilities.end(), 0.0), 1, 1e-6);
  EXPECT_NE(workspace.Classify(Photo("photo.png")), probabilities);
}

TEST_F(LibraryTest, TakesAPictureFromMemoryAsFromItsFile) {
  const libweir::Model opened(model().string(), kRoom);
  const libweir::Workspace workspace(opened);
  for (const char* name : {"photo.jpg", "photo.png"}) {
    const std::string bytes = FileText(Photo(name));
    EXPECT_EQ(workspace.Classify(weir_picture_in(bytes.data(), bytes.size())),
              workspace.Classify(Photo(name)));
  }
}

TEST_F(LibraryTest, TakesPixelsWithAStride) {
  const libweir::Model opened(model().string(), kRoom);
  const libweir::Workspace workspace(opened);
  for (const char* name : {"photo.png", "small.png"}) {
    const Vips picture(vips_image_new_from_file(Photo(name).c_str(), nullptr));
    const int width = vips_image_get_width(picture.get());
    const int height = vips_image_get_height(picture.get());
    std::size_t size = 0;
    const auto* const pixels =
        static_cast<const std::uint8_t*>(vips_image_write_to_memory(picture.get(), &size));
    const std::size_t row = std::size_t{3} * width, stride = row + 13;
    std::vector<std::uint8_t> apart(stride * height, 0xEE);
    for (int y = 0; y < height; ++y) std::memcpy(&apart[y * stride], pixels + y * row, row);
    const std::vector<float> of_file = workspace.Classify(Photo(name));
    EXPECT_EQ(workspace.Classify(weir_picture_of(pixels, width, height, row)), of_file) << name;
    EXPECT_EQ(workspace.Classify(weir_picture_of(apart.data(), width, height, stride)), of_file);
    g_free(const_cast<std::uint8_t*>(pixels));
  }
}

TEST_F(LibraryTest, GivesWhatTheHeadIsFed) {
  const libweir::Model opened(model().string(), kRoom);
  const libweir::Workspace workspace(opened);
  ASSERT_EQ(opened.features(), 1280U);
  const std::vector<float> features = workspace.Features(weir_picture_at(Photo().c_str()));
  EXPECT_GT(*std::ranges::max_element(features), 0);
  EXPECT_NE(features, workspace.Features(weir_picture_at(Photo("photo.png").c_str())));
}

TEST_F(LibraryTest, NamesTheMostProbable) {
  const libweir::Model opened(model().string(), kRoom);
  const auto top = [&](const std::vector<float>& probabilities, int count) {
    std::string text;
    for (const libweir::Prediction& each : opened.Top(probabilities, count)) {
      text += std::to_string(each.index) + " " + each.name + ", ";
    }
    return text;
  };
  EXPECT_EQ(top({0.2F, 0.5F, 0.3F}, 2), "1 bees, 2 wasps, ");
  EXPECT_EQ(top({0.4F, 0.2F, 0.4F}, 9), "0 ants, 2 wasps, 1 bees, ");
  EXPECT_EQ(top({0, 0, 0}, 3), "0 ants, 1 bees, 2 wasps, ");
  EXPECT_EQ(top({0, 0, 0}, 0), "");
}

TEST_F(LibraryTest, AnswersThreadsAlikeAndGivesBackWhatTheyHeld) {
  const libweir::Model opened(model().string(), kRoom);
  const std::size_t at_first = weir_held_bytes(opened.get());
  const std::vector<std::string> names = {Photo(), Photo("photo.png"), Photo("small.png")};
  std::vector<std::vector<float>> alone;
  {
    const libweir::Workspace workspace(opened);
    for (const std::string& name : names) alone.push_back(workspace.Classify(name));
    EXPECT_GT(weir_held_bytes(opened.get()), at_first);
  }
  std::vector<std::thread> threads;
  std::vector<int> same(4);
  for (std::size_t i = 0; i < same.size(); ++i) {
    threads.emplace_back([&, i] {
      const libweir::Workspace workspace(opened);
      for (int round = 0; round < 5; ++round) {
        for (std::size_t k = 0; k < names.size(); ++k) {
          same[i] += workspace.Classify(names[k]) == alone[k] ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(same, testing::Each(15));
  EXPECT_EQ(weir_held_bytes(opened.get()), at_first);
  EXPECT_LE(weir_peak_bytes(opened.get()), kRoom);
}

// What the process holds, beside what the first pictures bring: kernels, the C library's arenas.
TEST_F(LibraryTest, GrowsByNothingHoweverManyPicturesThereAre) {
  if (kHasSanitizer) GTEST_SKIP() << "a sanitizer keeps what is freed";
  const libweir::Model opened(model().string(), kRoom);
  const auto classify = [&](int pictures) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        const libweir::Workspace workspace(opened);
        for (int k = 0; k < pictures; ++k)
          workspace.Classify(Photo(k % 2 == 0 ? "photo.jpg" : "photo.png"));
      });
    }
    for (std::thread& thread : threads) thread.join();
    return HeldMemory();
  };
  const std::size_t before = classify(200);
  EXPECT_LE(classify(1000), before + (std::size_t{1} << 20));
}

TEST_F(LibraryTest, SaysWhatIsWrongWithAPictureAndGoesOn) {
  const libweir::Model opened(model().string(), kRoom);
  const libweir::Workspace workspace(opened);
  const std::vector<float> before = workspace.Classify(Photo());
  const std::string jpeg = FileText(Photo());
  scratch_.Write("cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  scratch_.Write("text.jpg", "no picture at all");
  scratch_.Write("empty.jpg");
  ASSERT_EQ(::mkfifo((scratch_ / "pipe").c_str(), 0600), 0);
  const std::pair<const char*, const char*> bad[] = {
      {"nowhere.jpg", "No such file"}, {"cut.jpg", "truncated"}, {"text.jpg", "is text"},
      {"empty.jpg", "is empty"},       {"", "is a directory"},   {"pipe", "is not a regular file"}};
  for (const auto& [name, reason] : bad) {
    const std::string path = (scratch_ / name).string();
    EXPECT_THAT(Refusal([&] { workspace.Classify(path); }),
                AllOf(StartsWith("3: "), HasSubstr(reason)))
        << name;
  }
  EXPECT_THAT(Refusal([&] { workspace.Classify(weir_picture_in(jpeg.data(), 1000)); }),
              StartsWith("3: "));
  EXPECT_THAT(Refusal([&] { workspace.Classify(weir_picture_in("", 0)); }), StartsWith("3: "));
  EXPECT_EQ(workspace.Classify(Photo()), before);
}

TEST_F(LibraryTest, RefusesArgumentsThatCannotBe) {
  const libweir::Model opened(model().string(), kRoom);
  const libweir::Workspace workspace(opened);
  const std::uint8_t pixel[3] = {};
  weir_picture of_no_kind = weir_picture_at("x");
  of_no_kind.kind = 9;
  for (const weir_picture& picture :
       {weir_picture_at(nullptr), weir_picture_in(nullptr, 3), weir_picture_of(nullptr, 1, 1, 3),
        weir_picture_of(pixel, 0, 1, 3), weir_picture_of(pixel, 1, -1, 3),
        weir_picture_of(pixel, 1, 1, 2), weir_picture_of(pixel, 1 << 30, 1 << 30, SIZE_MAX),
        of_no_kind}) {
    EXPECT_THAT(Refusal([&] { workspace.Classify(picture); }), StartsWith("1: "));
  }
  float values[3];
  const weir_picture picture = weir_picture_at("x");
  weir_model* model = nullptr;
  weir_workspace* made = nullptr;
  EXPECT_EQ(weir_open(nullptr, kRoom, &model, nullptr), WEIR_BAD_ARGUMENT);
  EXPECT_EQ(weir_open("x", kRoom, nullptr, nullptr), WEIR_BAD_ARGUMENT);
  EXPECT_EQ(weir_workspace_new(nullptr, &made, nullptr), WEIR_BAD_ARGUMENT);
  EXPECT_EQ(weir_classify(nullptr, &picture, values, nullptr), WEIR_BAD_ARGUMENT);
  EXPECT_EQ(weir_top(nullptr, values, 1, nullptr), 0);
  EXPECT_EQ(weir_class_count(nullptr), 0);
  weir_close(nullptr);
  weir_workspace_free(nullptr);
}

// The budget of a model that is just large enough to open it is not for a workspace, and so on.
TEST_F(LibraryTest, HoldsNoMoreThanItsBudget) {
  EXPECT_THAT(Refusal([] { libweir::Model(model().string(), 1000); }),
              AllOf(StartsWith("4: the model, while it is read, takes "), HasSubstr("of 1000 B")));
  const libweir::Model large(model().string(), kRoom);
  const std::size_t opening = weir_peak_bytes(large.get()), weights = weir_held_bytes(large.get());
  EXPECT_LT(weights, opening);
  EXPECT_THAT(Refusal([&] { libweir::Model(model().string(), opening - 1); }), StartsWith("4: "));
  const libweir::Model tight(model().string(), opening);
  std::vector<libweir::Workspace> workspaces;
  EXPECT_THAT(Refusal([&] {
                for (int i = 0; i < 1000; ++i) workspaces.emplace_back(tight);
              }),
              StartsWith("4: a workspace takes "));
  ASSERT_FALSE(workspaces.empty());
  EXPECT_THAT(Refusal([&] { workspaces.front().Classify(Photo()); }),
              StartsWith("4: the picture takes "));
  EXPECT_LE(weir_peak_bytes(tight.get()), opening);
  workspaces.erase(workspaces.begin() + 1, workspaces.end());
  EXPECT_EQ(workspaces.front().Classify(Photo()), libweir::Workspace(large).Classify(Photo()));
}

TEST_F(LibraryTest, SaysHowAModelIsDamaged) {
  const auto refusal = [](const fs::path& folder) {
    return Refusal([&] { libweir::Model(folder.string(), kRoom); });
  };
  EXPECT_THAT(refusal(scratch_ / "nowhere"), AllOf(StartsWith("2: "), HasSubstr("model.json")));
  const fs::path folder = Copied(), json = folder / "model.json",
                 weights = folder / "model.safetensors";
  const std::string description = FileText(json), values = FileText(weights);
  const auto written = [&](const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
    const std::string said = refusal(folder);
    std::ofstream(json, std::ios::binary) << description;
    std::ofstream(weights, std::ios::binary) << values;
    return said;
  };
  const auto with = [&](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_THAT(written(json, ""), StartsWith("2: "));
  EXPECT_THAT(written(json, description.substr(0, description.size() / 2)), StartsWith("2: "));
  EXPECT_THAT(written(json, with(description, "\"version\": 1", "\"version\": 2")),
              AllOf(StartsWith("2: "), HasSubstr("of version 2")));
  EXPECT_THAT(written(json, with(description, "\"ants\",", "")),
              AllOf(StartsWith("2: "), HasSubstr("the data has 2 classes")));
  EXPECT_THAT(written(json, with(description, "\"width\": 0.35", "\"width\": 0.5")),
              StartsWith("2: "));
  EXPECT_THAT(written(json, with(description, "\"float32\"", "\"float17\"")), StartsWith("2: "));
  EXPECT_THAT(written(json, with(description, "\"float32\"", "\"int8\"")), StartsWith("5: "));
  EXPECT_THAT(written(weights, values.substr(0, values.size() - 4)), StartsWith("2: "));
  EXPECT_THAT(written(weights, ""), StartsWith("2: "));
  EXPECT_THAT(written(weights, "x" + values), StartsWith("2: "));
  EXPECT_EQ(refusal(folder), "nothing was thrown");
  fs::remove(weights);
  EXPECT_THAT(refusal(folder), AllOf(StartsWith("2: "), HasSubstr("model.safetensors")));
}

// Of such a model only pixels that are ready are read.
TEST_F(LibraryTest, DoesNotGuessHowPicturesAreMadeReady) {
  const std::string decode = R"({"decode": {}})", augment = R"({"augment": {"size": 64}})";
  const std::pair<std::string, const char*> cases[] = {
      {"", "does not say by which stages"},
      {"[" + decode + R"(, {"sepia": {}}, )" + augment + "]", "`sepia`, which is not weir's own"},
      {"[" + augment + "]", "changed before they are decoded"},
      {"[" + decode + "," + decode + "," + augment + "]", "decoded twice"},
      {"[" + decode + "]", "do not give its size, 64x64"},
      {"[" + decode + R"(, {"augment": {"size": 32}}])", "do not give its size, 64x64"},
      {"[" + decode + R"(, {"augment": {"size": "large"}}])", "size"},
      {R"([3])", "has no name"}};
  for (const auto& [pictures, reason] : cases) {
    SCOPED_TRACE(pictures);
    const fs::path folder = scratch_ / "unready";
    SaveDrawnModel(folder, {.pictures = pictures});
    const libweir::Model opened(folder.string(), kRoom);
    const libweir::Workspace workspace(opened);
    EXPECT_THAT(Refusal([&] { workspace.Classify(Photo()); }),
                AllOf(StartsWith("5: "), HasSubstr(reason)));
    const std::vector<std::uint8_t> pixels(std::size_t{3} * 64 * 64, 100);
    EXPECT_EQ(workspace.Classify(weir_picture_of(pixels.data(), 64, 64, 192)).size(), 3U);
    EXPECT_THAT(Refusal([&] { workspace.Classify(weir_picture_of(pixels.data(), 32, 64, 96)); }),
                StartsWith("5: "));
    fs::remove_all(folder);
  }
}

TEST_F(LibraryTest, CropsAsTheRunDid) {
  SaveDrawnModel(scratch_ / "cropping", {.pictures = R"([{"decode": {}}, {"augment": {"size": 80}},
                                  {"center_crop": {"size": 64}}, {"random_erasing": {}}])"});
  const libweir::Model opened((scratch_ / "cropping").string(), kRoom);
  const libweir::Model whole(model().string(), kRoom);
  EXPECT_NE(libweir::Workspace(opened).Classify(Photo()),
            libweir::Workspace(whole).Classify(Photo()));
}

TEST_F(LibraryTest, CutsTextsThatAreTooLong) {
  const std::string name(3000, 'n');
  weir_error error;
  weir_model* opened = nullptr;
  EXPECT_EQ(weir_open(name.c_str(), kRoom, &opened, &error), WEIR_BAD_MODEL);
  EXPECT_EQ(opened, nullptr);
  EXPECT_EQ(std::strlen(error.text), sizeof error.text - 1);
}

}  // namespace
}  // namespace weir
