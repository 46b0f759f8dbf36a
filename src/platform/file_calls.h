#pragma once

#include <sys/types.h>

#include <cstddef>

namespace weir::platform::calls {

// The system calls of the file layer: retried after EINTR, and subject to the fault plan. Each
// returns 0 (or a descriptor, or a count) on success and -errno on failure.

int open(const char* path, int flags, mode_t mode = 0);
ssize_t write(int fd, const void* data, size_t size);
ssize_t read(int fd, void* data, size_t size);
int sync(int fd);
int close(int fd);
int rename(const char* from, const char* to);
int exchange(const char* a, const char* b);
int make_directory(const char* path);
int remove_file(const char* path);

}  // namespace weir::platform::calls
