#include "stages/model/export/formats/tflite/stored_zip.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "stages/model/weights/containers/zip_directory.h"

namespace weir {
namespace {

TEST(StoredZip, IsFoundBehindWhateverStandsBeforeIt) {
  const std::string before = "something else";
  const std::string file = before + StoredZip(before.size(), "labels.txt", "ants\nbees\n");
  const ZipDirectory directory(std::as_bytes(std::span(file)), "a file");
  ASSERT_EQ(directory.entries().size(), 1);
  const ZipEntry* entry = directory.Find("labels.txt");
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(entry->Intact());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(entry->bytes.data()), entry->bytes.size()),
            "ants\nbees\n");
}

TEST(StoredZip, HoldsAnEmptyFile) {
  const std::string file = StoredZip(0, "labels.txt", "");
  const ZipDirectory directory(std::as_bytes(std::span(file)), "a file");
  ASSERT_NE(directory.Find("labels.txt"), nullptr);
  EXPECT_TRUE(directory.Find("labels.txt")->Intact());
}

}  // namespace
}  // namespace weir
