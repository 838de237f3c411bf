#include "stages/model/backbones/weights_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "stages/files/cache_folder.h"
#include "stages/files/sha256.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/fetch_weights.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/hostile_bytes.h"
#include "tests/support/http_server.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::ElementsAre;

const BackboneKind& kBackbone = *Backbones().front();

WeightsSource Parse(const std::string& weights, const std::string& sha256, double width) {
  return ParseWeightsSource(weights, sha256, kBackbone, width);
}

std::string DigestOf(const std::string& text) {
  Sha256 sha256;
  sha256.Add(std::as_bytes(std::span(text)));
  return sha256.Finish();
}

// 300 kB that differ everywhere.
std::string Content() {
  std::string content;
  for (int i = 0; content.size() < 300'000; ++i) content += std::to_string(i) + "\n";
  return content;
}

class WeightsSourceTest : public testing::Test {
 protected:
  WeightsSource From(const HttpServer& server) const {
    return Parse(server.url("w.pth"), digest_, 1.0);
  }

  const std::string content_ = Content();
  const std::string digest_ = DigestOf(content_);
  const ScratchFolder folder_;
  const std::filesystem::path cache_ = folder_ / "cache";
  const std::filesystem::path cached_ = cache_ / (digest_.substr(0, 8) + "-w.pth");
  const std::filesystem::path part_ = cached_.string() + ".part";
};

TEST(Sha256, AgreesWithItsStandard) {  // FIPS 180-4, the examples of its first edition
  EXPECT_EQ(DigestOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ParseWeightsSource, TellsNamesPathsAndAddressesApart) {
  EXPECT_EQ(Parse("none", "", 1.0).kind, WeightsSource::Kind::kNone);
  EXPECT_EQ(Parse("w/m.pth", "", 1.0).path, "w/m.pth");
  const WeightsSource named = Parse("imagenet", "", 1.0);
  EXPECT_EQ(named.url, "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth");
  EXPECT_EQ(named.sha256, "7ebf99e0");
  EXPECT_EQ(named.convention, Convention::Torchvision());
  const WeightsSource keras = Parse("imagenet_keras", "", 0.35);
  EXPECT_EQ(keras.sha256, "");
  EXPECT_EQ(keras.convention, Convention::Keras());
  const WeightsSource hub = Parse("https://a/m-0123abcd.pth?x=1", "", 1.0);
  EXPECT_EQ(hub.sha256, "0123abcd");
  EXPECT_THAT(WeightsNames(),
              ElementsAre("none", "imagenet", "imagenet_torchvision", "imagenet_torchvision_v1",
                          "imagenet_timm", "imagenet_keras"));
}

TEST(ParseWeightsSource, EveryPublishedDigestIsInItsFilesName) {
  for (const BackboneKind* backbone : Backbones()) {
    for (const PublishedWeights& weights : backbone->published) {
      if (weights.publisher == Publisher::kKeras) continue;
      EXPECT_TRUE(weights.url.ends_with("-" + std::string(weights.sha256) + ".pth")) << weights.url;
      EXPECT_GE(weights.sha256.size(), 8u) << weights.url;
    }
  }
}

TEST(ParseWeightsSource, RefusesWhatCannotBeChecked) {
  const auto refusal = [](const std::string& weights, const std::string& sha256, double width) {
    return CaughtError([&] { Parse(weights, sha256, width); });
  };
  EXPECT_EQ(refusal("https://a/m.pth", "", 1.0),
            "weights: https://a/m.pth has no sha256, so it cannot be checked\nwrite weights: {url: "
            "https://a/m.pth, sha256: <the file's 64 digits>}");
  EXPECT_EQ(refusal("https://a/m.pth", "12ab", 1.0),
            "weights: sha256 '12ab' is no digest\ngive 64 hexadecimal digits in lower case, as "
            "sha256sum prints them");
  EXPECT_EQ(refusal("m.pth", std::string(64, 'a'), 1.0),
            "weights: sha256 is for a URL, not for 'm.pth'\nleave sha256 out");
  EXPECT_EQ(refusal("imagenet", "", 0.6),
            "weights: 'imagenet' has no file for width 0.6\nit has width 1, 0.5, 1.4; "
            "imagenet_keras has all that Keras publishes");
}

TEST(ParseWeightsSource, ANameOfAnotherBackboneSaysWhichThereAre) {
  const auto refusal = [](const BackboneKind& backbone) {
    return CaughtError([&] { ParseWeightsSource("imagenet_keras", "", backbone, 1.0); });
  };
  BackboneKind other = kBackbone;
  other.name = "another";
  other.published = kBackbone.published.first(1);
  EXPECT_EQ(refusal(other),
            "weights: 'imagenet_keras' has no file for another\nit has imagenet; or give a file of "
            "weights");
  other.published = {};
  EXPECT_EQ(refusal(other),
            "weights: 'imagenet_keras' has no file for another\ngive a file of weights, or none");
}

TEST(CacheFolder, FollowsTheEnvironment) {
  const ScopedVariable home("HOME", "/h");
  {
    const ScopedVariable own("WEIR_CACHE", "/own"), xdg("XDG_CACHE_HOME", "/xdg");
    EXPECT_EQ(CacheFolder(), "/own");
  }
  const ScopedVariable own("WEIR_CACHE", nullptr);
  {
    const ScopedVariable xdg("XDG_CACHE_HOME", "/xdg");
    EXPECT_EQ(CacheFolder(), "/xdg/weir");
  }
  const ScopedVariable xdg("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(CacheFolder(), "/h/.cache/weir");
}

TEST_F(WeightsSourceTest, AFileIsDownloadedOnce) {
  HttpServer server(content_);
  EXPECT_EQ(Fetch(From(server), cache_), cached_);
  EXPECT_EQ(FileText(cached_), content_);
  EXPECT_EQ(Fetch(From(server), cache_), cached_);
  EXPECT_THAT(server.requests(), ElementsAre("GET /w.pth"));
  EXPECT_FALSE(std::filesystem::exists(part_));
}

TEST_F(WeightsSourceTest, ADamagedFileInTheCacheIsReplaced) {
  HttpServer server(content_);
  folder_.Write("cache/" + cached_.filename().string(), "something else");
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
}

TEST_F(WeightsSourceTest, AConnectionThatBreaksIsTakenUpWhereItWas) {
  HttpServer server(content_, {.cut_after = 100'000});
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(), ElementsAre("GET /w.pth", "GET /w.pth 100000-"));
}

TEST_F(WeightsSourceTest, AnEarlierRunsPartIsGoneOnWith) {
  HttpServer server(content_);
  folder_.Write("cache/" + part_.filename().string(), content_.substr(0, 1234));
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(), ElementsAre("GET /w.pth 1234-"));
}

TEST_F(WeightsSourceTest, AWholePartNeedsNoNetwork) {
  HttpServer server(content_);
  folder_.Write("cache/" + part_.filename().string(), content_);
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(), ElementsAre());
}

TEST_F(WeightsSourceTest, AServerThatIgnoresRangesStartsAgain) {
  HttpServer server(content_, {.cut_after = 100'000, .ignores_range = true});
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(), ElementsAre("GET /w.pth", "GET /w.pth 100000-"));
}

TEST_F(WeightsSourceTest, APartOfAnotherFileIsThrownAway) {
  HttpServer server(content_);
  folder_.Write("cache/" + part_.filename().string(), "an older version");
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(), ElementsAre("GET /w.pth 16-", "GET /w.pth"));
}

TEST_F(WeightsSourceTest, APartThatIsTooLongIsThrownAway) {
  HttpServer server(content_);
  folder_.Write("cache/" + part_.filename().string(), content_ + "and more");
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  EXPECT_THAT(server.requests(),
              ElementsAre("GET /w.pth " + std::to_string(content_.size() + 8) + "-", "GET /w.pth"));
}

TEST_F(WeightsSourceTest, AWrongDigestIsRefusedAndNothingStays) {
  const std::string tampered = "\x01 tampered with";
  HttpServer server(tampered);
  EXPECT_EQ(
      CaughtError([&] { Fetch(From(server), cache_); }),
      server.url("w.pth") + ": has the sha256 " + DigestOf(tampered) + " and not " + digest_ +
          "\nthe file there has changed, or something on the way changed it: check the digest "
          "with its publisher");
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
}

TEST_F(WeightsSourceTest, RedirectsAreFollowedAFewTimesAndNeverToAFile) {
  const std::string secret = folder_.Write("w.pth", content_).string();
  HttpServer server(content_, {.redirects = {{"/w.pth", "/moved.pth"},
                                             {"/round", "/round"},
                                             {"/file", "file://" + secret}}});
  EXPECT_EQ(FileText(Fetch(From(server), cache_)), content_);
  const auto fetch = [&](const char* name) {
    return CaughtError([&] { Fetch(Parse(server.url(name), digest_, 1.0), cache_); });
  };
  EXPECT_TRUE(fetch("round").starts_with(
      server.url("round") + ": cannot be downloaded: Maximum (5) redirects followed\n"));
  EXPECT_TRUE(fetch("file").starts_with(server.url("file") + ": cannot be downloaded: Protocol"));
}

TEST_F(WeightsSourceTest, NoNetworkSaysWhereToPutTheFile) {
  std::string url;
  {
    const HttpServer gone("");
    url = gone.url("w.pth");
  }
  const std::string text = CaughtError([&] { Fetch(Parse(url, digest_, 1.0), cache_); });
  EXPECT_TRUE(text.starts_with(url + ": cannot be downloaded: Failed to connect to 127.0.0.1 port"))
      << text;
  EXPECT_TRUE(text.ends_with("\nput the file at " + cached_.string() +
                             ", or give a path in model.backbone.weights"))
      << text;
}

TEST_F(WeightsSourceTest, ProgressCanStopItAndTheNextRunGoesOn) {
  HttpServer server(content_);
  try {
    Fetch(From(server), cache_, [](const DownloadProgress&) { return false; });
    FAIL() << "it was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
    EXPECT_EQ(error.remedy(), "run this again: it goes on from there");
  }
  std::uint64_t last = 0;
  Fetch(From(server), cache_, [&](const DownloadProgress& progress) {
    EXPECT_GE(progress.done_bytes, last);
    last = progress.done_bytes;
    return true;
  });
  EXPECT_EQ(last, content_.size());
  EXPECT_EQ(FileText(cached_), content_);
}

TEST_F(WeightsSourceTest, AWebPageInTheFilesPlaceIsToldAndNotKept) {
  HttpServer server("<!DOCTYPE html><title>Sign in</title>");
  EXPECT_EQ(CaughtError([&] { Fetch(From(server), cache_); }),
            server.url("w.pth") +
                ": is a web page\nits address gives a page, such as a login or a warning: download "
                "the file itself");
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
}

// A published file may have 64 MiB; others 1 GiB, which is too much for a test.
TEST_F(WeightsSourceTest, ADownloadWithoutEndIsCutAndNothingStays) {
  const auto refusal = [&](const HttpBehaviour& behaviour) {
    HttpServer server(content_, behaviour);
    WeightsSource source = From(server);
    source.most_bytes = kBackbone.largest_file_bytes;
    const std::string text = CaughtError([&] { Fetch(source, cache_); });
    const std::string url = server.url("w.pth");
    return text.starts_with(url) ? text.substr(url.size()) : text;
  };
  const std::string too_long =
      ": is longer than 64 MiB, so it is not the weights of a MobileNetV2; nothing of it is kept\n"
      "check the URL";
  EXPECT_EQ(refusal({.sends_without_end = true}), too_long);
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
  EXPECT_EQ(refusal({.states_bytes = std::size_t{65} << 20}), too_long);
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
}

TEST_F(WeightsSourceTest, ACacheThatCannotBeWrittenSaysSo) {
  HttpServer server(content_);
  const std::string remedy =
      "\nset WEIR_CACHE to a folder that can be written, or give a path in model.backbone.weights";
  folder_.Write("cache", "a file in the folder's place");
  EXPECT_EQ(CaughtError([&] { Fetch(From(server), cache_); }),
            "weights: the folder " + cache_.string() + " cannot be made: Not a directory" + remedy);
}

TEST_F(WeightsSourceTest, WhereNothingArrivesNothingIsLeft) {
  HttpServer server(content_, {.redirects = {{"/w.pth", "/w.pth"}}});
  EXPECT_THAT(CaughtError([&] { Fetch(From(server), cache_); }),
              testing::HasSubstr(": cannot be downloaded: Maximum (5) redirects followed\n"));
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
}

TEST_F(WeightsSourceTest, AnEmptyFileIsToldAsWhatItIs) {
  HttpServer server("");
  EXPECT_EQ(CaughtError([&] { Fetch(From(server), cache_); }),
            server.url("w.pth") + ": is empty\nput the file at " + cached_.string() +
                ", or give a path in model.backbone.weights");
  EXPECT_TRUE(std::filesystem::is_empty(cache_));
}

TEST_F(WeightsSourceTest, AFileAddressIsCopied) {
  const std::string path = folder_.Write("w.pth", content_).string();
  EXPECT_EQ(FileText(Fetch(Parse("file://" + path, digest_, 1.0), cache_)), content_);
}

TEST_F(WeightsSourceTest, WhatKerasPublishesWithoutADigestIsUsedWhereItLies) {
  const ScopedVariable home("HOME", folder_.path().c_str());
  const WeightsSource source = Parse("imagenet_keras", "", 1.0);
  const std::string name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5";
  EXPECT_EQ(CaughtError([&] { Fetch(source, cache_); }),
            "weights: 'imagenet_keras' is not on this machine, and is not downloaded, as its "
            "publisher states no sha256 to check it by\ndownload " +
                source.url + " to " + (cache_ / name).string() +
                ", or use weights: imagenet, which can be checked");
  const auto file = folder_.Write(".keras/models/" + name, "weights");
  EXPECT_EQ(Fetch(source, cache_), file);
}

TEST_F(WeightsSourceTest, APathIsUsedAsItIs) {
  const auto path = folder_.Write("w.pth", "weights");
  EXPECT_EQ(Fetch(Parse(path.string(), "", 1.0), cache_), path);
  const std::string none = (folder_ / "no.pth").string();
  EXPECT_EQ(CaughtError([&] { Fetch(Parse(none, "", 1.0), cache_); }),
            "weights: " + none + " does not exist\ncheck the path, or use weights: imagenet");
}

}  // namespace
}  // namespace weir
