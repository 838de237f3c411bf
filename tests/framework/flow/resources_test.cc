#include "framework/flow/resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

struct Names {
  static constexpr std::string_view kResource = "names";
  int count = 0;
};

// It has the same name and another type, as a plugin's might.
struct OtherNames {
  static constexpr std::string_view kResource = "names";
  double share = 0;
};

struct Total {
  static constexpr std::string_view kResource = "total";
  int sum = 0;
  void Merge(const Total& other) { sum += other.sum; }
};

class ResourcesTest : public ::testing::Test {
 protected:
  template <class T>
  void PutAs(const std::string& who, const T& value) {
    resources_.set_user(who);
    resources_.Put(std::make_shared<T>(value));
    resources_.set_user("");
  }

  Resources resources_;
};

TEST_F(ResourcesTest, GivesWhatWasPut) {
  EXPECT_EQ(resources_.Find<Names>(), nullptr);
  PutAs("directory", Names{3});
  EXPECT_EQ(resources_.Find<Names>()->count, 3);
  EXPECT_THAT(resources_.PutBy("directory"), ElementsAre("names"));
  EXPECT_THAT(resources_.PutBy("train"), ElementsAre());
}

TEST_F(ResourcesTest, MergesWhatKnowsHowToAndRefusesTheRest) {
  PutAs("one", Total{2});
  PutAs("other", Total{3});
  EXPECT_EQ(resources_.Find<Total>()->sum, 5);
  PutAs("one", Names{1});
  EXPECT_EQ(CaughtError([&] { PutAs("other", Names{1}); }),
            "two stages of the pipeline both provide the names\nRemove one of them.");
}

TEST_F(ResourcesTest, NamesWhoPutAndWhoReadsAnotherType) {
  PutAs("directory", Names{3});
  constexpr const char* kRemedy =
      "\nUse the resource's own header, or a kResource of another name.";
  resources_.set_user("count");
  EXPECT_EQ(CaughtError([&] { resources_.Find<OtherNames>(); }),
            std::string("the resource `names` that `count` reads is the type "
                        "weir::(anonymous namespace)::OtherNames, and the one that `directory` put "
                        "there is weir::(anonymous namespace)::Names") +
                kRemedy);
  EXPECT_EQ(CaughtError([&] { resources_.Put(std::make_shared<OtherNames>()); }),
            std::string("the resource `names` that `count` provides is the type "
                        "weir::(anonymous namespace)::OtherNames, and the one that `directory` put "
                        "there is weir::(anonymous namespace)::Names") +
                kRemedy);
  EXPECT_THAT(CaughtError([&] { resources_.CheckNeeds({ResourceOf<OtherNames>()}); }),
              ::testing::StartsWith("the resource `names` that `count` reads is the type "));
}

TEST_F(ResourcesTest, ThatAreNeededAndNotThereAreNamed) {
  const std::vector<ResourceUse> needs = {ResourceOf<Names>("Put `directory` before it.")};
  const std::string missing =
      "`count` needs the names, which nothing before it gives\nPut `directory` before it.";
  resources_.set_user("count");
  EXPECT_EQ(CaughtError([&] { resources_.CheckNeeds(needs); }), missing);
  resources_.Put(std::shared_ptr<Names>());  // there is none of it in this job
  EXPECT_EQ(CaughtError([&] { resources_.CheckNeeds(needs); }), missing);
}

TEST_F(ResourcesTest, AreSharedWithAnotherPipeline) {
  PutAs("directory", Names{3});
  PutAs("directory", Total{3});
  Resources other;
  other.Share(resources_, {ResourceOf<Names>()});
  EXPECT_EQ(other.Find<Names>(), resources_.Find<Names>());
  EXPECT_EQ(other.Find<Total>(), nullptr);
}

}  // namespace
}  // namespace weir
