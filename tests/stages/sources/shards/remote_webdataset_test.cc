// Shards on a server: the same samples as from shards on the disk, in few questions and within the
// memory that was leased.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "framework/error.h"
#include "stages/decode/decode.h"
#include "stages/picture_lists.h"
#include "tests/stages/sources/listed_pass.h"
#include "tests/stages/sources/shards/webdataset_fixture.h"
#include "tests/support/file_text.h"
#include "tests/support/range_server.h"

namespace weir {
namespace {

using testing::HasSubstr;

class RemoteWebdatasetTest : public WebdatasetTest {
 protected:
  // Serves the shards of these members.
  RangeServer& Serve(const std::vector<Members>& shards, bool compressed = false) {
    std::map<std::string, std::string> files;
    for (const Members& members : shards) {
      const std::string name =
          "/s-" + std::to_string(paths_.size()) + (compressed ? ".tgz" : ".tar");
      paths_.emplace_back(root_.path().string() + name);
      WriteTar(paths_.back(), members, ARCHIVE_FORMAT_TAR_USTAR, compressed);
      files[name] = FileText(paths_.back());
    }
    server_.emplace(std::move(files));
    return *server_;
  }

  // A source that is open, as in a run.
  std::unique_ptr<Webdataset> Open(Webdataset::Params params) {
    resources_ = Resources();
    BuildContext context{
        .upstream = {}, .resources = resources_, .seed = 1, .workers = 2, .is_interrupted = [this] {
          return is_interrupted_.load();
        }};
    auto source = std::make_unique<Webdataset>(std::move(params), context);
    OpenContext open{budget_};
    source->Open(open);
    return source;
  }

  // Goes through a pass as a flow does: a picture is read, and ends before the next.
  static std::vector<std::string> Contents(Webdataset& source, const Pass& pass) {
    std::vector<std::string> contents;
    StageContext context(pass, 0, [] { return false; });
    source.BeginPass(pass);
    while (const std::optional<ImageFile> file = source.Next(context)) {
      contents.push_back(std::to_string(file->sample.label) + " " + Content(file->content()));
    }
    source.EndPass(pass);
    return contents;
  }

