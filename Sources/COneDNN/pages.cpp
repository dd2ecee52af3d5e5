#include <sys/mman.h>

#include <new>
#include <utility>

#include "network.hpp"

namespace zoo {

static constexpr size_t huge_page = 2u << 20;

Pages::Pages(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void *data = mmap(nullptr, bytes + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  // Huge pages need an aligned start: give back what stands before and after it.
  auto address = reinterpret_cast<uintptr_t>(data);
  auto aligned = (address + huge_page - 1) / huge_page * huge_page;
  if (aligned > address) munmap(data, aligned - address);
  auto end = (aligned + bytes + 4095) / 4096 * 4096, limit = address + bytes + huge_page;
  limit = limit / 4096 * 4096;
  if (limit > end) munmap(reinterpret_cast<void *>(end), limit - end);
  data_ = reinterpret_cast<void *>(aligned);
  madvise(data_, bytes, MADV_HUGEPAGE);
}

Pages::~Pages() {
  if (data_) munmap(data_, (bytes_ + 4095) / 4096 * 4096);
}

Pages::Pages(Pages &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Pages &Pages::operator=(Pages &&other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace zoo
