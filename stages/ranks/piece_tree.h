// The order in which the pieces of a batch are added: a binary tree over their positions. The node
// at `level` and `index` is the sum of the pieces [index << level, (index + 1) << level), its left
// half plus its right half; a half that is not there, as the batch ends before it, adds nothing.
//
//   PieceTree<int> tree;
//   for (int piece = 0; piece < 5; ++piece) tree.Push({0, piece}, runs[piece], add);
//   const int sum = tree.Finish(add);            // ((0 + 1) + (2 + 3)) + 4
//
// A stack, as a binary counter is: of P pieces at most log2(P) + 1 sums are held at once. Whoever
// holds some neighbours of the tree can add them and hand on what is left, without a bit being
// another. `add(left, right)` adds the right one to the left one, which is kept.
#pragma once

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace weir {

struct PieceNode {
  int level = 0;
  int index = 0;
  bool operator==(const PieceNode&) const = default;
};

template <class Value>
class PieceTree {
 public:
  // Nodes are pushed from the left to the right, without a gap.
  template <class Add>
  void Push(PieceNode node, Value value, const Add& add) {
    while (!stack_.empty() && AreHalves(stack_.back().first, node)) {
      add(stack_.back().second, value);
      value = std::move(stack_.back().second);
      stack_.pop_back();
      node = {node.level + 1, node.index / 2};
    }
    stack_.emplace_back(node, std::move(value));
  }

  // Once all pieces are there, and at least one is.
  template <class Add>
  Value Finish(const Add& add) {
    assert(!stack_.empty());
    while (stack_.size() > 1) {
      add(stack_[stack_.size() - 2].second, stack_.back().second);
      stack_.pop_back();
    }
    return std::move(stack_.back().second);
  }

  // What is not added up yet, from the left to the right.
  const std::vector<std::pair<PieceNode, Value>>& nodes() const { return stack_; }
  void Clear() { stack_.clear(); }

 private:
  static bool AreHalves(const PieceNode& left, const PieceNode& right) {
    return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
  }

  std::vector<std::pair<PieceNode, Value>> stack_;
};

// The nodes that the pieces [begin, end) add up to.
inline std::vector<PieceNode> NodesOf(int begin, int end) {
  PieceTree<char> tree;
  for (int piece = begin; piece < end; ++piece) tree.Push({0, piece}, 0, [](char, char) {});
  std::vector<PieceNode> nodes;
  for (const auto& [node, value] : tree.nodes()) nodes.push_back(node);
  return nodes;
}

// The sums that are held at once while the pieces [begin, end) are added up, the one that is being
// made included.
inline int SumsAtOnce(int begin, int end) {
  PieceTree<char> tree;
  int most = 0;
  for (int piece = begin; piece < end; ++piece) {
    most = std::max(most, static_cast<int>(tree.nodes().size()) + 1);
    tree.Push({0, piece}, 0, [](char, char) {});
  }
  return most;
}

}  // namespace weir
