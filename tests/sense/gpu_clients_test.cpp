// Who used a GPU: the kernel's books of DRM and KFD, in fake trees.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "fakes/gpu_tree.hpp"
#include "sense/gpu_clients.hpp"
#include "sense/gpu_visibility.hpp"

namespace gramwatt::sense {
namespace {

constexpr const char* kAddress = "0000:c1:00.0";

std::string amd(int client, long gfx, long compute = 0) {
  return fmt::format(
      "pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-client-id:\t{}\ndrm-pdev:\t{}\n"
      "drm-memory-vram:\t1024 KiB\ndrm-engine-gfx:\t{} ns\ndrm-engine-compute:\t{} ns\n"
      "drm-engine-capacity-compute:\t8\n",
      client, kAddress, gfx, compute);
}
std::string xe(int client, long cycles, long total) {
  return fmt::format(
      "drm-driver:\txe\ndrm-client-id:\t{}\ndrm-pdev:\t{}\ndrm-cycles-ccs:\t{}\ndrm-total-cycles-ccs:\t{}\n"
      "drm-engine-capacity-ccs:\t4\ndrm-cycles-bcs:\t0\ndrm-total-cycles-bcs:\t{}\n",
      client, kAddress, cycles, total, total);
}

class GpuClientsTest : public ::testing::Test {
 protected:
  std::optional<Ratio> share() {
    if (!clients_) clients_.emplace(tree_.roots());
    return clients_->share(gpu_, [this](pid_t pid) { return job_.contains(pid); });
  }
  double value() { return share().value_or(Ratio(-1)).value(); }
  void xe_gpu() { gpu_.driver = "xe"; }

