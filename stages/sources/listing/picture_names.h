// What the name of a file says: a picture, what lies beside pictures, or nothing. ASCII letters
// count in any case, whatever the locale. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// Whether such files count as pictures: what the formats that weir reads end in, and those of other
// pictures (stages/decode/formats.h and foreign_kinds.h), in any case: "a.JPG", "b.heic".
bool IsPictureName(std::string_view name);
// The same for messages: ".jpg, .jpeg, ... and .avif".
std::string PictureEndings();

// Whether files of that name are notes on pictures, one beside each: .txt, .csv, .json, .xml (YOLO,
// COCO and Pascal VOC write these). They are never looked at for a picture's first bytes, so that a
// million of them cost nothing.
bool IsAnnotationName(std::string_view name);

// Whether systems and programs leave files or folders of that name behind, unasked: what begins
// with a dot, Thumbs.db, desktop.ini, __MACOSX and the like. Nobody misses them.
bool IsClutter(std::string_view name);

}  // namespace weir
