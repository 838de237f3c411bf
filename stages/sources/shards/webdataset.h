// Begins the flow with the pictures in tar shards, as the `webdataset` Python package and
// `webdataset_writer` write them: files that lie one behind the other and differ only in what
// follows the first dot of their names are a sample.
//
//   000000042.jpg     the picture, of any ending that weir reads, or one that begins as such
//   000000042.cls     its label: a number, or the name of a class; another ending by `label`
//   000000042.json    if it says {"class": "ants"}, the name of the class of that number, or the
//                     label, where there is no other; another key by `class_key`
//
// Endings count in any case; what has neither picture nor label is left out and counted.
//
//   - webdataset: {shards: ["photos-{000000..000003}.tar"]}
//   - webdataset: {shards: ["https://host/photos-{000000..000003}.tar"]}
//   - webdataset: {shards: ["s3://bucket/folder/photos-{000000..000003}.tar"]}
//
// All passes are as listed_source.h has them, over all shards together: a shuffle is one of the
// whole, not of a buffer. The shards of `validation` go on counting where `shards` end. Without a
// label throughout, samples have none.
//
// Shards are looked through once, when the stage is built; pictures are then read where they lie. A
// shard that is compressed (.tar.gz, .tgz) is unpacked into a file without a name in WEIR_CACHE, or
// ~/.cache/weir, which takes its room on the disk until the end of the run. A sample costs some 30
// bytes and its name.
//
// Shards on servers are read where they lie, by ranges: looking them through fetches most of them
// once (remote_tar.h says what is kept of that), and each pass fetches its pictures anew,
// `remote.read_ahead` bytes before their turn. One that is changed meanwhile ends the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/byte_size.h"
#include "framework/config/duration.h"
#include "framework/config/params.h"
#include "framework/flow/data_reading.h"
#include "stages/sources/listed_source.h"
#include "stages/sources/shards/remote_read_ahead.h"
#include "stages/sources/shards/shard_index.h"

namespace weir {

class Webdataset final : public ListedSource {
 public:
  static constexpr std::string_view kName = "webdataset";
  static constexpr std::string_view kDoc = "Takes pictures and their labels from tar shards.";

  // How shards on servers are read.
  struct Remote {
    ByteSize read_ahead{std::uint64_t{16} << 20};
    int connections = 32;
    int tries = 6;
    Duration stall{30};

    static auto Fields() {
      return std::tuple{
          Field{"read_ahead", &Remote::read_ahead,
                "How much of the pictures that come next is fetched before their turn.",
                AtLeast{ByteSize{std::uint64_t{1} << 20}}},
          Field{"connections", &Remote::connections,
                "How many parts are fetched at once; more help where the server is far.",
                Range{1, 256}},
          Field{"tries", &Remote::tries,
                "How often a part is asked for, with longer pauses between, before the run ends.",
                Range{1, 100}},
          Field{"stall", &Remote::stall,
                "A try that brings less than 1 kB/s for so long is given up.", Range{0.01, 3600}}};
    }
    RemoteSettings settings() const {
      return {.connections = connections, .stall_s = stall.seconds, .tries = tries};
    }
  };

  struct Params {
    std::vector<std::filesystem::path> shards;
    std::string label = "cls";
    Auto<std::vector<std::string>> image{};
    std::string class_key = "class";
    double validation_split = 0;
    bool stratified = false;
    std::vector<std::filesystem::path> validation{};
    Auto<std::vector<std::string>> classes{};
    bool shuffle = true;
    Remote remote{};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"shards", &Params::shards,
                    "Tar files, folders of tar files, and ranges: photos-{000000..000003}.tar; "
                    "here, or on a server: https://host/photos-{000000..000003}.tar, "
                    "s3://bucket/photos-{000000..000003}.tar. "
                    "What is compressed (.tar.gz, .tgz) is unpacked in $WEIR_CACHE or "
                    "~/.cache/weir for as long as the run lasts.",
                    Required{}},
              Field{"label", &Params::label, "The ending of the files that hold the labels."},
              Field{"image", &Params::image,
                    "The endings of the pictures; auto is any that weir reads, of which a sample "
                    "may have one."},
              Field{
                  "class_key", &Params::class_key,
                  "The key in a sample's .json that has the name of its class; \"\" reads none."}},
          SplitFields<Params>(),
          std::tuple{Field{"validation", &Params::validation,
                           "Shards of their own to validate with; their labels are among those of "
                           "`shards`."},
                     Field{"remote", &Params::remote, "How shards on servers are read."}});
    }
    void Check(const Blame& blame) const;
  };

  static DataReading<Params> Reads();

  // Throws Error(kData) where shards are not as they should be.
  Webdataset(Params params, BuildContext& context);

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void BeginPass(const Pass& pass) override;
  bool IsReady() override { return !ahead_ || ahead_->IsReady(); }
  void set_on_ready(std::function<void()> on_ready) override;
  std::optional<ImageFile> Next(StageContext& context) override;

 private:
  void ReadAll(Listing& listing);
  std::string path(std::uint64_t index) const override { return index_.name(index); }
  std::optional<FilePart> part(std::uint64_t index) const override { return index_.part(index); }
  std::size_t listing_bytes() const override { return index_.bytes(); }

  Params params_;  // without its `classes` once it is made
  const int workers_;
  ShardIndex index_;                      // the samples of `shards`, then those of `validation`
  std::optional<RemoteReadAhead> ahead_;  // once it is open, where there are shards on servers
};

}  // namespace weir
