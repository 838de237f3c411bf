#include "stages/train/tensors/matrix_product.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cassert>

#include "stages/features/onednn/onednn_failure.h"
#include "stages/kernels/one_open_mp_thread.h"

namespace weir {
namespace {

// Columns of a product at a time. oneDNN packs these, and up to 384 rows, by up to 512 values deep:
// 1.2 MB at most, and no slower than all of them at once.
constexpr std::int64_t kColumns = 192;

bool IsRowByRow(const at::Tensor& matrix) {
  return matrix.stride(1) == 1 && (matrix.size(0) == 1 || matrix.stride(0) >= matrix.size(1));
}

// A matrix as oneDNN is told of it: as it lies in memory, or by the rows of its transpose.
struct Operand {
  explicit Operand(const at::Tensor& given)
      : is_transposed(!IsRowByRow(given) && IsRowByRow(given.t())),
        rows(is_transposed       ? given.t()
             : IsRowByRow(given) ? given
                                 : given.contiguous()) {}

  char how() const { return is_transposed ? 'T' : 'N'; }
  const float* values() const { return rows.const_data_ptr<float>(); }
  std::int64_t row_stride() const { return std::max(rows.stride(0), rows.size(1)); }

  bool is_transposed;
  at::Tensor rows;
};

}  // namespace

void MultiplyInto(const at::Tensor& out, const at::Tensor& left, const at::Tensor& right) {
  if (!out.is_cpu()) {
    at::Tensor target = out;
    at::mm_out(target, left, right);
    return;
  }
  assert(out.is_contiguous());
  const Operand a(left), b(right);
  const std::int64_t columns = right.size(1);
  const std::int64_t column_stride = b.is_transposed ? b.row_stride() : 1;
  const OneOpenMpThread one_thread;
  for (std::int64_t begin = 0; begin < columns; begin += kColumns) {
    const dnnl_status_t status =
        dnnl_sgemm(a.how(), b.how(), left.size(0), std::min(kColumns, columns - begin),
                   left.size(1), 1, a.values(), a.row_stride(), b.values() + begin * column_stride,
                   b.row_stride(), 0, out.mutable_data_ptr<float>() + begin, columns);
    // It knows all products of floats. Where it has no memory for their code it may say otherwise.
    if (status == dnnl_unimplemented) ThrowOneDnnFailure(dnnl_runtime_error, "a matrix product");
    if (status != dnnl_success) ThrowOneDnnFailure(status, "a matrix product");
  }
}

at::Tensor Multiply(const at::Tensor& left, const at::Tensor& right) {
  at::Tensor out = at::empty({left.size(0), right.size(1)}, left.options());
  MultiplyInto(out, left, right);
  return out;
}

}  // namespace weir
