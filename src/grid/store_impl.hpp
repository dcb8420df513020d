#pragma once
// What Store and its Writer share.

#include <memory>

#include "grid/store.hpp"
#include "grid/store_file.hpp"

namespace gramwatt::grid {

class Store::Impl {
 public:
  explicit Impl(std::unique_ptr<StoreFile> f) : file(std::move(f)) {}
  std::unique_ptr<StoreFile> file;
};

}  // namespace gramwatt::grid
