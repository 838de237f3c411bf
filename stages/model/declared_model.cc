#include "stages/model/declared_model.h"

#include <string>

#include "framework/error.h"
#include "stages/payloads.h"

namespace weir {
namespace {

MapSize PictureSize(std::string_view stage, const ItemSpec& batches) {
  if (batches.dims.size() != 4 || batches.dims.back() != 3) {
    throw Error(ErrorKind::kConfig,
                "`" + std::string(stage) + "` needs batches of pictures of one size",
                "Put `augment: {size: [224, 224]}` and `batch` before it.");
  }
  return {static_cast<int>(batches.dims[1]), static_cast<int>(batches.dims[2])};
}

}  // namespace

std::shared_ptr<Model> DeclaredModel(std::string_view stage, const BuildContext& context) {
  return DeclaredModel(stage, context,
                       *context.resources.Require<ModelSource>(stage, kDeclareTheModel));
}

std::shared_ptr<Model> DeclaredModel(std::string_view stage, const BuildContext& context,
                                     const ModelSource& source) {
  const MapSize input = PictureSize(stage, context.upstream);
  const auto classes = context.resources.Find<Classes>();
  const Model::ClassNames names =
      classes ? Model::ClassNames(classes, &classes->names) : Model::ClassNames();
  return std::make_shared<Model>(source.config, source.convention, input, names, context.seed);
}

}  // namespace weir
