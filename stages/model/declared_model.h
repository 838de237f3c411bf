// The model that a configuration declares, for the pictures and classes of a pipeline.
#pragma once

#include <memory>
#include <string_view>

#include "framework/flow/stage.h"
#include "stages/model/model.h"

namespace weir {

// What to do where a stage needs the ModelSource and there is none.
inline constexpr const char* kDeclareTheModel = "Declare the model in the section `model`.";

// Takes the ModelSource and the Classes, if there are any, from the resources and the pictures'
// size from what arrives at `stage`. Throws Error(kConfig) where they do not go together.
std::shared_ptr<Model> DeclaredModel(std::string_view stage, const BuildContext& context);
// The same of `source`.
std::shared_ptr<Model> DeclaredModel(std::string_view stage, const BuildContext& context,
                                     const ModelSource& source);

}  // namespace weir
