#include "stages/model/weights/foreign_file.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "stages/model/weights/weights_file.h"
#include "tests/support/caught_error.h"
#include "tests/support/pth_bytes.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using namespace std::string_literals;

class ForeignFile : public testing::Test {
 protected:
  // What is said of a file of these bytes, without its path, and what to do.
  std::string Said(const std::string& bytes) {
    const std::string path = folder_.Write("w.pth", bytes).string();
    const std::string text = CaughtError([&] { WeightsFile::Open(path); });
    return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
  }
  std::string What(const std::string& bytes) {
    const std::string text = Said(bytes);
    return text.substr(0, text.find('\n'));
  }

  ScratchFolder folder_;
};

TEST_F(ForeignFile, APointerAndAWebPageSayWhatToDo) {
  EXPECT_EQ(
      Said("version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
           "\nsize 14212972\n"),
      "is a Git LFS pointer and not the file that it points to\n"
      "fetch the file: run `git lfs pull` in its repository, or use its page's download link");
  EXPECT_EQ(Said("\xef\xbb\xbf\n <!DOCTYPE HTML>\n<html><title>Google Drive</title>"),
            "is a web page\n"
            "its address gives a page, such as a login or a warning: download the file itself");
  EXPECT_EQ(What("<HTML>\n<head>"), "is a web page");
}

TEST_F(ForeignFile, ATextIsShown) {
  EXPECT_EQ(
      Said("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
      "is a text in XML, as servers send errors: '<?xml "
      "version=\"1.0\"?><Error><Code>AccessDenied</Code></Error...'\ndownload the file itself");
  EXPECT_EQ(What("{\"error\": \"Repository not found\"}"),
            "is a text in JSON: '{\"error\": \"Repository not found\"}'");
  EXPECT_EQ(What("Entry not found"), "is a text: 'Entry not found'");
  EXPECT_EQ(What("{\"metadata\": {}, \"weight_map\": {}}"),
            "is the index of weights in several files");
  EXPECT_EQ(What("\r\n\r\n"), "holds nothing but blanks");
  EXPECT_EQ(What(""), "is empty");
}

TEST_F(ForeignFile, OtherFormatsAreCalledByTheirNames) {
  EXPECT_EQ(Said("\x1f\x8b\x08"s + std::string(20, '\0')),
            "is compressed by gzip\nunpack it, and give the file of weights that is in it");
  EXPECT_EQ(What("weights/\0"s + std::string(248, '\0') + "ustar"), "is a tar archive");
  EXPECT_EQ(What("sys_info\0"s + std::string(248, '\0') + "ustar"),
            "is a file of PyTorch before 0.2");
  EXPECT_EQ(What("\x93NUMPY\x01\0"s), "is an array of NumPy");
  EXPECT_EQ(What("\x1c\0\0\0TFL3"s), "is a TensorFlow Lite model");
  EXPECT_EQ(What("\x08\x07\x12\x07pytorch\x1a"s), "is an ONNX model");
  EXPECT_EQ(What("\x80\x04\x95\x05\0"s), "is a pickle that torch.save did not write");
  EXPECT_EQ(What("\xff\xd8\xff\xe0"s), "is a picture (JPEG)");
  EXPECT_EQ(What(std::string(100, '\0')),
            "begins with zeros alone, as a download does that did not finish");
  EXPECT_EQ(What("\x01\x02\x03"), "is none of the weight files that are read");
}

TEST_F(ForeignFile, AZipOfSomethingElseIsToldByWhatIsInIt) {
  EXPECT_EQ(Said(ZipBytes({{"m/data.pkl", "}."}, {"m/constants.pkl", "."}, {"m/code/a.py", ""}})),
            "is a TorchScript archive, which holds a program with its weights\nsave the weights "
            "alone, by torch.save(torch.jit.load(path).state_dict(), new_path)");
  EXPECT_EQ(What(ZipBytes({{"m/archive_format", "pt2"}})),
            "is a program of torch.export, which holds weights");
  EXPECT_EQ(Said(ZipBytes({{"weights/best.pth", "PK"}})),
            "is a zip archive with 'weights/best.pth' in it\nunpack it, and give that file");
  EXPECT_EQ(What(ZipBytes({{"arr_0.npy", ""}})), "is an archive of NumPy's arrays (.npz)");
  EXPECT_EQ(What(ZipBytes({{"m/saved_model.pb", ""}})),
            "is a TensorFlow SavedModel in a zip archive");
  EXPECT_EQ(What(ZipBytes({{"readme.txt", "hello"}})),
            "is a zip archive that torch.save did not write: it holds no data.pkl");
}

}  // namespace
}  // namespace weir
