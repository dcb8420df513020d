// RAPL and NVML are DC at the device. Between them and the plug lie the power supply (80 PLUS Gold to Titanium: 6 to 13 % lost
// at half load), regulators, fans, board, NIC and disks. Without this line a machine with sensors would look cleaner than the
// same machine modelled from wall power. Nine tools against wattmeters showed it as a slope, not an offset: wall / tool =
// 1.17 for CPU loads and 1.18 for GPU loads (Jay et al., CCGrid 2023, 10.1109/CCGrid57682.2023.00020); hence `loss`. What is
// drawn even at rest is `base`: half of the active-idle wall power of SPECpower's servers of 2017 and later (median 26 W a
// socket and 50 W in all), which are tuned for low idle power; hence the upper end. A BMC or a plug meter replaces all this.

#include "meter/platform.hpp"

namespace gramwatt::meter {

PlatformLift platform_lift(sense::MachineClass machine_class, int packages, Ratio host_share, bool has_cpu_sensors) {
  PlatformLift lift;
  lift.loss = 0.17;
  lift.loss_shift = Shift::range(0.17, 0.06, 0.35);
  lift.source = "modelled: 0.17 W a chip watt (Jay et al. 2023)";
  if (!has_cpu_sensors) return lift;
  switch (machine_class) {
    case sense::MachineClass::laptop:
      lift.base = Watts(4);  // display off or on battery savings vary: 2 to 10 W
      lift.base_shift = Shift::range(4, 2, 10);
      break;
    case sense::MachineClass::desktop:
      lift.base = Watts(20);  // board, fan, SSD of an office or gaming desktop at rest: 10 to 45 W
      lift.base_shift = Shift::range(20, 10, 45);
      break;
    case sense::MachineClass::guest:  // its part of a host with two sockets, whatever sockets it is shown
      lift.base = Watts(50.0 * host_share.value());
      lift.base_shift = Shift::range(25, 12, 75);
      break;
    case sense::MachineClass::server:
      lift.base = Watts(25.0 * packages);
      lift.base_shift = Shift::range(25, 12, 75);
      break;
  }
  lift.source += ", " + std::to_string(static_cast<int>(lift.base.value())) + " W at rest (assumed)";
  return lift;
}

}  // namespace gramwatt::meter
