#include "stages/sources/list.h"

#include <system_error>

#include "framework/error.h"
#include "stages/sources/line_reader.h"
#include "stages/sources/listing/picture_names.h"

namespace weir {

void List::Params::Check(const Blame& blame) const {
  if (paths.empty() && !file) blame("paths", "`list` takes `paths`, a `file`, or both");
  if (root && !file) blame("root", "`root` says where the paths in `file` begin, which is not set");
}

std::vector<ResourceUse> List::Provides() {
  std::vector<ResourceUse> provided = ListedSource::Provides();
  std::erase_if(provided, [](const ResourceUse& use) { return use.name == Classes::kResource; });
  return provided;
}

DataReading<List::Params> List::Reads() {
  return {.use = DataUse::kUnlabelled,
          .fit = [](const std::filesystem::path&) { return DataFit::kAny; },
          .parameter = "paths",
          .member = &Params::paths};
}

List::List(const Params& params, BuildContext& context) : ListedSource(kName, context) {
  for (const std::filesystem::path& path : params.paths) {
    if (path == kStandardInput) {
      AddLines(LineReader::OfStandardInput(), "");
    } else {
      Add(path);
    }
  }
  if (params.file) {
    AddLines(LineReader(*params.file), params.root.value_or(params.file->parent_path()));
  }
  Offer({.size = files_.size(), .shuffle = params.shuffle, .notes = {files_.left_out()}}, context);
}

void List::Add(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::kData, "'" + path.string() + "' does not exist",
                "Name pictures, or folders that hold pictures.");
  }
  if (!std::filesystem::is_directory(status)) {
    const std::string text = path.string();
    const std::size_t slash = text.rfind('/') + 1;  // 0 where there is none
    files_.AddFile(std::string_view(text).substr(0, slash), std::string_view(text).substr(slash));
  } else if (files_.AddFolder(path.string(), true) == 0) {
    FileListing alone;  // counts nothing of the folders before
    alone.AddFolder(path.string(), true);
    const LeftOut& others = alone.left_out();
    throw Error(ErrorKind::kData,
                "'" + path.string() + "' has no pictures" +
                    (others.empty() ? "" : ", but " + others.Kinds()),
                "Pictures end in " + PictureEndings() + ".");
  }
}

void List::AddLines(LineReader lines, const std::filesystem::path& root) {
  const std::uint64_t before = files_.size();
  std::string first_place;
  while (const std::optional<std::string_view> line = lines.Next()) {
    if (line->empty()) continue;
    files_.AddNamed(root, *line, lines.place());
    if (first_place.empty()) first_place = lines.place();
  }
  if (!first_place.empty()) {
    files_.CheckFrom(before, root, first_place);
  } else {
    throw Error(ErrorKind::kData, lines.name() + " names no pictures", "Put a path on each line.");
  }
}

}  // namespace weir
