/// matmul in both modes, a gradient, and a graph built by hand and run in a session.
#include <weir/weir.h>

#include <fstream>
#include <iostream>

using namespace weir;

int main() {
  // Eager: the product is there at once.
  Tensor a{{1.f, 2.f}, {3.f, 4.f}};
  std::cout << matmul(a, a) << "\n";

  // A gradient, recorded.
  Variable w(Tensor{{1.f}, {2.f}}, "w");
  GradientTape tape;
  Tensor loss = mean(square(matmul(a, w) - 1));
  std::cout << "loss " << loss << ", gradient " << tape.gradient(loss, w) << "\n";

  // Graph: a handle to a node; nothing is multiplied until the session runs.
  Graph g;
  Tensor p = g.placeholder(DType::float32, {-1, 3}, "p");
  Tensor q = matmul(p, g.constant({{1.f}, {2.f}, {3.f}}));
  std::cout << q << "\n";
  Tensor value{{1.f, 1.f, 1.f}, {0.f, 1.f, 0.f}};
  std::cout << Session(g).run({{p, value}}, q) << "\n";
  std::ofstream("graph.dot") << g.to_dot();  // dot -Tsvg graph.dot -o graph.svg
}
