#include "framework/flow/resources.h"

#include <algorithm>

#include "framework/flow/type_name.h"

namespace weir {
namespace {

std::string Called(std::string_view user) {
  return user.empty() ? "weir itself" : "`" + std::string(user) + "`";
}

}  // namespace

bool Declares(const std::vector<ResourceUse>& uses, std::string_view resource) {
  return std::any_of(uses.begin(), uses.end(),
                     [&](const ResourceUse& use) { return use.name == resource; });
}

void Resources::CheckNeeds(const std::vector<ResourceUse>& needs) const {
  for (const ResourceUse& need : needs) {
    const auto found = all_.find(need.name);
    if (found == all_.end() || !found->second.value) {
      ThrowMissing(user_, need.name, std::string(need.remedy));
    }
    CheckType(need, found->second, "reads");
  }
}

void Resources::Share(const Resources& other, const std::vector<ResourceUse>& uses) {
  for (const ResourceUse& use : uses) {
    const auto found = other.all_.find(use.name);
    if (found != other.all_.end()) all_.insert(*found);
  }
}

std::vector<std::string> Resources::PutBy(std::string_view user) const {
  std::vector<std::string> names;
  for (const auto& [name, resource] : all_) {
    if (resource.put_by == user) names.push_back(name);
  }
  return names;
}

void Resources::CheckType(const ResourceUse& use, const Resource& there,
                          std::string_view does) const {
  if (*use.type == *there.type) return;
  const std::string name(use.name);
  throw Error(ErrorKind::kConfig,
              "the resource `" + name + "` that " + Called(user_) + " " + std::string(does) +
                  " is the type " + TypeName(*use.type) + ", and the one that " +
                  Called(there.put_by) + " put there is " + TypeName(*there.type),
              "Use the resource's own header, or a kResource of another name.");
}

void Resources::ThrowMissing(std::string_view who, std::string_view name, std::string remedy) {
  throw Error(ErrorKind::kConfig,
              "`" + std::string(who) + "` needs the " + std::string(name) +
                  ", which nothing before it gives",
              std::move(remedy));
}

}  // namespace weir
