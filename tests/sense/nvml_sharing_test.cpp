#include "sense/nvml_sharing.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "fakes/temp_tree.hpp"

namespace gramwatt::sense {
namespace {

class Sharing : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(tree_ / "self/ns");
    std::filesystem::create_symlink("pid:[4026531836]", tree_ / "self/ns/pid");
    tree_.write("self/status", "Name:\tx\nNSpid:\t77\n");
  }
  void say(const std::string& text) {
    tree_.write("nvml", "0 name H100\n" + text);
    setenv("GRAMWATT_FAKE_NVML", (tree_ / "nvml").c_str(), 1);
  }
  std::optional<double> share(GpuSharing& s, std::vector<pid_t> job) {
    clock_.advance(std::chrono::seconds(1));
    const auto r = s.share([&](pid_t p) { return std::find(job.begin(), job.end(), p) != job.end(); }, clock_);
    return r ? std::optional(r->value()) : std::nullopt;
  }
  GpuSharing board(std::optional<MigSlices> mig = std::nullopt) {
    auto library = NvmlLibrary::open(FAKE_NVML_LIBRARY);
    NvmlDevice device = nullptr;
    (void)(*library)->device_by_index(0, &device);
    return {*library, device, tree_.root(), std::move(mig)};
  }
  testing::TempTree tree_;
  VirtualClock clock_{std::chrono::seconds(1'700'000'000)};
};

TEST_F(Sharing, ABoardOfTheJobAloneIsAllItsOwn) {
  say("0 running 10\n0 running 11\n");
  auto s = board();
  EXPECT_EQ(share(s, {10, 11}), 1);
}

TEST_F(Sharing, TimeSlicedProgramsAreSharedByTheirUseOfTheSms) {
  say("0 running 10\n0 running 20\n0 use 10 30 1000000\n0 use 20 60 1000000\n0 use 10 30 1200000\n0 use 20 60 1200000\n");
  auto s = board();
  EXPECT_NEAR(share(s, {10}).value(), 1.0 / 3, 1e-9);
}

TEST_F(Sharing, GarbageAndWhatWasSeenBeforeDoNotCount) {
  say("0 running 10\n0 running 20\n0 use 10 50 1000000\n0 use 20 50 1000000\n");
  auto s = board();
  EXPECT_NEAR(share(s, {10}).value(), 0.5, 1e-9);
  say("0 running 10\n0 running 20\n0 use 10 50 1000000\n0 use 20 50 1000000\n0 use 10 4000000000 3000000\n0 use 20 80 2000000\n"
      "0 use 10 20 2000000\n");
  EXPECT_NEAR(share(s, {10}).value(), 0.2, 1e-9);
}

TEST_F(Sharing, NobodyActiveIsNoShareAndNotAnError) {
  say("0 running 10\n0 running 20\n0 use_code 6\n");
  auto s = board();
  EXPECT_FALSE(share(s, {10}));
}

TEST_F(Sharing, HostNumbersAreTranslatedThroughNspid) {
  // The host's /proc seen from a container: this process has two numbers.
  tree_.write("self/status", "Name:\tx\nNSpid:\t5000\t7\n");
  std::filesystem::remove(tree_ / "self/ns/pid");
  std::filesystem::create_symlink("pid:[4026532000]", tree_ / "self/ns/pid");
  tree_.write("6000/status", "NSpid:\t6000\t10\n");
  tree_.write("6001/status", "NSpid:\t6001\n");  // of the host
  const HostPids pids(tree_.root());
  EXPECT_EQ(pids.here(6000), 10);
  EXPECT_FALSE(pids.here(6001));
  say("0 running 6000\n0 running 6001\n0 use 6000 10 1000000\n0 use 6001 30 1000000\n");
  auto s = board();
  EXPECT_NEAR(share(s, {10}).value(), 0.25, 1e-9);
}

TEST_F(Sharing, InAContainerWithoutTheHostsNumbersNothingIsGuessed) {
  std::filesystem::remove(tree_ / "self/ns/pid");
  std::filesystem::create_symlink("pid:[4026532000]", tree_ / "self/ns/pid");
  say("0 running 10\n0 use 10 10 1000000\n");
  auto s = board();
  EXPECT_FALSE(s.can_tell());
  EXPECT_FALSE(share(s, {10}));
}

TEST_F(Sharing, SlicesCountOfTheWholeBoardWhereNobodySaysWhoIsActive) {
  say("0 processes !3\n");
  MigSlices m;
  m.instances = {{1, 3, false}, {2, 2, true}};
  auto s = board(m);
  EXPECT_NEAR(share(s, {}).value(), 2.0 / 7, 1e-9);
  EXPECT_NE(s.settled().notes.at(0).find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace gramwatt::sense
