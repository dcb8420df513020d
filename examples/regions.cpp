// Regions from C++: they end with their scope, move between threads, overlap.
//
//     c++ -std=c++17 -O2 regions.cpp $(pkg-config --cflags --libs gramwatt) -pthread -o regions
//     gramwatt run -- ./regions
#include <chrono>
#include <cstdio>
#include <gramwatt/gramwatt.hpp>
#include <thread>
#include <utility>

namespace {

double work(std::chrono::milliseconds length) {
  double x = 0;
  const auto end = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < end) {
    for (int i = 1; i < 1000; ++i) x += 1.0 / i;
  }
  return x;
}

}  // namespace

int main() {
  using namespace std::chrono_literals;
  double x = 0;
  {
    const gramwatt::Region everything("main");
    {
      const gramwatt::Region prepare("prepare");
      x += work(400ms);
    }
    // Begins here, and ends in the thread that finishes the work.
    gramwatt::Region request("request");
    double y = 0;
    std::thread worker([&y, request = std::move(request)]() mutable {
      const gramwatt::Region compute("compute");
      y = work(600ms);
      request.end();
    });
    {
      const gramwatt::Region overlapping("meanwhile");
      x += work(300ms);
    }
    worker.join();
    x += y;
  }
  std::printf("%s %d\n", gramwatt::available() ? "recorded" : "not recorded", x > 0);
}
