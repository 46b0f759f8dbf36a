/// Einstein's summation from transpositions, reshapes and matrix products.
#include <weir/functions.h>
#include <weir/linalg.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "dispatch/call.h"
#include "ops/dims.h"

namespace weir::inline v0 {
namespace {

/// A letter, or kEllipsis + i for the axis that is number i from the right of those that "..."
/// stands for.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsis = 256;

struct Term {
  Tensor value;
  Labels labels;
};

bool has(const Labels& list, Label l) {
  return std::find(list.begin(), list.end(), l) != list.end();
}
Labels join(Labels a, const Labels& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Equation {
 public:
  Equation(std::string_view text, OperandList operands)
      : text_(text), where_(operands.size() ? operands[0].where() : Where{}) {
    std::string compact;
    for (char c : text) {
      if (c != ' ') compact += c;
    }
    const std::size_t arrow = compact.find("->");
    parse_inputs(compact.substr(0, arrow), operands);
    if (arrow == std::string::npos) {
      implicit_output();
    } else {
      output_ = parse(compact.substr(arrow + 2), ellipsis_);
      check_output();
    }
    check_dims();
  }

  Tensor evaluate() {
    for (Term& t : terms_)
      take_diagonals(t);
    for (std::size_t i = 0; i < terms_.size(); ++i)
      sum_out(terms_[i], i);
    Term result = terms_[0];
    for (std::size_t i = 1; i < terms_.size(); ++i)
      result = multiply_terms(result, terms_[i], i);
    return arrange(result, output_);
  }

 private:
  using Where = std::source_location;

  [[noreturn]] void fail(std::string what, std::string got = {}, std::string expected = {}) const {
    throw Error({Code::invalid_argument,
                 "einsum: " + std::move(what),
                 to_string(where_),
                 got.empty() ? "'" + text_ + "'" : std::move(got),
                 std::move(expected),
                 {}});
  }

  // -- reading the equation --

  /// The labels of one operand; "..." becomes `ellipsis` labels.
  Labels parse(const std::string& s, int ellipsis) const {
    Labels labels;
    bool seen = false;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (std::isalpha(static_cast<unsigned char>(s[i]))) {
        labels.push_back(s[i]);
      } else if (s.compare(i, 3, "...") == 0 && !seen) {
        for (int k = ellipsis; k-- > 0;)
          labels.push_back(kEllipsis + k);
        seen = true;
        i += 2;
      } else {
        fail("the equation cannot be read at '" + s.substr(i) + "'",
             {},
             "letters, one '...' per operand, ',' and '->'");
      }
    }
    return labels;
  }

  void parse_inputs(const std::string& inputs, OperandList operands) {
    std::vector<std::string> parts(1);
    for (char c : inputs) {
      if (c == ',')
        parts.emplace_back();
      else
        parts.back() += c;
    }
    if (parts.size() != operands.size())
      fail("another number of operands",
           std::to_string(operands.size()),
           std::to_string(parts.size()) + " for '" + text_ + "'");
    const dispatch::OperandScope scope(operands);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Tensor t = operands[i].to_tensor();
      const int letters = int(parse(parts[i], 0).size());
      const bool open = parts[i].find("...") != std::string::npos;
      if (!t.defined() || (open ? t.rank() < letters : t.rank() != letters))
        fail("operand " + std::to_string(i) + " has the wrong rank",
             t.defined() ? t.describe() : "no tensor",
             "rank " + std::to_string(letters) + (open ? " or more" : "") + " for '" + parts[i] +
                 "'");
      const int extra = t.rank() - letters;
      ellipsis_ = std::max(ellipsis_, extra);
      terms_.push_back({t, parse(parts[i], extra)});
    }
  }

  void implicit_output() {
    std::map<Label, int> count;
    for (const Term& t : terms_) {
      for (Label l : t.labels)
        ++count[l];
    }
    for (int k = ellipsis_; k-- > 0;)
      output_.push_back(kEllipsis + k);
    for (auto [l, n] : count) {
      if (l < kEllipsis && n == 1) output_.push_back(l);
    }
  }

  void check_output() const {
    for (std::size_t i = 0; i < output_.size(); ++i) {
      const std::string letter(1, char(output_[i]));
      if (std::count(output_.begin(), output_.end(), output_[i]) > 1)
        fail("the result has the letter '" + letter + "' twice");
      if (std::none_of(terms_.begin(), terms_.end(), [&](const Term& t) {
            return has(t.labels, output_[i]);
          }))
        fail("no operand has the letter '" + letter + "' of the result");
    }
    if (ellipsis_ > 0 && !has(output_, kEllipsis)) fail("operands have '...', the result has not");
  }

  void check_dims() const {
    std::map<Label, std::int64_t> dims;
    for (const Term& t : terms_) {
      for (std::size_t i = 0; i < t.labels.size(); ++i) {
        const std::int64_t d = t.value.dim(int(i));
        std::int64_t& known = dims.try_emplace(t.labels[i], -1).first->second;
        const bool broadcasts = t.labels[i] >= kEllipsis && (d == 1 || known == 1);
        if (d >= 0 && known >= 0 && d != known && !broadcasts)
          fail(t.labels[i] < kEllipsis
                   ? "dimensions of the letter '" + std::string(1, char(t.labels[i])) + "' differ"
                   : std::string("dimensions of '...' do not broadcast"),
               std::to_string(known) + " and " + std::to_string(d));
        known = std::max(known, d);
      }
    }
  }

  // -- the steps --

  /// The term with its axes in this order.
  static Tensor arrange(const Term& t, const Labels& order) {
    if (t.labels == order) return t.value;
    std::vector<std::int64_t> perm;
    for (Label l : order)
      perm.push_back(std::find(t.labels.begin(), t.labels.end(), l) - t.labels.begin());
    return transpose(t.value, perm);
  }

