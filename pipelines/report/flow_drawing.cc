#include "pipelines/report/flow_drawing.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "framework/byte_size.h"

namespace weir {
namespace {

std::string_view Name(StageShape shape) {
  constexpr std::array<std::string_view, 5> kNames = {"source", "map", "join", "gather", "sink"};
  return kNames[static_cast<std::size_t>(shape)];
}

std::string Kind(const PlacedStage& placed) {
  std::string kind(Name(placed.shape));
  if (placed.concurrency == Concurrency::kParallel) kind += ", parallel";
  if (!placed.plugin.empty()) kind += ", of a plugin";
  return kind;
}

std::string Text(const PlanRow& row) {
  const bool is_counted = row.kind == PlanRow::Kind::kTickets || row.kind == PlanRow::Kind::kLever;
  return (is_counted ? std::to_string(row.count) + " " : "") + row.what + ": " +
         ToRoundText(ByteSize{row.bytes()});
}

// Escaped for XML, and for the strings of DOT.
std::string Escaped(std::string_view text, bool is_xml) {
  std::string escaped;
  for (const char c : text) {
    if (is_xml && (c == '<' || c == '>' || c == '&' || c == '"')) {
      escaped += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : "&quot;";
    } else {
      if (!is_xml && (c == '"' || c == '\\')) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find('.') + 2);
  return text;
}

// Where boxes and lines lie: boxes in rows from the top, each in a column; a line leaves its box
// below, runs down a column of its own where that of its box is taken, and enters from above.
class Layout {
 public:
  explicit Layout(const FlowDrawing& drawing) : boxes_(drawing.boxes) {
    const std::size_t count = boxes_.size();
    rows_.resize(count, 0);
    columns_.resize(count, -1);
    lanes_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      for (const int from : boxes_[i].from) rows_[i] = std::max(rows_[i], rows_[from] + 1);
    }
    std::vector<bool> is_continued(count);  // its column goes on below it
    for (std::size_t i = 0; i < count; ++i) {
      for (const int from : boxes_[i].from) {
        if (columns_[i] < 0) {
          columns_[i] = is_continued[from] ? next_column_++ : columns_[from];
          lanes_[i].push_back(columns_[i]);
        } else {
          lanes_[i].push_back(is_continued[from] ? next_column_++ : columns_[from]);
        }
        is_continued[from] = true;
      }
      if (columns_[i] < 0) columns_[i] = next_column_++;
    }
  }

  int row(std::size_t box) const { return rows_[box]; }
  int column(std::size_t box) const { return columns_[box]; }
  int lane(std::size_t box, std::size_t input) const { return lanes_[box][input]; }
  int columns() const { return next_column_; }
  int rows() const { return 1 + *std::max_element(rows_.begin(), rows_.end()); }

 private:
  const std::vector<FlowDrawing::Box>& boxes_;
  std::vector<int> rows_, columns_;
  std::vector<std::vector<int>> lanes_;  // the column of each line into a box
  int next_column_ = 0;
};

// In pixels.
constexpr double kCharacter = 6.6;  // the width of a character in the small monospaced text
constexpr double kLine = 16;
constexpr double kPadding = 10;
constexpr double kGap = 56;  // between rows
constexpr double kMargin = 20;

}  // namespace

FlowDrawing DrawFlow(const std::vector<PlacedStage>& stages, const MemoryPlan& plan) {
  FlowDrawing drawing;
  for (const PlacedStage& placed : stages) {
    FlowDrawing::Box box{
        .name = placed.name, .lines = {Kind(placed)}, .from = placed.from, .types = {}};
    for (const PlanRow& row : plan.rows) {
      if (row.stage == placed.name && row.bytes() > 0) box.lines.push_back(Text(row));
    }
    for (std::size_t i = 0; i < placed.from.size(); ++i) {
      box.types.emplace_back(i == 0 ? placed.in : placed.second_in);
    }
    drawing.boxes.push_back(std::move(box));
  }
  return drawing;
}

std::string ToDot(const FlowDrawing& drawing) {
  std::string dot =
      "digraph weir {\n  node [shape=box, style=rounded, fontname=\"monospace\"];\n"
      "  edge [fontname=\"monospace\", fontsize=10];\n";
  for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
    const FlowDrawing::Box& box = drawing.boxes[i];
    std::string label = Escaped(box.name, false);
    for (const std::string& line : box.lines) label += "\\n" + Escaped(line, false);
    dot += "  " + std::to_string(i) + " [label=\"" + label + "\"];\n";
    for (std::size_t input = 0; input < box.from.size(); ++input) {
      dot += "  " + std::to_string(box.from[input]) + " -> " + std::to_string(i) + " [label=\"" +
             Escaped(box.types[input], false) + "\"];\n";
    }
  }
  return dot + "}\n";
}

