#include "stages/model/export/formats/keras/hdf5_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

// As an array of a group: {number, number + 1}.
std::vector<float> Numbered(int number) {
  return {static_cast<float>(number), static_cast<float>(number) + 1};
}

std::string Path(int number) { return "layers/dense_" + std::to_string(number) + "/vars/0"; }

// So many groups are more than the library keeps in memory: it reads them again to add others.
TEST(Hdf5Writer, WritesManyGroupsAndLongTexts) {
  constexpr int kGroups = 3000;
  const ScratchFolder folder;
  const std::string text(100'000, 'x');
  {
    AtomicFile file(folder / "file");
    Hdf5Writer writer(file);
    writer.AddText("/", "text", text);
    for (int i = 0; i < kGroups; ++i) writer.AddArray(Path(i), {2}, Numbered(i));
    writer.Close();
    file.Commit();
  }
  const Hdf5Handle file(H5Fopen((folder / "file").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
  for (int i = 0; i < kGroups; ++i) {
    const Hdf5Handle array(H5Dopen2(file.id(), Path(i).c_str(), H5P_DEFAULT), &H5Dclose);
    std::vector<float> values(2);
    ASSERT_GE(H5Dread(array.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
              0);
    ASSERT_EQ(values, Numbered(i));
  }
  const Hdf5Handle attribute(H5Aopen(file.id(), "text", H5P_DEFAULT), &H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.id()), &H5Tclose);
  char* read = nullptr;
  ASSERT_GE(H5Aread(attribute.id(), type.id(), static_cast<void*>(&read)), 0);
  EXPECT_EQ(read, text);
  H5free_memory(read);
}

// The file's own words, wherever it fails, and nothing of the library's on standard error.
TEST(Hdf5Writer, SaysWhatTheFileSays) {
  const ScratchFolder folder;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{1000}, rlim_t{100'000}}) {
    testing::internal::CaptureStderr();
    const rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string said = CaughtError([&folder] {
      AtomicFile file(folder / "file");
      Hdf5Writer writer(file);
      for (int i = 0; i < 100; ++i) {
        writer.AddArray(Path(i), {1000}, std::vector<float>(1000));
      }
      writer.Close();
      file.Commit();
    });
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(said, testing::StartsWith((folder / "file").string() +
                                          ": cannot be written: File too large\n"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
  std::signal(SIGXFSZ, handler);
}

TEST(Hdf5Writer, SaysWhyTheLibraryRefuses) {
  const ScratchFolder folder;
  AtomicFile file(folder / "file");
  Hdf5Writer writer(file);
  writer.AddGroup("vars");
  EXPECT_EQ(CaughtError([&writer] { writer.AddGroup("vars"); }),
            "the HDF5 library refuses to write: name already exists\n");
}

}  // namespace
}  // namespace weir