  std::atomic<bool> is_interrupted_{false};
  std::vector<std::filesystem::path> paths_;
  std::optional<RangeServer> server_;
  MemoryBudget budget_{std::size_t{64} << 20};
};

Members LargeSamples(int first, int count, std::size_t bytes) {
  Members members = Samples(first, count);
  for (auto& [name, content] : members) {
    if (name.ends_with(".jpg")) content.resize(bytes, 'x');
  }
  return members;
}

TEST_F(RemoteWebdatasetTest, HasTheSameSamplesAsOnTheDisk) {
  for (const bool compressed : {false, true}) {
    paths_.clear();
    Serve({Samples(0, 40), Samples(40, 25)}, compressed);
    const std::string ending = compressed ? ".tgz" : ".tar";
    const Webdataset::Params params{.shards = {server_->url("/s-{0..1}" + ending)},
                                    .validation_split = 0.2};
    const auto remote = Open(params);
    Webdataset::Params here = params;
    here.shards = {root_ / ("s-{0..1}" + ending)};
    const auto local = Open(here);
    EXPECT_EQ(remote->classes(), local->classes());
    for (const Pass& pass :
         {Pass{.split = Split::kTrain}, Pass{.split = Split::kTrain, .epoch = 1},
          Pass{.split = Split::kTrain, .first_sample = 11}, Pass{.split = Split::kValidation}}) {
      EXPECT_EQ(Contents(*remote, pass), Contents(*local, pass));
    }
  }
}

TEST_F(RemoteWebdatasetTest, HasTheSameListOfPicturesAsOnTheDisk) {
  Serve({Samples(0, 10)});
  const auto list = [&](const std::filesystem::path& shard) {
    Open({.shards = {shard}});
    return resources_.Find<PictureLists>()->training;
  };
  EXPECT_EQ(list(server_->url("/s-0.tar")), list(paths_[0]));
}

TEST_F(RemoteWebdatasetTest, SaysWhatListingHasFetched) {
  Serve({LargeSamples(0, 300, 10'000), Samples(300, 10)});
  const auto note = [&] {
    Open({.shards = {server_->url("/s-{0..1}.tar")}});
    return resources_.Find<SourceNotes>()->notes.at(0);
  };
  EXPECT_THAT(note(), HasSubstr("2 shards on servers, 3.70 MiB in all: 3.6"));
  EXPECT_EQ(note(),
            "2 shards on servers, 3.70 MiB in all: 101 KiB were fetched to list them, and each "
            "pass fetches its pictures")
      << "64 KiB of the one, and all of the other";
}

TEST_F(RemoteWebdatasetTest, PicturesAreNamedByTheirAddresses) {
  Serve({Samples(0, 2)});
  const auto source = Open({.shards = {server_->url("/s-0.tar?token=secret")}, .shuffle = false});
  StageContext context({}, 0, [] { return false; });
  source->BeginPass({.split = Split::kTest});
  EXPECT_EQ(source->Next(context)->sample.path, server_->url("/s-0.tar/1000.jpg"));
}

TEST_F(RemoteWebdatasetTest, NeighboursAreFetchedTogether) {
  Serve({LargeSamples(0, 300, 10'000)});
  const auto source = Open({.shards = {server_->url("/s-0.tar")}, .shuffle = false});
  const std::size_t listed = server_->requests().size();
  EXPECT_LE(listed, 6u) << "3.7 MB, in parts of 1 MiB";
  EXPECT_EQ(Contents(*source, {.split = Split::kTrain}).size(), 300u);
  EXPECT_LE(server_->requests().size() - listed, 3u);
  EXPECT_LE(server_->connections(), 5u);
}

TEST_F(RemoteWebdatasetTest, WhatWasListedIsNotFetchedToBeListedAgain) {
  Serve({LargeSamples(0, 300, 10'000), Samples(300, 10)});
  const Webdataset::Params params{.shards = {server_->url("/s-{0..1}.tar")}, .class_key = ""};
  Open(params);
  const auto list = [&](const Webdataset::Params& of) {
    const std::size_t before = server_->requests().size();
    auto source = Open(of);
    const std::string pictures = resources_.Find<PictureLists>()->training;
    return std::pair(server_->requests().size() - before, pictures);
  };
  const std::string pictures = list({.shards = {paths_[0], paths_[1]}}).second;
  EXPECT_EQ(list(params), (std::pair{std::size_t{2}, pictures})) << "one question a shard";
  Webdataset::Params others = params;
  others.class_key = "class";  // stands in files that were passed over
  EXPECT_GT(list(others).first, 2u);

  // Nothing is known of another file, nor is anything taken from what was kept and damaged.
  server_->set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer.headers["ETag"] = "\"two\"";
  });
  EXPECT_GT(list(params).first, 4u);
  EXPECT_EQ(list(params).first, 2u);
  for (const auto& entry : std::filesystem::directory_iterator(root_ / "cache" / "shards")) {
    std::filesystem::resize_file(entry, std::filesystem::file_size(entry) - 9);
  }
  EXPECT_EQ(list(params).second, pictures);
  EXPECT_EQ(list(params), (std::pair{std::size_t{2}, pictures}));
}

TEST_F(RemoteWebdatasetTest, WhatWasKeptIsFoundByAnAddressThatIsSignedAnew) {
  Serve({LargeSamples(0, 300, 10'000)});
  const auto asked = [&](const std::string& query) {
    const std::size_t before = server_->requests().size();
    Open({.shards = {server_->url("/s-0.tar" + query)}});
    return server_->requests().size() - before;
  };
  EXPECT_GT(asked("?id=1&X-Amz-Date=1&X-Amz-Signature=one"), 1u);
  EXPECT_EQ(asked("?id=1&X-Amz-Date=2&X-Amz-Signature=two"), 1u);
  EXPECT_GT(asked("?id=2&X-Amz-Date=2&X-Amz-Signature=two"), 1u) << "this may be another file";
}

TEST_F(RemoteWebdatasetTest, WhatWasNotUsedForLongIsNotKept) {
  namespace fs = std::filesystem;
  const fs::path folder = root_ / "cache" / "shards";
  fs::create_directories(folder);
  const auto put = [&](const char* name, int days) {
    std::ofstream(folder / name) << "some";
    fs::last_write_time(folder / name,
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * days));
  };
  put("old.outline", 91);
  put("new.outline", 89);
  put(".killed.outline.7.partial", 2);
  put(".written.outline.8.partial", 0);
  put("other", 91);
  Serve({Samples(0, 2)});
  Open({.shards = {server_->url("/s-0.tar")}});
  for (const char* kept : {"new.outline", ".written.outline.8.partial", "other"}) {
    EXPECT_TRUE(fs::exists(folder / kept)) << kept;
  }
  for (const char* gone : {"old.outline", ".killed.outline.7.partial"}) {
    EXPECT_FALSE(fs::exists(folder / gone)) << gone;
  }
}

TEST_F(RemoteWebdatasetTest, WhatIsLargeIsNotFetchedToFindWhatLiesBehindIt) {
  Serve({LargeSamples(0, 4, 5'000'000)});
  Open({.shards = {server_->url("/s-0.tar")}});
  std::size_t bytes = 0;
  for (const RangeServer::Request& request : server_->requests()) {
    bytes += request.end - request.begin;
  }
  EXPECT_LT(bytes, 1'000'000u) << "of 20 MB";
}

TEST_F(RemoteWebdatasetTest, NoMoreIsHeldThanWasLeased) {
  Serve({LargeSamples(0, 200, 100'000)});
  Webdataset::Params params{.shards = {server_->url("/s-0.tar")}};
  params.remote.read_ahead = {std::uint64_t{2} << 20};
  const auto source = Open(params);
  const Footprint footprint = source->footprint();
  ASSERT_EQ(footprint.held.size(), 3u);
  EXPECT_EQ(footprint.held[1].what, "read-ahead from servers");
  EXPECT_EQ(footprint.held[1].bytes, (std::size_t{2} << 20) + RemoteReadAhead::bytes_beside());
  EXPECT_EQ(footprint.held[2].what, "connections to servers");
  EXPECT_EQ(budget_.usage().used_bytes, footprint.held_bytes());

  // Nobody decodes: of 20 MB only what there is room for is asked for, once.
  const std::size_t listed = server_->requests().size();
  source->BeginPass({.split = Split::kTrain});
  while (!source->IsReady()) {
    std::this_thread::yield();
  }
  StageContext context({}, 0, [] { return false; });
  std::vector<ImageFile> held;
  for (int i = 0; i < 20; ++i) held.push_back(*source->Next(context));
  const std::vector<RangeServer::Request> requests = server_->requests();
  std::size_t bytes = 0;
  for (std::size_t i = listed; i < requests.size(); ++i) {
    bytes += requests[i].end - requests[i].begin;
  }
  EXPECT_LE(bytes, std::size_t{2} << 20);
  for (const ImageFile& file : held) {
    EXPECT_EQ(Content(file.content()).size(), 100'000u) << "also what there was no room for";
  }
}

TEST_F(RemoteWebdatasetTest, WhatIsLargerThanTheReadAheadIsReadWhereItLies) {
  Serve({LargeSamples(0, 4, 1'500'000)});
  Webdataset::Params params{.shards = {server_->url("/s-0.tar")}};
  params.remote.read_ahead = {std::uint64_t{1} << 20};
  const auto source = Open(params);
  for (const std::string& content : Contents(*source, {.split = Split::kTrain})) {
    EXPECT_EQ(content.size(), 1'500'002u);
  }
}

// All the room is held by those that were taken: nobody would say that there is some again.
TEST_F(RemoteWebdatasetTest, IsReadyWhereNothingIsOnItsWay) {
  Serve({LargeSamples(0, 4, 400'000)});
  Webdataset::Params params{.shards = {server_->url("/s-0.tar")}};
  params.remote.read_ahead = {std::uint64_t{1} << 20};
  const auto source = Open(params);
  source->BeginPass({.split = Split::kTrain});
  StageContext context({}, 0, [] { return false; });
  std::vector<ImageFile> held;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(i < 2 || source->IsReady()) << i;
    held.push_back(*source->Next(context));
    EXPECT_EQ(Content(held.back().content()).size(), 400'000u);
  }
}

// --- Pictures that whoever decodes them reads from the server ------------------------------------

class LargeRemotePicture : public RemoteWebdatasetTest {
 protected:
  LargeRemotePicture() {
    const std::string header = "P6\n800 600\n255\n";
    Serve({{{"0.ppm", header + std::string(800 * 600 * 3, 'x')}, {"0.cls", "0"}}});
    Webdataset::Params params{.shards = {server_->url("/s-0.tar")}};
    params.remote = {.read_ahead = {std::uint64_t{1} << 20}, .tries = 1};
    source_ = Open(params);
    OpenContext open{budget_};
    decode_.Open(open);
    source_->BeginPass(pass_);
    picture_ = *source_->Next(context_);
  }

  // From this byte of the shard on another one is there.
  void ChangeFrom(std::size_t byte) {
    server_->set_bend([byte](const RangeServer::Request& request, RangeServer::Answer& answer) {
      if (request.begin >= byte) answer.headers["ETag"] = "\"two\"";
    });
  }

  const Pass pass_{.split = Split::kTrain};
  StageContext context_{pass_, 0, [] { return false; }};
  std::unique_ptr<Webdataset> source_;
  BuildContext build_{.upstream = {}, .resources = resources_};
  Decode decode_{{}, build_};
  ImageFile picture_;
};

TEST_F(LargeRemotePicture, IsNotLostWhereItsShardWasChanged) {
  constexpr const char* kChanged =
      "$/s-0.tar was changed while it was read: its ETag was \"one\", and is \"two\" now\n"
      "Begin again when it is whole.";
  ChangeFrom(0);
  EXPECT_EQ(server_->Shortened(CaughtError([&] { decode_.AdmissionBytes(picture_); })), kChanged);
  ChangeFrom(600'000);
  EXPECT_TRUE(std::holds_alternative<std::size_t>(decode_.AdmissionBytes(picture_)));
  EXPECT_EQ(server_->Shortened(CaughtError([&] { decode_.Map(picture_, context_); })), kChanged);
  server_->set_bend({});
  EXPECT_TRUE(std::holds_alternative<Image>(decode_.Map(picture_, context_))) << "as it was again";
}

TEST_F(LargeRemotePicture, IsNotLostWhereTheServerIsAway) {
  server_->set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer = {.status = "503 Slow Down", .headers = {{"Content-Length", "0"}}};
  });
  EXPECT_EQ(server_->Shortened(CaughtError([&] { decode_.Map(picture_, context_); })),
            "$/s-0.tar cannot be read: the server answered 503 Slow Down\n"
            "Try again when the server is well.");
}

TEST_F(LargeRemotePicture, IsNotLostWhereTheRunIsToEnd) {
  server_->set_bend([this](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer.sent_bytes = 0;
    answer.stalls = true;
    is_interrupted_ = true;
  });
  try {
    decode_.Map(picture_, context_);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST_F(RemoteWebdatasetTest, AShardThatIsChangedEndsTheRun) {
  Serve({Samples(0, 20)});
  const auto source = Open({.shards = {server_->url("/s-0.tar")}});
  server_->set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer.headers["ETag"] = "\"two\"";
  });
  EXPECT_EQ(server_->Shortened(CaughtError([&] { Contents(*source, {.split = Split::kTrain}); })),
            "$/s-0.tar was changed while it was read: its ETag was \"one\", and is \"two\" now\n"
            "Begin again when it is whole.");
}

TEST_F(RemoteWebdatasetTest, SaysWhatIsWrongWithShards) {
  Serve({Samples(0, 2)});
  const auto refusal = [&](const std::string& shard) {
    return server_->Shortened(CaughtError([&] { Make({.shards = {shard}}); }));
  };
  EXPECT_EQ(refusal(server_->url("/s-{0..1}.tar")),
            "$/s-1.tar cannot be read: the server answered 404 Not Found\nCheck the address.");
  EXPECT_EQ(server_->Shortened(CaughtError([&] {
    Make({.shards = {server_->url("/s-0.tar"), server_->url("/s-0.tar")}});
  })),
            "webdataset.shards: $/s-0.tar is named twice\nName it once.");
  server_->set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    std::fill(answer.body.begin(), answer.body.begin() + 600, 'x');
    answer.headers["ETag"] = "\"two\"";  // or what was kept of it is read
  });
  EXPECT_EQ(refusal(server_->url("/s-{0..9999999}.tar?token=secret")),
            "webdataset.shards: {0..9999999} is no range of shards\n"
            "Write one as {000000..000012}, of a million at most.");
  EXPECT_EQ(
      refusal(server_->url("/s-{00..99}{00..99}{00..99}{0..1}.tar?token=secret")),
      "webdataset.shards: $/s-{00..99}{00..99}{00..99}{0..1}.tar is more shards than are "
      "read\nBraces multiply: {00..99}{00..99} is 10,000. A million shards are the most, with "
      "64 MiB of names.");
  EXPECT_EQ(refusal(server_->url("/s-0.tar?token={se..cret}")),
            "webdataset.shards: {...} is no range of shards\n"
            "Write one as {000000..000012}, of a million at most.");
  EXPECT_THAT(refusal(server_->url("/s-0.tar")),
              HasSubstr("$/s-0.tar cannot be read as a tar file"));
}

}  // namespace
}  // namespace weir
