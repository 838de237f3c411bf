// Keras' files of weights, written by the HDF5 library as h5py writes them for Keras.
#pragma once

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weir {

struct KerasWeight {
  std::string name;  // "kernel"
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct KerasFileLayer {
  std::string name;
  std::vector<KerasWeight> weights;
};

enum class KerasText { kFixed, kVariable };  // Keras 2 writes texts of one length, Keras 3 of any

namespace keras_files {

inline hid_t MakeGroup(hid_t file, const std::string& path) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t group = H5Gcreate2(file, path.c_str(), links, H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(links);
  return group;
}

inline void WriteTexts(hid_t object, const char* name, const std::vector<std::string>& texts,
                       KerasText how) {
  if (texts.empty()) {  // numpy takes it for numbers
    const hsize_t none = 0;
    const hid_t space = H5Screate_simple(1, &none, nullptr);
    H5Aclose(H5Acreate2(object, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    return;
  }
  std::size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, how == KerasText::kFixed ? length : H5T_VARIABLE);
  const hsize_t count = texts.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (how == KerasText::kFixed) {
    std::string bytes;
    for (const std::string& text : texts) bytes += text + std::string(length - text.size(), '\0');
    H5Awrite(attribute, type, bytes.data());
  } else {
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    H5Awrite(attribute, type, pointers.data());
  }
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

inline void WriteDataset(hid_t file, const std::string& path, const KerasWeight& weight,
                         bool chunked = false) {
  std::vector<hsize_t> shape(weight.shape.begin(), weight.shape.end());
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  if (chunked) H5Pset_chunk(layout, static_cast<int>(shape.size()), shape.data());
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(file, path.c_str(), H5T_IEEE_F32LE, space, links, layout, H5P_DEFAULT);
  H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data());
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(layout);
  H5Pclose(links);
}

}  // namespace keras_files

// The legacy layout, below `root` ("" or "/model_weights", as in a file of a whole model).
inline void WriteLegacyH5(const std::filesystem::path& path,
                          const std::vector<KerasFileLayer>& layers, KerasText how,
                          const std::string& root = "", bool chunked = false) {
  using namespace keras_files;
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  std::vector<std::string> names;
  for (const KerasFileLayer& layer : layers) {
    names.push_back(layer.name);
    const hid_t group = MakeGroup(file, root + "/" + layer.name);
    std::vector<std::string> weights;
    for (const KerasWeight& weight : layer.weights) {
      weights.push_back(layer.name + "/" + weight.name + ":0");
      WriteDataset(file, root + "/" + layer.name + "/" + weights.back(), weight, chunked);
    }
    WriteTexts(group, "weight_names", weights, how);
    H5Gclose(group);
  }
  const hid_t group = H5Gopen2(file, root.empty() ? "/" : root.c_str(), H5P_DEFAULT);
  WriteTexts(group, "layer_names", names, how);
  H5Gclose(group);
  H5Fclose(file);
}

// Keras 3's layout. A layer's name is its own ("conv2d_3"); `given_names`, as many or none, are
// what the model calls them, which Keras has written since 3.5 or so.
inline void WriteWeightsH5(const std::filesystem::path& path,
                           const std::vector<KerasFileLayer>& layers,
                           const std::vector<std::string>& given_names = {}) {
  using namespace keras_files;
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string vars = "/layers/" + layers[i].name + "/vars";
    const hid_t group = MakeGroup(file, vars);
    if (!given_names.empty()) WriteTexts(group, "name", {given_names[i]}, KerasText::kVariable);
    for (std::size_t weight = 0; weight < layers[i].weights.size(); ++weight) {
      WriteDataset(file, vars + "/" + std::to_string(weight), layers[i].weights[weight]);
    }
    H5Gclose(group);
  }
  H5Fclose(file);
}

}  // namespace weir
