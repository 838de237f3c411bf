#include "stages/writers/webdataset_writer.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "framework/write_error.h"
#include "stages/files/atomic_file.h"
#include "stages/files/class_names.h"
#include "stages/files/output_files.h"
#include "stages/files/tar_writer.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kArchiveBytes = 64 << 10;  // libarchive's own, and a sample's small files

}  // namespace

// One tar file.
class WebdatasetWriter::Shard {
 public:
  explicit Shard(const fs::path& path) : file_(path), archive_(file_) {}

  void Add(const std::string& name, std::string_view content) { archive_.Add(name, content); }
  void Commit() {
    archive_.Close();
    file_.Commit();
  }

  std::uint64_t bytes() const { return archive_.bytes(); }

 private:
  AtomicFile file_;
  TarWriter archive_;
};

void WebdatasetWriter::Params::Check(const Blame& blame) const {
  if (prefix.empty() || prefix.find('/') != std::string::npos) {
    blame("prefix", "`prefix` takes the beginning of a file's name");
  }
}

WebdatasetWriter::WebdatasetWriter(const Params& params, BuildContext& context)
    : params_(params), classes_(context.resources.Find<Classes>()) {
  if (classes_) CheckClassNames(std::string(kName), classes_->names);
  ClaimOutput(context.resources, params_.folder / params_.prefix);
}

WebdatasetWriter::~WebdatasetWriter() = default;

Footprint WebdatasetWriter::footprint() const {
  return {.held = {{"tar", MemoryTag::kReserve, kArchiveBytes}}};
}

void WebdatasetWriter::Open(OpenContext&) {
  std::error_code error;
  fs::create_directories(params_.folder, error);
  if (error) {
    throw WriteError(params_.folder, "the folder cannot be made", error.value(),
                     "give another `folder`");
  }
  for (const auto& entry : fs::directory_iterator(params_.folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(params_.prefix + "-") || !name.ends_with(".tar")) continue;
    throw Error(ErrorKind::kData,
                "webdataset_writer: " + entry.path().string() + " is there already",
                "Give another `folder` or `prefix`, or remove its shards.");
  }
  if (error) {  // what is in there might be written over
    throw Error(ErrorKind::kData,
                "cannot list the folder " + params_.folder.string() + ": " + error.message(),
                "See that it can be read, or give another `folder`.");
  }
}

void WebdatasetWriter::BeginPass(const Pass&) { shard_.reset(); }

fs::path WebdatasetWriter::NextPath() {
  char number[16];
  std::snprintf(number, sizeof number, "-%06d.tar", shards_++);
  return params_.folder / (params_.prefix + number);
}

void WebdatasetWriter::Consume(const EncodedImage& image, StageContext&) {
  if (!shard_) shard_ = std::make_unique<Shard>(NextPath());
  char key[24];
  std::snprintf(key, sizeof key, "%09llu", static_cast<unsigned long long>(image.sample.index));
  const auto* content = reinterpret_cast<const char*>(image.content.data());
  shard_->Add(std::string(key) + "." + image.ending, {content, image.content.size()});
  nlohmann::ordered_json origin;
  if (image.sample.label >= 0) {
    shard_->Add(std::string(key) + ".cls", std::to_string(image.sample.label));
    if (classes_) origin["class"] = classes_->names.at(image.sample.label);
  }
  origin["path"] = image.sample.path;
  shard_->Add(std::string(key) + ".json",
              origin.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (shard_->bytes() >= params_.shard_size.bytes) {
    shard_->Commit();
    shard_.reset();
  }
}

void WebdatasetWriter::EndPass(const Pass&) {
  if (!shard_) return;
  shard_->Commit();
  shard_.reset();
}

}  // namespace weir
