#include "sense/nvml_visible.hpp"

#include <gtest/gtest.h>

namespace gramwatt::sense {
namespace {

std::vector<bool> seen(const CudaView& view) {
  std::vector<bool> v;
  for (const auto& g : view.gpus) v.push_back(g.visible);
  return v;
}

const std::vector<GpuName> kAlike{{"GPU-aa", "00000000:18:00.0", "H100", {}},
                                  {"GPU-ab", "00000000:3B:00.0", "H100", {}},
                                  {"GPU-bb", "00000000:86:00.0", "H100", {}}};
using V = std::vector<bool>;

TEST(CudaView, FollowsCudasRules) {
  EXPECT_EQ(seen(cuda_view(kAlike, std::nullopt)), (V{true, true, true}));
  EXPECT_EQ(seen(cuda_view(kAlike, "")), (V{false, false, false}));
  EXPECT_EQ(seen(cuda_view(kAlike, "-1")), (V{false, false, false}));
  EXPECT_EQ(seen(cuda_view(kAlike, "2,0")), (V{true, false, true}));
  EXPECT_EQ(seen(cuda_view(kAlike, "1,9,0")), (V{false, true, false}));  // an invalid entry hides all that follow
  EXPECT_EQ(seen(cuda_view(kAlike, "GPU-b")), (V{false, false, true}));
}

TEST(CudaView, TakesPciIdsInEveryForm) {
  for (const char* id : {"3b:00.0", "0000:3b:00.0", "00000000:3B:00.0"})
    EXPECT_EQ(seen(cuda_view(kAlike, id)), (V{false, true, false})) << id;
}

TEST(CudaView, IndicesOfDifferentBoardsAreDoubtedUnlessTheOrderIsGiven) {
  auto mixed = kAlike;
  mixed[0].model = "T4";
  EXPECT_FALSE(cuda_view(mixed, "0").doubt.empty());
  EXPECT_TRUE(cuda_view(mixed, "0", "PCI_BUS_ID").doubt.empty());
  EXPECT_TRUE(cuda_view(mixed, "GPU-aa").doubt.empty());
  EXPECT_TRUE(cuda_view(mixed, "0,1,2").doubt.empty());  // all of them, in whatever order
  EXPECT_TRUE(cuda_view(kAlike, "0").doubt.empty());
}

TEST(CudaView, IndicesCountInPciOrder) {
  const std::vector<GpuName> turned{kAlike[2], kAlike[0], kAlike[1]};
  EXPECT_EQ(seen(cuda_view(turned, "0", "PCI_BUS_ID")), (V{false, true, false}));
}

TEST(CudaView, MigInstancesAreFoundByUuidOfEitherForm) {
  auto gpus = kAlike;
  gpus[1].mig = {"MIG-1111", "MIG-2222"};
  gpus[2].mig = {"MIG-GPU-bb/1/0", "MIG-GPU-bb/2/0"};
  const auto by_uuid = cuda_view(gpus, "MIG-2222");
  EXPECT_EQ(seen(by_uuid), (V{false, true, false}));
  EXPECT_EQ(by_uuid.gpus[1].mig, (std::vector<std::size_t>{1}));
  const auto old_form = cuda_view(gpus, "MIG-GPU-bb/2/0");
  EXPECT_EQ(old_form.gpus[2].mig, (std::vector<std::size_t>{1}));
  EXPECT_EQ(cuda_view(gpus, "1").gpus[1].mig, (std::vector<std::size_t>{0}));  // a board as a whole: its first instance
  EXPECT_EQ(seen(cuda_view(gpus, "MIG-9")), (V{false, false, false}));
}

}  // namespace
}  // namespace gramwatt::sense
