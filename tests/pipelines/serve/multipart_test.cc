#include "pipelines/serve/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/pipelines/serve/caught_refusal.h"

namespace weir {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=cut";

std::string File(const std::string& name, const std::string& content) {
  return "--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" + name +
         "\"\r\nContent-Type: image/jpeg\r\n\r\n" + content + "\r\n";
}

// "a.jpg=content b.jpg=..."
std::string Read(const std::string& body, const std::string& type = kType) {
  std::string said;
  for (const FormFile& file : FilesOfForm(type, body)) {
    said += (said.empty() ? "" : " ") + std::string(file.name) + "=" + std::string(file.content);
  }
  return said;
}

TEST(MultipartTest, GivesTheFilesInTheirOrder) {
  const std::string form = File("a.jpg", "one") + File("b.jpg", "two\r\n--cu") + "--cut--\r\n";
  EXPECT_EQ(Read(form), "a.jpg=one b.jpg=two\r\n--cu");
  EXPECT_EQ(Read("what stands before\r\n" + form + "and behind"), "a.jpg=one b.jpg=two\r\n--cu");
  EXPECT_EQ(Read(form, "Multipart/Form-Data; charset=utf-8; boundary=\"cut\""),
            "a.jpg=one b.jpg=two\r\n--cu");
}

TEST(MultipartTest, LeavesFieldsOut) {
  EXPECT_EQ(Read("--cut\r\nContent-Disposition: form-data; name=\"top\"\r\n\r\n5\r\n" +
                 File("a.jpg", "") + "--cut\r\n\r\nno head\r\n--cut--"),
            "a.jpg=");
}

TEST(MultipartTest, TakesNamesAsTheyAreSent) {
  EXPECT_EQ(Read("--cut\r\ncontent-disposition: form-data; filename=plain.jpg ; name=f\r\n\r\n1\r\n"
                 "--cut\r\nX: y\r\nContent-Disposition: form-data; filename=\"a \\\"b\\\"; c.jpg\""
                 "\r\n\r\n2\r\n--cut--"),
            "plain.jpg=1 a \\\"b\\\"; c.jpg=2");
}

TEST(MultipartTest, RefusesWhatIsNoForm) {
  const auto refusal = [](const std::string& body, const std::string& type = kType) {
    return RefusalOf([&] { Read(body, type); });
  };
  const std::string file = File("a.jpg", "one");
  EXPECT_EQ(refusal(file + "--cut--", "multipart/form-data"), "400: the form has no boundary");
  EXPECT_EQ(refusal(file + "--cut--", "multipart/form-data; boundary="),
            "400: the form has no boundary");
  EXPECT_EQ(refusal(file + "--cut--", "multipart/form-data; boundary=" + std::string(71, 'a')),
            "400: the form has no boundary");
  EXPECT_EQ(refusal("one"), "400: the form does not have its boundary");
  EXPECT_EQ(refusal(file), "400: the form ends within a part");
  EXPECT_EQ(refusal("--cut\r\nX: y\r\none\r\n--cut--"), "400: the form has a part without a head");
  EXPECT_EQ(refusal("--cut\r\nX: " + std::string(5000, 'y') + "\r\n\r\none\r\n--cut--"),
            "400: the form has a part without a head");
  EXPECT_EQ(refusal(file + "--cutlery\r\n"),
            "400: the form has a boundary with something behind it");
  EXPECT_EQ(refusal(file + "--cut"), "400: the form has a boundary with something behind it");
}

TEST(MultipartTest, HasSoManyPartsAtMost) {
  std::string form;
  for (int i = 0; i < kMostFormParts; ++i) form += File("a", "");
  EXPECT_THAT(FilesOfForm(kType, form + "--cut--"), testing::SizeIs(kMostFormParts));
  EXPECT_EQ(RefusalOf([&] { Read(form + File("a", "") + "--cut--"); }),
            "400: the form has more than 1000 parts");
}

}  // namespace
}  // namespace weir
