// The published facts: table 2 (jobs) and the eight tables of savings, mean over 16 regions and 60 starts of 2020, in percent.

#include <chrono>
#include <cmath>

#include "plan/facct22.hpp"

namespace gramwatt::plan::facct22 {
namespace {

using namespace std::chrono_literals;

struct Row {
  std::array<double, kJobs> flexible_start, pause_resume, pauses_per_hour;
};

constexpr std::array<Row, kSlacks> kPublished{{
    {{6.9, 1.2, 0.2, 15.3, 14.9, 14.5, 2.3, 2.2, 1.7, 0.5, 0.2},
     {9.4, 2.9, 0.8, 15.8, 15.5, 15.3, 5.5, 5.3, 4.8, 1.5, 0.7},
     {.41, .21, .06, .22, .27, .28, .29, .30, .29, .11, .06}},
    {{10.1, 2.3, 0.3, 21.6, 21.1, 20.6, 3.8, 3.6, 2.7, 0.8, 0.3},
     {13.8, 5.3, 1.4, 22.2, 21.7, 21.5, 8.3, 8.1, 7.7, 2.7, 1.3},
     {.33, .27, .10, .12, .15, .15, .32, .33, .32, .17, .09}},
    {{13.3, 2.9, 0.4, 24.1, 23.7, 23.2, 4.9, 4.6, 3.6, 1.1, 0.4},
     {17.4, 7.0, 2.0, 24.9, 24.5, 24.2, 10.8, 10.5, 9.9, 3.8, 1.9},
     {.26, .29, .13, .08, .09, .10, .31, .32, .32, .20, .12}},
    {{14.5, 3.4, 0.5, 26.8, 26.4, 25.9, 5.6, 5.3, 4.2, 1.3, 0.5},
     {19.0, 8.5, 2.5, 27.7, 27.3, 27.1, 12.5, 12.3, 11.7, 4.7, 2.4},
     {.23, .30, .15, .06, .07, .08, .30, .30, .30, .23, .14}},
    {{1.9, 1.7, 0.8, 0.6, 0.4, 0.4, 1.8, 1.8, 1.6, 1.3, 0.9},
     {3.1, 4.1, 4.5, 0.7, 0.6, 0.5, 4.5, 4.6, 4.4, 4.4, 4.5},
     {.45, .25, .22, 2.2, 2.4, 2.4, .28, .29, .28, .22, .21}},
    {{3.6, 2.9, 1.5, 1.0, 1.3, 1.2, 3.3, 3.1, 2.5, 2.1, 1.6},
     {5.5, 7.0, 7.4, 1.1, 1.5, 1.6, 7.2, 7.0, 7.0, 7.3, 7.4},
     {.47, .29, .27, 1.83, 2.33, 2.33, .32, .33, .32, .27, .26}},
    {{5.4, 3.6, 2.0, 1.5, 1.7, 1.9, 4.2, 4.0, 3.3, 2.8, 2.2},
     {7.6, 9.2, 9.6, 1.6, 2.0, 2.4, 9.2, 9.3, 9.2, 9.6, 9.6},
     {.45, .30, .27, 1.71, 2.0, 2.14, .33, .33, .32, .28, .26}},
    {{7.0, 4.1, 2.6, 1.8, 2.5, 2.7, 5.0, 4.8, 3.9, 3.3, 3.0},
     {9.5, 11.0, 11.4, 2.0, 2.8, 3.1, 11.0, 11.0, 10.8, 11.4, 11.3},
     {.42, .29, .27, 1.5, 1.88, 2.0, .31, .32, .31, .27, .26}},
}};

/// Percent with one decimal, as the nearest part of 1.
Ratio part(double percent) { return Ratio(std::round(10 * percent) / 1000); }

}  // namespace

const std::array<Job, kJobs>& jobs() {
  // The table rounds the DenseNets to 0.3, 0.3 and 0.4 h; the text has their minutes.
  static const std::array<Job, kJobs> table{{
      {"BERT small, finetuned", "BERT-ft", "V100", 4, 6h, kwh(3.1)},
      {"BERT small, language model", "BERT-LM", "V100", 8, 36h, kwh(37.3)},
      {"transformer of 6.1 billion, 13 % of its training", "6.1B", "A100", 256, 192h, kwh(13812.4)},
      {"DenseNet 121", "DN-121", "P40", 1, 20min, kwh(0.02)},
      {"DenseNet 169", "DN-169", "P40", 1, 20min, kwh(0.03)},
      {"DenseNet 201", "DN-201", "P40", 1, 25min, kwh(0.04)},
      {"ViT Tiny", "ViT-T", "V100", 1, 19h, kwh(1.7)},
      {"ViT Small", "ViT-S", "V100", 1, 19h, kwh(2.2)},
      {"ViT Base", "ViT-B", "V100", 1, 21h, kwh(4.7)},
      {"ViT Large", "ViT-L", "V100", 4, 90h, kwh(93.3)},
      {"ViT Huge", "ViT-H", "V100", 4, 216h, kwh(237.6)},
  }};
  return table;
}

const std::array<Slack, kSlacks>& slacks() {
  static const std::array<Slack, kSlacks> table{{{"+6 h", 6h, 0},
                                                 {"+12 h", 12h, 0},
                                                 {"+18 h", 18h, 0},
                                                 {"+24 h", 24h, 0},
                                                 {"+25 %", {}, 25},
                                                 {"+50 %", {}, 50},
                                                 {"+75 %", {}, 75},
                                                 {"+100 %", {}, 100}}};
  return table;
}

Published published(std::size_t slack, std::size_t job, Policy policy) {
  const Row& row = kPublished.at(slack);
  if (policy == Policy::flexible_start) return {part(row.flexible_start.at(job)), {}};
  return {part(row.pause_resume.at(job)), row.pauses_per_hour.at(job)};
}

}  // namespace gramwatt::plan::facct22