  testing::GpuTree tree_;
  std::set<pid_t> job_{100, 101, 102};
  GpuDevice gpu_ = [] {
    GpuDevice g;
    g.driver = "amdgpu";
    g.address = kAddress;
    return g;
  }();
  std::optional<GpuClients> clients_;
};

TEST(DrmFdinfo, IsReadAsTheKernelDocumentsIt) {
  const auto c = parse_drm_fdinfo(amd(7, 1234, 99));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->driver, "amdgpu");
  EXPECT_EQ(c->address, kAddress);
  EXPECT_EQ(c->id, 7U);
  ASSERT_EQ(c->engines.size(), 2U);
  EXPECT_EQ(c->engines[0].name, "gfx");
  EXPECT_EQ(c->engines[0].busy, 1234U);
  EXPECT_EQ(c->engines[1].busy, 99U) << "the capacity is no time";
  EXPECT_EQ(parse_drm_fdinfo(xe(1, 5, 50))->engines[0].of_cycles, 50U);
  EXPECT_FALSE(parse_drm_fdinfo("pos:\t0\nflags:\t02\nmnt_id:\t15\n"));
  EXPECT_FALSE(parse_drm_fdinfo("drm-driver:\tamdgpu\n")) << "without an id it cannot be told from others";
}

TEST_F(GpuClientsTest, TheShareIsThatOfEngineTimeBetweenTwoLooks) {
  tree_.client(100, 5, amd(1, 1'000'000, 0));
  tree_.client(200, 8, amd(2, 500'000'000, 7'000'000'000));
  EXPECT_FALSE(share()) << "the first look only sets the marks";
  tree_.client(100, 5, amd(1, 1'000'000, 300'000'000));
  tree_.client(200, 8, amd(2, 600'000'000, 7'000'000'000));
  EXPECT_DOUBLE_EQ(value(), 0.75);
  EXPECT_FALSE(share()) << "nobody did anything";
}

TEST_F(GpuClientsTest, AClientThatIsOpenSeveralTimesCountsOnce) {
  tree_.client(100, 5, amd(1, 0));
  tree_.client(100, 6, amd(1, 0));
  tree_.client(101, 5, amd(1, 0));  // a child that inherited it
  tree_.client(200, 8, amd(2, 0));
  (void)share();
  for (const auto& [pid, fd] : {std::pair{100, 5}, {100, 6}, {101, 5}}) tree_.client(pid, fd, amd(1, 100));
  tree_.client(200, 8, amd(2, 100));
  EXPECT_DOUBLE_EQ(value(), 0.5);
}

TEST_F(GpuClientsTest, AChildOfTheJobThatComesLaterCountsFromItsBirth) {
  tree_.client(200, 8, amd(2, 1000));
  (void)share();
  tree_.client(102, 3, amd(9, 300));
  tree_.client(200, 8, amd(2, 1100));
  EXPECT_DOUBLE_EQ(value(), 0.75);
  tree_.client(300, 3, amd(10, 999'999));  // of somebody else: when it began is not known
  tree_.client(102, 3, amd(9, 310));
  tree_.client(200, 8, amd(2, 1130));
  EXPECT_DOUBLE_EQ(value(), 0.25);
}

TEST_F(GpuClientsTest, OneThatEndedIsForgottenAndValuesThatFallBackAreNoWork) {
  tree_.client(100, 5, amd(1, 1000));
  tree_.client(200, 8, amd(2, 1000));
  (void)share();
  tree_.end(200);
  tree_.client(100, 5, amd(1, 900));
  EXPECT_FALSE(share());
  tree_.client(100, 5, amd(1, 1000));
  EXPECT_FALSE(share()) << "it has only caught up with what was seen before";
  tree_.client(100, 5, amd(1, 1001));
  EXPECT_DOUBLE_EQ(value(), 1);
}

TEST_F(GpuClientsTest, XeCountsCyclesOfItsEngines) {
  xe_gpu();
  tree_.client(100, 5, xe(1, 1000, 100'000));
  tree_.client(200, 8, xe(2, 9000, 100'000));
  (void)share();
  tree_.client(100, 5, xe(1, 31'000, 200'000));
  tree_.client(200, 8, xe(2, 19'000, 200'000));
  EXPECT_DOUBLE_EQ(value(), 0.75);
}

TEST_F(GpuClientsTest, EveryGpuHasItsOwnShareOfOneLook) {
  GpuDevice other = gpu_;
  other.address = "0000:03:00.0";
  tree_.client(100, 5, amd(1, 0));
  tree_.client(200, 5, amd(2, 0));
  (void)share();
  (void)clients_->share(other, [](pid_t) { return true; });
  tree_.client(100, 5, amd(1, 100));
  tree_.client(200, 5, amd(2, 100));
  EXPECT_DOUBLE_EQ(value(), 0.5);
  EXPECT_FALSE(clients_->share(other, [](pid_t) { return true; }));
}

TEST_F(GpuClientsTest, OthersAreFoundWithinAFewLooksHoweverMany) {
  for (int pid = 1000; pid < 1100; ++pid) tree_.process_without_gpu(pid);
  tree_.client(100, 5, amd(1, 0));
  (void)share();
  tree_.client(1099, 9, amd(3, 0));  // opens the GPU long after it was born
  for (int i = 1; i <= 15; ++i) {
    tree_.client(100, 5, amd(1, i * 100));
    tree_.client(1099, 9, amd(3, i * 100));
    if (i < 15) (void)share();
  }
  EXPECT_DOUBLE_EQ(value(), 0.5);
}

TEST_F(GpuClientsTest, ComputeOfRocmIsSharedByTheUnitsThatEachKeepsBusy) {
  tree_.add_kfd_node(1, 51545, 0xc1);
  gpu_.kfd_gpu = 51545;
  tree_.kfd_queue(100, 51545, 60);
  tree_.kfd_queue(500, 51545, 20);
  tree_.kfd_queue(600, 777, 100);  // on another GPU
  EXPECT_DOUBLE_EQ(value(), 0.75);
  EXPECT_EQ(clients_->kfd_users(gpu_), 2U);
}

TEST_F(GpuClientsTest, WithoutOccupancyRocmsUsersAreAllOrNothing) {
  tree_.add_kfd_node(1, 51545, 0xc1);
  gpu_.kfd_gpu = 51545;
  tree_.kfd_queue(100, 51545);
  EXPECT_DOUBLE_EQ(value(), 1);
  tree_.kfd_queue(500, 51545);
  EXPECT_FALSE(share()) << "who did how much is not known";
  job_.clear();
  EXPECT_DOUBLE_EQ(value(), 0);
}

TEST_F(GpuClientsTest, InAContainerThePidsOfKfdAreNotOurs) {
  tree_.add_kfd_node(1, 51545, 0xc1);
  tree_.container_pids();
  gpu_.kfd_gpu = 51545;
  tree_.kfd_queue(100, 51545, 60);
  EXPECT_FALSE(share());
}

TEST(GpuVisibility, RocmFiltersByIndexAndUuidAndHipByWhatIsLeft) {
  const std::vector<std::string> ids{"aa01", "bb02", "cc03", "dd04"};
  using Bits = std::vector<bool>;
  EXPECT_EQ(visible_to_rocm(ids, {}), (Bits{true, true, true, true}));
  EXPECT_EQ(visible_to_rocm(ids, {.rocr = "0,2", .hip = {}, .affinity = {}}), (Bits{true, false, true, false}));
  EXPECT_EQ(visible_to_rocm(ids, {.rocr = "GPU-DD04, 1", .hip = {}, .affinity = {}}), (Bits{false, true, false, true}));
  EXPECT_EQ(visible_to_rocm(ids, {.rocr = "3,1", .hip = "0", .affinity = {}}), (Bits{false, false, false, true}))
      << "HIP counts what ROCR left, in ROCR's order";
  EXPECT_EQ(visible_to_rocm(ids, {.rocr = {}, .hip = "1,9,2", .affinity = {}}), (Bits{false, true, false, false}))
      << "an entry that names nothing ends the list";
  EXPECT_EQ(visible_to_rocm(ids, {.rocr = "", .hip = {}, .affinity = {}}), (Bits{false, false, false, false}));
}

TEST(GpuVisibility, LevelZeroTakesDevicesAndPartsOfThem) {
  using Bits = std::vector<bool>;
  EXPECT_EQ(visible_to_level_zero(2, std::nullopt), (Bits{true, true}));
  EXPECT_EQ(visible_to_level_zero(2, ""), (Bits{true, true}));
  EXPECT_EQ(visible_to_level_zero(3, "2.1,0"), (Bits{true, false, true}));
  EXPECT_EQ(visible_to_level_zero(2, "7"), (Bits{false, false}));
}

}  // namespace
}  // namespace gramwatt::sense
