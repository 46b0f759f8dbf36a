#pragma once

/// A program bound to memory and kernels: ready to run, by one thread at a time. All memory is the
/// caller's, who sizes it once; `run` allocates nothing, looks nothing up and takes no lock.
///
///   const std::size_t n = Instance::table_bytes(program);
///   Result<Instance*> instance = Instance::create(program, find_kernel, nullptr, tables, arena);
///   (*instance)->bind(0, input);  (*instance)->bind(1, output);
///   Status status = (*instance)->run(context);

#include "runtime/program.h"
#include "runtime/tile_program.h"

namespace weir::rt {

/// The kernel of an id (kernel_id of its name), or null.
struct KernelLookup {
  const Kernel* (*find)(void* arg, std::uint64_t id) = nullptr;
  void* arg = nullptr;
};

class Instance {
 public:
  static std::size_t table_bytes(const Program& program);

  /// `tables`: table_bytes(program), 8-byte aligned; `arena`: program.arena_bytes(), 64-byte
  /// aligned; both and the program's blob must outlive the instance. Errors: invalid_argument for
  /// memory that is too small or not aligned, not_found for a kernel that the lookup does not have,
  /// failed_precondition for one that does not fit its step.
  static Result<Instance*> create(const Program& program,
                                  KernelLookup kernels,
                                  std::span<std::byte> tables,
                                  std::span<std::byte> arena);
  /// Releases the kernels' state. The memory stays the caller's.
  void destroy();

  /// Memory of a slot, aligned for its elements (packed: 64 bytes), kept until bound anew.
  void bind(std::uint32_t slot, void* memory);
  /// Fills a packed slot from its operand; both are bound. To be called again when the operand has
  /// changed.
  Status pack(std::uint32_t slot);
  /// Runs all steps. Every slot is bound. After an error failed_step() and error_text() say more.
  Status run(const RunContext& context);

  std::uint32_t failed_step() const { return failed_step_; }
  const char* error_text() const { return error_.text; }
  const Program& program() const { return program_; }
  /// The kernel of a step; null for a tile program.
  const Kernel* kernel(std::uint32_t step) const;

 private:
  struct Patch {
    View* view;
    std::uint64_t offset;
  };
  class Binder;

  explicit Instance(const Program& program) : program_(program) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  Status run_watched();
  Status run_step(std::uint32_t step) const;
  struct Chain;
  struct Group;
  Status run_group(const Group& group);
  void run_chain(Chain& chain) const;

  Program program_;
  std::uint32_t step_count_ = 0;
  std::uint32_t failed_step_ = 0;
  KernelCall* calls_ = nullptr;          // by step
  void** bound_ = nullptr;               // by slot
  Patch* patches_ = nullptr;             // views of slot 0, of slot 1 ...
  std::uint32_t* patches_of_ = nullptr;  // first patch of each slot, and their number
  Group* groups_ = nullptr;              // of steps that may run side by side, in program order
  std::uint32_t group_count_ = 0;
  RunContext context_;
  ErrorText error_;
};

}  // namespace weir::rt
