#include "framework/flow/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/yaml_text.h"
#include "tests/framework/flow/test_stages.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using testing::Number;

// Multiplies; one at a time.
struct Times final : MapStage<Number, Number> {
  static constexpr std::string_view kName = "times";
  static constexpr std::string_view kDoc = "Multiplies.";
  static constexpr Concurrency kConcurrency = Concurrency::kSerial;
  struct Params {
    int factor = 2;
    static auto Fields() {
      return std::tuple{Field{"factor", &Params::factor, "By what.", Range{1, 9}}};
    }
  };
  Times(const Params& params, BuildContext& context)
      : factor_(params.factor), seed_(context.seed) {}
  Outcome<Number> Map(Number number, StageContext&) override {
    number.value = number.value * factor_ + static_cast<int>(seed_);
    return number;
  }

 private:
  int factor_;
  std::uint64_t seed_;
};

struct Ones final : SourceStage<Number> {
  static constexpr std::string_view kName = "ones";
  static constexpr std::string_view kDoc = "Gives ones.";
  using Params = testing::NoParams;
  Ones(const Params&, BuildContext&) {}
  std::optional<Number> Next(StageContext&) override { return Number{1, 0}; }
};

struct Length {
  static constexpr std::string_view kResource = "length";
};
struct Width {
  static constexpr std::string_view kResource = "width";
};

// Declares all that a source can.
struct Listing final : SourceStage<Number> {
  static constexpr std::string_view kName = "listing";
  static constexpr std::string_view kDoc = "Lists.";
  struct Params {
    std::vector<std::filesystem::path> files{};
    Auto<std::vector<std::string>> classes{};
    int factor = 2;
    static auto Fields() {
      return std::tuple{Field{"files", &Params::files, "What is listed.", Required{}},
                        Field{"classes", &Params::classes, "Of what."},
                        Field{"factor", &Params::factor, "By what."}};
    }
  };
  static std::vector<ResourceUse> Provides() { return {ResourceOf<Length>()}; }
  static std::vector<ResourceUse> Needs() { return {ResourceOf<Width>()}; }
  static DataReading<Params> Reads() {
    return {.use = DataUse::kUnlabelled,
            .fit =
                [](const std::filesystem::path& data) {
                  return data.extension() == ".list" ? DataFit::kMade : DataFit::kNone;
                },
            .parameter = "files",
            .member = &Params::files};
  }
  Listing(Params given, BuildContext&) : params(std::move(given)) {}
  std::optional<Number> Next(StageContext&) override { return std::nullopt; }
  const Params params;
};

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() {
    registry_.Add<Times>();
    registry_.Add<Ones>();
  }

  Registry registry_;
  Resources resources_;
  BuildContext context_{.upstream = {}, .resources = resources_, .seed = 100};
};

TEST_F(RegistryTest, ListsItsStagesAndWhatTheyAre) {
  EXPECT_THAT(registry_.names(), ElementsAre("ones", "times"));
  EXPECT_EQ(registry_.Find("thrice"), nullptr);
  const StageSpec& ones = *registry_.Find("ones");
  EXPECT_EQ(ones.ports.shape, StageShape::kSource);
  EXPECT_EQ(ones.ports.in, "");
  EXPECT_EQ(ones.ports.out, "test/number");
  const StageSpec& times = *registry_.Find("times");
  EXPECT_EQ(times.ports.shape, StageShape::kMap);
  EXPECT_EQ(times.ports.in, "test/number");
  EXPECT_EQ(times.concurrency, Concurrency::kSerial);
  EXPECT_EQ(times.doc, "Multiplies.");
  EXPECT_TRUE(times.needs.empty() && times.provides.empty() && !times.reads);
  ASSERT_EQ(times.fields.size(), 1u);
}

TEST_F(RegistryTest, KnowsWhatAStageDeclares) {
  registry_.Add<Listing>();
  const StageSpec& listing = *registry_.Find("listing");
  EXPECT_TRUE(Declares(listing.provides, "length"));
  EXPECT_FALSE(Declares(listing.provides, "width"));
  EXPECT_TRUE(Declares(listing.needs, "width"));
  ASSERT_TRUE(listing.reads);
  EXPECT_EQ(listing.reads->use, DataUse::kUnlabelled);
  EXPECT_EQ(listing.reads->fit("a.list"), DataFit::kMade);
  EXPECT_EQ(listing.reads->fit("a.txt"), DataFit::kNone);
}

// The first of the data alone goes through the checks of the parameters, the others as they are.
TEST_F(RegistryTest, MakesASourceOfTheDataOfACommand) {
  registry_.Add<Listing>();
  Problems problems;
  const PlacedStage placed = registry_.Find("listing")->reads->make(
      YamlOf("factor: 3", problems), {"a.list", "b.list"}, {"ants", "bees"}, context_);
  const auto& params = dynamic_cast<Listing&>(placed.any->stage()).params;
  EXPECT_THAT(params.files, ElementsAre("a.list", "b.list"));
  EXPECT_THAT(params.classes.value(), ElementsAre("ants", "bees"));
  EXPECT_EQ(params.factor, 3);
}

TEST_F(RegistryTest, MakesAStageOfItsParameters) {
  Problems problems;
  const PlacedStage times = registry_.Find("times")->make(YamlOf("factor: 7", problems), context_);
  EXPECT_EQ(times.name, "times");
  EXPECT_EQ(times.concurrency, Concurrency::kSerial);
  const Pass pass;
  StageContext context(pass, 0, [] { return false; });
  Outcome<Packet> outcome = times.any->Map(Packet::Make(Number{3, 0}), {}, context);
  EXPECT_EQ(std::get<Packet>(outcome).Get<Number>().value, 121);
}

TEST_F(RegistryTest, SaysWhatIsWrongWithParametersWithoutMakingAnything) {
  Problems problems;
  registry_.Find("times")->check(YamlOf("factor: 10", problems), problems);
  EXPECT_THAT(problems.text(), ::testing::StartsWith("a.yaml:1:9: "));
}

TEST_F(RegistryTest, FillsInTheDefaults) {
  Problems problems;
  const YamlNode resolved = registry_.Find("times")->resolve(YamlOf("{}", problems));
  ASSERT_TRUE(resolved.Find("factor"));
  EXPECT_EQ(resolved.Find("factor")->scalar(), "2");
}

TEST_F(RegistryTest, RefusesASecondStageOfAName) {
  EXPECT_EQ(CaughtError([&] { registry_.Add<Ones>(); }),
            "there are two stages named ones\n"
            "Rename the one of the plugin: its kName is the name in the YAML.");
}

}  // namespace
}  // namespace weir
