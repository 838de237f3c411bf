// What the stages of one pipeline share beside the packets: class names, the model, the outcome of
// training. A type shared so names itself:
//
//   struct Classes { static constexpr std::string_view kResource = "classes"; ... };
//
// Filled while the pipeline is built, in the order of its stages; read-only afterwards. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "framework/error.h"

namespace weir {

class Resources {
 public:
  // Where one of that name is there already they are merged, if the type knows how to (Merge). Else
  // throws Error(kConfig): two stages both provide it.
  template <class T>
  void Put(std::shared_ptr<T> resource) {
    const auto [found, is_new] = all_.emplace(T::kResource, resource);
    if (is_new) return;
    if constexpr (requires(T & there) { there.Merge(*resource); }) {
      std::static_pointer_cast<T>(found->second)->Merge(*resource);
    } else {
      throw Error(ErrorKind::kConfig,
                  "two stages of the pipeline both provide the " + std::string(T::kResource),
                  "Remove one of them.");
    }
  }

  // What the stage `who` cannot do without. Throws Error(kConfig) where there is none.
  template <class T>
  std::shared_ptr<T> Require(std::string_view who, std::string remedy) const {
    if (auto found = Find<T>()) return found;
    throw Error(ErrorKind::kConfig,
                "`" + std::string(who) + "` needs the " + std::string(T::kResource) +
                    ", which nothing before it gives",
                std::move(remedy));
  }

  // Null where there is none.
  template <class T>
  std::shared_ptr<T> Find() const {
    const auto found = all_.find(T::kResource);
    return found == all_.end() ? nullptr : std::static_pointer_cast<T>(found->second);
  }

 private:
  std::map<std::string, std::shared_ptr<void>, std::less<>> all_;
};

}  // namespace weir
