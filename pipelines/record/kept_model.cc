#include "pipelines/record/kept_model.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "framework/error.h"
#include "framework/write_error.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStaged = "kept-";
constexpr std::string_view kReplaced = "replaced";
constexpr const char* kRemedy = "check that the folder can be written to";

[[noreturn]] void Refuse(const fs::path& path, int error) {
  throw WriteError(path, "the model cannot be put in its place", error, kRemedy);
}

void Rename(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) Refuse(to, errno);
}

// Whether the file system cannot exchange two names in one step.
bool IsNotSupported(int error) { return error == EINVAL || error == ENOSYS || error == ENOTSUP; }

// The two folders change their names. Where the file system cannot do it in one step there is an
// instant without `place`, after which Recover() goes on.
void Exchange(const fs::path& staged, const fs::path& place) {
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) return;
  if (!IsNotSupported(errno)) Refuse(place, errno);
  const fs::path aside = staged.parent_path() / kReplaced;
  std::error_code unknown;  // what stays is removed by the next --resume
  fs::remove_all(aside, unknown);
  Rename(place, aside);
  Rename(staged, place);
  fs::remove_all(aside, unknown);
}

}  // namespace

fs::path KeptModelFolder::Staged(int epoch) const {
  return checkpoints_ / (std::string(kStaged) + std::to_string(epoch));
}

void KeptModelFolder::Stage(int epoch, const std::function<void(const fs::path&)>& write) const {
  std::error_code unknown;
  fs::remove_all(Staged(epoch), unknown);  // a file that stays is written over
  write(Staged(epoch));
}

void KeptModelFolder::Publish(int epoch) const {
  const fs::path staged = Staged(epoch);
  std::error_code unknown;
  if (!fs::exists(model_, unknown)) return Rename(staged, model_);
  Exchange(staged, model_);
  fs::remove_all(staged, unknown);  // what could not be removed now is at the next --resume
}

std::string KeptModelFolder::Recover(int epoch,
                                     const std::function<int(const fs::path&)>& epoch_of) const {
  // Empty where the folder holds the model of that epoch.
  const auto why_not = [&](const fs::path& folder) -> std::string {
    try {
      const int found = epoch_of(folder);
      return found == epoch ? "" : "it holds that of epoch " + std::to_string(found);
    } catch (const Error& error) {
      return error.what();
    }
  };
  std::error_code unknown;
  if (epoch > 0) {
    const fs::path staged = Staged(epoch);
    const bool is_there = fs::exists(staged, unknown);
    const std::string unpublished = is_there ? why_not(staged) : "";
    if (is_there && unpublished.empty()) Publish(epoch);
    // Where the model is in its place already, what was there before has its staged name now.
    const std::string problem = why_not(model_);
    if (!problem.empty()) {
      return unpublished.empty() ? problem
                                 : problem + "; and in " + staged.string() + ": " + unpublished;
    }
  }
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(checkpoints_, unknown)) {
    const std::string name = entry.path().filename().string();
    if (name == kReplaced || name.starts_with(kStaged)) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove_all(other, unknown);
  return "";
}

}  // namespace weir
