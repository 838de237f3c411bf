#include "stages/model/weights/foreign_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/byte_reader.h"
#include "stages/model/weights/weights_formats.h"

namespace weir {
namespace {

constexpr std::string_view kGiveOther;  // the remedy is to give a format that is read
constexpr std::string_view kDownload = "download the file itself";
constexpr std::string_view kUnpack = "unpack it, and give the file of weights that is in it";
constexpr std::string_view kSaveByTorch =
    "load it in Python, and save its weights by torch.save(model.state_dict(), path)";

// A format by the bytes that it has at one place.
struct Foreign {
  std::size_t at;
  std::string_view bytes;
  std::string_view is;
  std::string_view remedy;
};

// Each format's own specification states its signature.
constexpr std::array kSignatures = {
    Foreign{0, "\x1f\x8b", "is compressed by gzip", kUnpack},
    Foreign{0, "BZh", "is compressed by bzip2", kUnpack},
    Foreign{0,
            "\xfd"
            "7zXZ",
            "is compressed by xz", kUnpack},
    Foreign{0, "\x28\xb5\x2f\xfd", "is compressed by zstd", kUnpack},
    Foreign{0, "7z\xbc\xaf\x27\x1c", "is a 7z archive", kUnpack},
    Foreign{0, "Rar!\x1a\x07", "is a RAR archive", kUnpack},
    Foreign{0, std::string_view("sys_info\0", 9), "is a file of PyTorch before 0.2",
            "load it by torch.load, and save it again by torch.save"},
    Foreign{257, "ustar", "is a tar archive", kUnpack},
    Foreign{0, "\x93NUMPY", "is an array of NumPy", kGiveOther},
    Foreign{4, "TFL3", "is a TensorFlow Lite model", kGiveOther},
    Foreign{0, "GGUF", "is a GGUF file", kGiveOther},
    Foreign{0, "%PDF", "is a PDF document", kGiveOther},
    Foreign{0, "\xff\xd8\xff", "is a picture (JPEG)", kGiveOther},
    Foreign{0, "\x89PNG", "is a picture (PNG)", kGiveOther},
    Foreign{0, "\x80\x02", "is a pickle that torch.save did not write", kSaveByTorch},
    Foreign{0, "\x80\x03", "is a pickle that torch.save did not write", kSaveByTorch},
    Foreign{0, "\x80\x04", "is a pickle that torch.save did not write", kSaveByTorch},
    Foreign{0, "\x80\x05", "is a pickle that torch.save did not write", kSaveByTorch},
};

// A text by how it begins, in lower case and behind blanks; the last is every other.
constexpr std::array kTexts = {
    Foreign{
        0, "version https://git-lfs.github.com/spec",
        "is a Git LFS pointer and not the file that it points to",
        "fetch the file: run `git lfs pull` in its repository, or use its page's download link"},
    Foreign{0, "<!doctype html", "is a web page",
            "its address gives a page, such as a login or a warning: download the file itself"},
    Foreign{0, "<html", "is a web page",
            "its address gives a page, such as a login or a warning: download the file itself"},
    Foreign{0, "<", "is a text in XML, as servers send errors: ", kDownload},
    Foreign{0, "{", "is a text in JSON: ", kDownload},
    Foreign{0, "", "is a text: ", kDownload},
};

std::string_view Head(std::span<const std::byte> file) {
  constexpr std::size_t kHeadBytes = 4096;
  return AsText(file).substr(0, kHeadBytes);
}

bool IsText(std::string_view head) {
  return std::ranges::none_of(head, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && !std::isspace(byte);
  });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// The first of a text, in one line.
std::string Excerpt(std::string_view text) {
  constexpr std::size_t kMostBytes = 60;
  std::string line(text.substr(0, kMostBytes));
  for (char& c : line) c = std::isspace(static_cast<unsigned char>(c)) ? ' ' : c;
  return Printable(line) + (text.size() > kMostBytes ? "..." : "");
}

// ONNX is protobuf without a signature: a version in field 1, then the name of what wrote it.
bool LooksLikeOnnx(std::string_view head) {
  return head.size() > 4 && head[0] == '\x08' && head[2] == '\x12' && IsText(head.substr(4, 4));
}

[[noreturn]] void Refuse(const std::filesystem::path& path, std::string_view is,
                         std::string_view remedy) {
  throw Error(ErrorKind::kData, path.string() + ": " + std::string(is),
              remedy == kGiveOther ? "give " + WeightsFormatsToGive() : std::string(remedy));
}

}  // namespace

std::optional<ForeignKind> FindForeignText(std::span<const std::byte> file) {
  std::string_view text = Head(file);
  if (text.empty() || !IsText(text)) return std::nullopt;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the byte order mark
  const auto first = std::ranges::find_if(text, [](unsigned char c) { return !std::isspace(c); });
  text.remove_prefix(static_cast<std::size_t>(first - text.begin()));
  if (text.empty()) return ForeignKind{"holds nothing but blanks", std::string(kDownload)};
  if (text.find("\"weight_map\"") != text.npos) {
    return ForeignKind{"is the index of weights in several files",
                       "give weights that are in one file"};
  }
  const std::string lower = Lower(text);
  const auto kind =
      std::ranges::find_if(kTexts, [&](const Foreign& it) { return lower.starts_with(it.bytes); });
  const bool shows_text = kind->is.ends_with(' ');
  return ForeignKind{std::string(kind->is) + (shows_text ? "'" + Excerpt(text) + "'" : ""),
                     std::string(kind->remedy)};
}

void RefuseForeignFile(const WeightsContent& content) {
  const std::filesystem::path& path = content.path;
  const std::string_view head = Head(content.bytes());
  if (head.empty()) Refuse(path, "is empty", kGiveOther);
  if (content.zip) RefuseForeignZip(path, *content.zip);
  for (const Foreign& kind : kSignatures) {
    if (head.size() > kind.at && head.substr(kind.at).starts_with(kind.bytes)) {
      Refuse(path, kind.is, kind.remedy);
    }
  }
  if (const auto text = FindForeignText(content.bytes())) Refuse(path, text->is, text->remedy);
  if (LooksLikeOnnx(head)) Refuse(path, "is an ONNX model", kGiveOther);
  if (head.find_first_not_of('\0') == head.npos) {
    Refuse(path, "begins with zeros alone, as a download does that did not finish", kDownload);
  }
  Refuse(path, "is none of the weight files that are read", kGiveOther);
}

void RefuseForeignZip(const std::filesystem::path& path, const ZipDirectory& zip) {
  bool has_pickle = false;
  for (const auto& [name, entry] : zip.entries()) {
    if (name.ends_with("/constants.pkl")) {
      Refuse(path, "is a TorchScript archive, which holds a program with its weights",
             "save the weights alone, by torch.save(torch.jit.load(path).state_dict(), new_path)");
    }
    if (name.ends_with("/archive_format") || name.ends_with("serialized_exported_program.json")) {
      Refuse(path, "is a program of torch.export, which holds weights",
             "save the weights alone, by torch.save(torch.export.load(path).state_dict, new_path)");
    }
    has_pickle = has_pickle || name.ends_with("/data.pkl");
  }
  if (has_pickle) return;
  for (const auto& [name, entry] : zip.entries()) {
    if (name.ends_with(".npy")) Refuse(path, "is an archive of NumPy's arrays (.npz)", kGiveOther);
    if (name.ends_with("saved_model.pb")) {
      Refuse(path, "is a TensorFlow SavedModel in a zip archive",
             "load it in Keras, and save it by model.save('model.keras')");
    }
    if (IsNameOfWeights(name)) {
      Refuse(path, "is a zip archive with '" + Printable(name) + "' in it",
             "unpack it, and give that file");
    }
  }
  Refuse(path, "is a zip archive that torch.save did not write: it holds no data.pkl", kGiveOther);
}

}  // namespace weir
