// What the stages of one pipeline share beside the packets: class names, the model, the outcome of
// training. A type shared so names itself:
//
//   struct Classes { static constexpr std::string_view kResource = "classes"; ... };
//
// and a stage declares which of them it gives and which it cannot do without:
//
//   static std::vector<ResourceUse> Provides() { return {ResourceOf<Model>()}; }
//   static std::vector<ResourceUse> Needs() {
//     return {ResourceOf<ModelSource>("Declare the model in the section `model`.")};
//   }
//
// A pipeline refuses a stage that needs what nothing before it gives. What a stage can do without
// it finds, and does not declare.
//
// Filled while the pipeline is built, in the order of its stages; read-only afterwards. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "framework/error.h"

namespace weir {

// A resource that a stage provides or needs.
struct ResourceUse {
  std::string_view name;                 // T::kResource
  const std::type_info* type = nullptr;  // &typeid(T)
  // What to do where nothing gives the resource; empty where this is no need.
  std::string_view remedy{};
};

template <class T>
ResourceUse ResourceOf(std::string_view remedy = {}) {
  return {T::kResource, &typeid(T), remedy};
}

// What the stage S declares; empty where it declares nothing.
template <class S>
std::vector<ResourceUse> ProvidedBy() {
  if constexpr (requires { S::Provides(); }) return S::Provides();
  return {};
}
template <class S>
std::vector<ResourceUse> NeededBy() {
  if constexpr (requires { S::Needs(); }) return S::Needs();
  return {};
}

// Whether one of them is the resource of that name.
bool Declares(const std::vector<ResourceUse>& uses, std::string_view resource);

class Resources {
 public:
  // Where one of that name is there already they are merged, if the type knows how to (Merge). Else
  // throws Error(kConfig): two stages both provide it, or mean two types by its name.
  template <class T>
  void Put(std::shared_ptr<T> resource) {
    const auto [found, is_new] =
        all_.emplace(std::string(T::kResource), Resource{resource, &typeid(T), user_});
    if (is_new) return;
    CheckType(ResourceOf<T>(), found->second, "provides");
    if constexpr (requires(T & there) { there.Merge(*resource); }) {
      std::static_pointer_cast<T>(found->second.value)->Merge(*resource);
    } else {
      throw Error(ErrorKind::kConfig,
                  "two stages of the pipeline both provide the " + std::string(T::kResource),
                  "Remove one of them.");
    }
  }

  // What the stage `who` cannot do without. Throws Error(kConfig) where there is none, or one of
  // another type.
  template <class T>
  std::shared_ptr<T> Require(std::string_view who, const std::string& remedy) const {
    if (auto found = Find<T>()) return found;
    ThrowMissing(who, T::kResource, remedy);
  }

  // Null where there is none. Throws Error(kConfig) where the one of that name is of another type.
  template <class T>
  std::shared_ptr<T> Find() const {
    const auto found = all_.find(T::kResource);
    if (found == all_.end()) return nullptr;
    CheckType(ResourceOf<T>(), found->second, "reads");
    return std::static_pointer_cast<T>(found->second.value);
  }

  // Throws Error(kConfig) where the stage that is being made needs what is not there, or is of
  // another type.
  void CheckNeeds(const std::vector<ResourceUse>& needs) const;

  // Puts those of `uses` that `other` has and this has not.
  void Share(const Resources& other, const std::vector<ResourceUse>& uses);

  // The stage that is being made: who puts and reads from now on, in messages. Empty: weir itself.
  void set_user(std::string user) { user_ = std::move(user); }

  // The names of the resources that `user` has put, sorted.
  std::vector<std::string> PutBy(std::string_view user) const;

 private:
  struct Resource {
    std::shared_ptr<void> value;
    const std::type_info* type;
    std::string put_by;
  };

  // Throws where what is `there` is not of the type of `use`.
  void CheckType(const ResourceUse& use, const Resource& there, std::string_view does) const;
  [[noreturn]] static void ThrowMissing(std::string_view who, std::string_view name,
                                        std::string remedy);

  std::map<std::string, Resource, std::less<>> all_;
  std::string user_;
};

}  // namespace weir
