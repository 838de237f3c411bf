#include "stages/train/tensors/matrix_product.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

at::Tensor Random(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  at::Tensor matrix = at::empty({rows, columns}, at::kFloat);
  CounterRandom random(seed, "matrix");
  float* values = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    values[i] = static_cast<float>(random.Uniform(-1, 1));
  }
  return matrix;
}

float At(const at::Tensor& matrix, std::int64_t row, std::int64_t column) {
  return matrix.const_data_ptr<float>()[row * matrix.stride(0) + column * matrix.stride(1)];
}

// By the definition, in double.
double WorstDifference(const at::Tensor& product, const at::Tensor& left, const at::Tensor& right) {
  double worst = 0;
  for (std::int64_t i = 0; i < left.size(0); ++i) {
    for (std::int64_t j = 0; j < right.size(1); ++j) {
      double exact = 0;
      for (std::int64_t k = 0; k < left.size(1); ++k) {
        exact += double{At(left, i, k)} * At(right, k, j);
      }
      worst = std::max(worst, std::abs(At(product, i, j) - exact));
    }
  }
  return worst;
}

struct Shape {
  std::int64_t m, k, n;
};
const std::vector<Shape> kShapes = {{1, 1, 1},    {1, 64, 1},   {7, 1, 5},
                                    {1, 1280, 2}, {98, 96, 7},  {50, 700, 33},
                                    {2, 3, 1000}, {40, 9, 193}, {600, 24, 144}};

// A sum of k products of numbers up to 1 in float32.
double Tolerance(const Shape& shape) { return 1e-6 * (1 + std::sqrt(double(shape.k))); }

TEST(MatrixProduct, IsTheSumOfTheProducts) {
  for (const Shape& shape : kShapes) {
    const at::Tensor left = Random(shape.m, shape.k, 1), right = Random(shape.k, shape.n, 2);
    EXPECT_LT(WorstDifference(Multiply(left, right), left, right), Tolerance(shape))
        << shape.m << " x " << shape.k << " x " << shape.n;
  }
}

TEST(MatrixProduct, TakesTransposedViews) {
  for (const Shape& shape : kShapes) {
    const at::Tensor left = Random(shape.m, shape.k, 1), right = Random(shape.k, shape.n, 2);
    const at::Tensor left_t = Random(shape.k, shape.m, 3).t();
    const at::Tensor right_t = Random(shape.n, shape.k, 4).t();
    EXPECT_LT(WorstDifference(Multiply(left_t, right), left_t, right), Tolerance(shape));
    EXPECT_LT(WorstDifference(Multiply(left, right_t), left, right_t), Tolerance(shape));
    EXPECT_LT(WorstDifference(Multiply(left_t, right_t), left_t, right_t), Tolerance(shape));
  }
}

TEST(MatrixProduct, TakesViewsWithGapsAndRepetition) {
  const at::Tensor wide = Random(20, 30, 1), right = Random(10, 6, 2);
  const at::Tensor part = wide.narrow(1, 5, 10);
  EXPECT_LT(WorstDifference(Multiply(part, right), part, right), 1e-5);
  const at::Tensor repeated = Random(1, 10, 3).expand({20, 10});
  EXPECT_LT(WorstDifference(Multiply(repeated, right), repeated, right), 1e-5);
  const at::Tensor constant = Random(1, 1, 4).expand({20, 10});
  EXPECT_LT(WorstDifference(Multiply(constant, right), constant, right), 1e-5);
}

TEST(MatrixProduct, WritesOverWhatWasThere) {
  const at::Tensor left = Random(5, 9, 1), right = Random(9, 4, 2);
  at::Tensor out = at::empty({5, 4}, at::kFloat);
  out.fill_(NAN);
  MultiplyInto(out, left, right);
  EXPECT_LT(WorstDifference(out, left, right), 1e-5);
}

TEST(MatrixProduct, KeepsNaN) {
  at::Tensor left = Random(3, 5, 1);
  left.mutable_data_ptr<float>()[7] = NAN;  // row 1
  const at::Tensor out = Multiply(left, Random(5, 2, 2));
  EXPECT_FALSE(std::isnan(At(out, 0, 0)));
  EXPECT_TRUE(std::isnan(At(out, 1, 0)));
  EXPECT_TRUE(std::isnan(At(out, 1, 1)));
}

}  // namespace
}  // namespace weir
