#include "stages/writers/webdataset_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "framework/write_error.h"
#include "stages/files/atomic_file.h"
#include "stages/files/class_names.h"
#include "stages/files/output_files.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kArchiveBytes = 64 << 10;  // libarchive's own, and a sample's small files

}  // namespace

// One tar file, through libarchive.
class WebdatasetWriter::Shard {
 public:
  explicit Shard(const fs::path& path) : path_(path), file_(path), archive_(archive_write_new()) {
    if (!archive_) throw std::bad_alloc();
    archive_write_set_format_ustar(archive_.get());
    archive_write_set_bytes_per_block(archive_.get(), 0);  // each piece is given on at once
    Check(archive_write_open2(archive_.get(), this, nullptr, &Shard::Write, nullptr, nullptr));
  }

  void Add(const std::string& name, std::string_view content) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    if (!entry) throw std::bad_alloc();
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    Check(archive_write_header(archive_.get(), entry.get()));
    if (archive_write_data(archive_.get(), content.data(), content.size()) < 0)
      Check(ARCHIVE_FATAL);
  }

  void Commit() {
    Check(archive_write_close(archive_.get()));
    file_.Commit();
  }

  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(struct archive* archive) const { archive_write_free(archive); }
  };

  // Called by libarchive; no exception goes through it.
  static la_ssize_t Write(struct archive*, void* self, const void* bytes, std::size_t size) {
    auto& shard = *static_cast<Shard*>(self);
    if (shard.error_) return -1;
    try {
      shard.file_.Write({static_cast<const std::byte*>(bytes), size});
    } catch (...) {
      shard.error_ = std::current_exception();
      return -1;
    }
    shard.bytes_ += size;
    return static_cast<la_ssize_t>(size);
  }

  void Check(int status) {
    if (error_) std::rethrow_exception(error_);
    if (status >= ARCHIVE_WARN) return;
    if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
    const char* const what = archive_error_string(archive_.get());
    throw Error(ErrorKind::kData,
                path_.string() + " cannot be written: " + (what ? what : "libarchive failed"),
                "See what is wrong with that place, or give another `folder`.");
  }

  const fs::path path_;
  AtomicFile file_;
  std::exception_ptr error_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<struct archive, Free> archive_;  // its end writes, to nowhere after a Commit()
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