  /// "ii": the two axes become the diagonal's one.
  static void take_diagonals(Term& t) {
    for (std::size_t i = 0; i < t.labels.size(); ++i) {
      const Label l = t.labels[i];
      const auto again = std::find(t.labels.begin() + std::ptrdiff_t(i) + 1, t.labels.end(), l);
      if (again == t.labels.end()) continue;
      std::vector<std::int64_t> perm;
      Labels rest;
      const std::size_t j = std::size_t(again - t.labels.begin());
      for (std::size_t k = 0; k < t.labels.size(); ++k) {
        if (k == i || k == j) continue;
        perm.push_back(std::int64_t(k));
        rest.push_back(t.labels[k]);
      }
      perm.push_back(std::int64_t(i));
      perm.push_back(std::int64_t(j));
      t = {matrix_diag_part(transpose(t.value, perm)), join(rest, {l})};
      i = std::size_t(-1);  // from the start: the axes have moved
    }
  }

  /// True if the result or an operand from number `from` on, other than `except`, has the label.
  bool wanted(Label l, std::size_t from, std::size_t except) const {
    if (has(output_, l)) return true;
    for (std::size_t i = from; i < terms_.size(); ++i) {
      if (i != except && has(terms_[i].labels, l)) return true;
    }
    return false;
  }

  void sum_out(Term& t, std::size_t index) const {
    std::vector<std::int64_t> axes;
    Labels rest;
    for (std::size_t k = 0; k < t.labels.size(); ++k) {
      if (wanted(t.labels[k], 0, index))
        rest.push_back(t.labels[k]);
      else
        axes.push_back(std::int64_t(k));
    }
    if (!axes.empty()) t = {sum(t.value, axes), rest};
  }

  /// a * b, summed over the labels that nobody wants from operand `index` + 1 on.
  Term multiply_terms(const Term& a, const Term& b, std::size_t index) const {
    Labels batch, inner, only_a, only_b;
    for (Label l : a.labels) {
      if (!has(b.labels, l))
        only_a.push_back(l);
      else if (wanted(l, index + 1, terms_.size()))
        batch.push_back(l);
      else
        inner.push_back(l);
    }
    for (Label l : b.labels) {
      if (!has(a.labels, l)) only_b.push_back(l);
    }
    const Labels labels = join(join(batch, only_a), only_b);
    if (inner.empty()) return {outer_product(a, b, batch, only_a, only_b), labels};
    return {contract(a, b, batch, inner, only_a, only_b), labels};
  }

  /// Nothing is summed: an element-wise product, with axes of size 1 where an operand lacks a
  /// label.
  static Tensor outer_product(const Term& a,
                              const Term& b,
                              const Labels& batch,
                              const Labels& only_a,
                              const Labels& only_b) {
    Tensor x = arrange(a, join(batch, only_a)), y = arrange(b, join(batch, only_b));
    for (std::size_t i = 0; i < only_b.size(); ++i)
      x = expand_dims(x, -1);
    for (std::size_t i = 0; i < only_a.size(); ++i)
      y = expand_dims(y, std::int64_t(batch.size()));
    return multiply(x, y);
  }

  /// [batch..., rows..., columns...] with rows and columns merged to one axis each.
  static Tensor as_matrices(const Tensor& t,
                            std::size_t batch,
                            std::size_t rows,
                            std::size_t columns) {
    if (rows == 1 && columns == 1) return t;
    ops::DimList dims;
    for (std::size_t i = 0; i < batch; ++i)
      dims.add(t, int(i));
    dims.add_product(t, int(batch), int(batch + rows));
    dims.add_product(t, int(batch + rows), int(batch + rows + columns));
    return reshape(t, dims.for_reshape());
  }

  /// The operand as matrices [batch, outer, inner], and whether they are stored transposed.
  /// `transposable`: both will do.
  static std::pair<Tensor, bool> matrices(const Term& t,
                                          const Labels& batch,
                                          const Labels& first,
                                          const Labels& second) {
    const bool stored_transposed =
        t.labels == join(join(batch, second), first) && !is_complex(t.value.dtype());
    const Labels &rows = stored_transposed ? second : first,
                 &columns = stored_transposed ? first : second;
    return {as_matrices(arrange(t, join(join(batch, rows), columns)),
                        batch.size(),
                        rows.size(),
                        columns.size()),
            stored_transposed};
  }

  static Tensor contract(const Term& a,
                         const Term& b,
                         const Labels& batch,
                         const Labels& inner,
                         const Labels& only_a,
                         const Labels& only_b) {
    const auto [x, x_transposed] = matrices(a, batch, only_a, inner);
    const auto [y, y_transposed] = matrices(b, batch, inner, only_b);
    const Tensor product = matmul(x, y, x_transposed, y_transposed);
    if (only_a.size() == 1 && only_b.size() == 1) return product;
    ops::DimList dims;
    for (std::size_t i = 0; i < batch.size(); ++i)
      dims.add(product, int(i));
    for (const auto& [term, labels] : {std::pair{&a, &only_a}, std::pair{&b, &only_b}}) {
      for (Label l : *labels)
        dims.add(
            term->value,
            int(std::find(term->labels.begin(), term->labels.end(), l) - term->labels.begin()));
    }
    return reshape(product, dims.for_reshape());
  }

  std::string text_;
  Where where_;
  std::vector<Term> terms_;
  Labels output_;
  int ellipsis_ = 0;
};

}  // namespace

Tensor einsum(std::string_view equation, OperandList operands) {
  return Equation(equation, operands).evaluate();
}

}  // namespace weir::inline v0
