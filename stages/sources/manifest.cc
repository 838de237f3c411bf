#include "stages/sources/manifest.h"

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "framework/error.h"
#include "stages/sources/listing/endings.h"
#include "stages/sources/manifest_reader.h"

namespace weir {
namespace {

enum class Use { kTraining, kValidation, kTest };

Use UseOf(const std::string& text, const ManifestReader& rows) {
  static constexpr std::array<std::pair<std::string_view, Use>, 7> kUses = {
      {{"train", Use::kTraining},
       {"training", Use::kTraining},
       {"validation", Use::kValidation},
       {"val", Use::kValidation},
       {"valid", Use::kValidation},
       {"dev", Use::kValidation},
       {"test", Use::kTest}}};
  const std::string lower = LowerCase(text);
  for (const auto& [name, use] : kUses) {
    if (lower == name) return use;
  }
  throw Error(ErrorKind::kData, rows.place() + ": '" + text + "' is no split",
              "There are train, validation and test.");
}

}  // namespace

void Manifest::Params::Check(const Blame& blame) const {
  CheckSplit(*this, validation.has_value(), blame);
  if (split_column && (validation || validation_split > 0)) {
    blame("split_column",
          "`split_column` says what is for validation, and so does `validation` or "
          "`validation_split`");
  }
}

DataReading<Manifest::Params> Manifest::Reads() {
  return {.use = DataUse::kLabelled,
          .fit =
              [](const std::filesystem::path& data) {
                return IsManifestName(data.string()) ? DataFit::kMade : DataFit::kNone;
              },
          .parameter = "path",
          .member = &Params::path,
          .kept = {"path_column", "label_column", "split_column", "root"}};
}

Manifest::Manifest(Params params, BuildContext& context)
    : ListedSource(kName, context), params_(std::move(params)) {
  Listing listing{.validation_split = params_.validation_split,
                  .stratified = params_.stratified,
                  .shuffle = params_.shuffle};
  ReadAll(listing);
  listing.size = files_.size();
  Offer(std::move(listing), context);
}

void Manifest::ReadAll(Listing& listing) {
  LabelTexts labels(params_.classes);
  params_.classes = Auto<std::vector<std::string>>();  // they may be long, and `labels` has them
  Read(params_.path, labels, listing);
  if (params_.validation) {
    listing.first_of_validation = files_.size();
    labels.Close();
    Read(*params_.validation, labels, listing);
  }
  listing.classes = labels.Settle(listing.labels);
}

void Manifest::Read(const std::filesystem::path& table, LabelTexts& labels, Listing& listing) {
  std::vector<std::string> columns = {params_.path_column, params_.label_column};
  if (params_.split_column) columns.push_back(*params_.split_column);
  const std::unique_ptr<ManifestReader> rows = ManifestReader::Open(table, columns);
  const std::filesystem::path root = params_.root.value_or(table.parent_path());
  listing.roots.push_back(root);
  const std::uint64_t before = files_.size();
  std::string first_place;
  while (const std::optional<std::span<const std::string>> row = rows->Next()) {
    if (params_.split_column) {
      const Use use = UseOf((*row)[2], *rows);
      if ((use == Use::kTest) == training()) continue;
      if (training()) listing.is_validation.push_back(use == Use::kValidation);
    }
    files_.AddNamed(root, (*row)[0], rows->place());
    if (files_.size() == before + 1) first_place = rows->place();
    listing.labels.push_back(labels.Add((*row)[1], [&] { return rows->place(); }));
  }
  if (files_.size() > before) {
    files_.CheckFrom(before, root, first_place);
  } else {
    if (!params_.split_column) {
      throw Error(ErrorKind::kData, table.string() + " lists no pictures", "Add a row for each.");
    }
    throw Error(ErrorKind::kData,
                table.string() + " lists no pictures " +
                    (training() ? "to train or to validate with" : "to test with"),
                "The column `" + *params_.split_column + "` says what each row is for.");
  }
}

}  // namespace weir