std::string ToSvg(const FlowDrawing& drawing) {
  const Layout layout(drawing);
  const auto height_of = [](const FlowDrawing::Box& box) {
    return static_cast<double>(box.lines.size() + 1) * kLine + 2 * kPadding;
  };
  std::size_t longest = 0;
  std::vector<double> heights(layout.rows());  // the height of each row's tallest box
  for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
    const FlowDrawing::Box& box = drawing.boxes[i];
    longest = std::max(longest, box.name.size() + 2);
    for (const std::string& line : box.lines) longest = std::max(longest, line.size());
    heights[layout.row(i)] = std::max(heights[layout.row(i)], height_of(box));
  }
  std::vector<double> tops = {kMargin};  // where the rows begin, and where one more would
  for (const double height : heights) tops.push_back(tops.back() + height + kGap);
  const double width = static_cast<double>(longest) * kCharacter + 2 * kPadding;
  const double column = width + 2 * kMargin;
  const auto middle = [&](int index) { return kMargin + index * column + width / 2; };

  std::string lines, boxes;
  const auto text = [](double x, double y, const std::string& what, const char* style) {
    return "<text x=\"" + Number(x) + "\" y=\"" + Number(y) + "\" " + style + ">" +
           Escaped(what, true) + "</text>\n";
  };
  for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
    const FlowDrawing::Box& box = drawing.boxes[i];
    const double x = middle(layout.column(i)), y = tops[layout.row(i)];
    boxes += "<rect x=\"" + Number(x - width / 2) + "\" y=\"" + Number(y) + "\" width=\"" +
             Number(width) + "\" height=\"" + Number(height_of(box)) +
             "\" rx=\"8\" fill=\"#f6f8fa\" stroke=\"#57606a\"/>\n";
    double line = y + kPadding + kLine - 4;
    boxes += text(x - width / 2 + kPadding, line, box.name, "font-weight=\"bold\"");
    for (const std::string& what : box.lines) {
      boxes += text(x - width / 2 + kPadding, line += kLine, what, "fill=\"#57606a\"");
    }
    for (std::size_t input = 0; input < box.from.size(); ++input) {
      const auto from = static_cast<std::size_t>(box.from[input]);
      const int row = layout.row(from);
      const double x0 = middle(layout.column(from)),
                   y0 = tops[row] + height_of(drawing.boxes[from]);
      const double lane = middle(layout.lane(i, input));
      const double below = tops[row] + heights[row] + kGap / 3, above = y - kGap / 3;
      lines += "<path d=\"M" + Number(x0) + " " + Number(y0) + " V" + Number(below) + " H" +
               Number(lane) + " V" + Number(above) + " H" + Number(x) + " V" + Number(y - 2) +
               "\" fill=\"none\" stroke=\"#0969da\" marker-end=\"url(#end)\"/>\n";
      lines += text(lane + 6, above - 6, box.types[input], "fill=\"#0969da\"");
    }
  }
  const double whole_width = 2 * kMargin + layout.columns() * column;
  const double whole_height = tops.back() - kGap + kMargin;
  return R"(<svg xmlns="http://www.w3.org/2000/svg" width=")" + Number(whole_width) +
         R"(" height=")" + Number(whole_height) + R"(" viewBox="0 0 )" + Number(whole_width) + " " +
         Number(whole_height) +
         "\" font-family=\"ui-monospace, monospace\" font-size=\"11\">\n"
         "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
         "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#0969da\"/>"
         "</marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
         lines + boxes + "</svg>\n";
}

}  // namespace weir
