// Power by IPMI: the DCMI extension's "Get Power Reading".
//
// Request (DCMI 1.5, 6.6.1): network function 0x2C (group extension), command 0x02, data DC 01 00 00.
// Answer: completion code, DC, then little-endian: current, minimum, maximum, average power in watts (16 bits each), time
// stamp (32), period of the statistics in milliseconds (32), and a byte whose bit 6 says that power is being measured.
// ipmitool's and OpenBMC's structures agree with this.
//
// The kernel's driver (Documentation/driver-api/ipmi.rst; linux/ipmi.h): a request is sent with one ioctl to the system
// interface on channel 15 (the BMC), poll() waits, a second ioctl fetches the answer; answers are told apart by a number that
// the sender chose. The device is root's. It may be opened for reading only, and then still sends: so the right to read any
// file is enough, held while opening and no longer. What can be sent through it may switch the server off: opening it to other
// users is no remedy.

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ipmi.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/capability.hpp"
#include "base/file.hpp"
#include "sense/bmc.hpp"

namespace gramwatt::sense {
namespace {

constexpr std::array kDevices{"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"};
constexpr int kAnswerMs = 2000;  ///< the driver itself gives up after 5 s; KCS answers in 10 to 100 ms

class Device {
 public:
  Device(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::vector<std::uint8_t>> exchange(std::uint8_t netfn, std::uint8_t command, std::span<const std::uint8_t> data) {
    ipmi_system_interface_addr bmc{};
    bmc.addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE;
    bmc.channel = IPMI_BMC_CHANNEL;
    std::vector<std::uint8_t> body(data.begin(), data.end());
    ipmi_req request{};
    request.addr = reinterpret_cast<unsigned char*>(&bmc);
    request.addr_len = sizeof bmc;
    request.msgid = ++last_id_;
    request.msg.netfn = netfn;
    request.msg.cmd = command;
    request.msg.data = body.data();
    request.msg.data_len = static_cast<unsigned short>(body.size());
    if (::ioctl(fd_.get(), IPMICTL_SEND_COMMAND, &request) != 0)
      return tl::unexpected(errno_error(errno, "cannot ask the BMC", path_));
    return receive();
  }

 private:
  Result<std::vector<std::uint8_t>> receive() {
    constexpr int kMostStale = 16;  // answers to questions that were given up
    for (int i = 0; i < kMostStale; ++i) {
      pollfd waiting{fd_.get(), POLLIN, 0};
      const int ready = ::poll(&waiting, 1, kAnswerMs);
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return fail("the BMC does not answer", path_);
      ipmi_addr from{};
      std::array<std::uint8_t, IPMI_MAX_MSG_LENGTH> buffer{};
      ipmi_recv answer{};
      answer.addr = reinterpret_cast<unsigned char*>(&from);
      answer.addr_len = sizeof from;
      answer.msg.data = buffer.data();
      answer.msg.data_len = buffer.size();
      if (::ioctl(fd_.get(), IPMICTL_RECEIVE_MSG_TRUNC, &answer) != 0 && errno != EMSGSIZE)
        return tl::unexpected(errno_error(errno, "cannot read the BMC's answer", path_));
      if (answer.recv_type != IPMI_RESPONSE_RECV_TYPE || answer.msgid != last_id_) continue;
      return std::vector<std::uint8_t>(buffer.begin(), buffer.begin() + answer.msg.data_len);
    }
    return fail("the BMC answers something else", path_);
  }

  Fd fd_;
  std::string path_;
  long last_id_ = 0;
};

std::uint32_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8U) | bytes[i];
  return value;
}

const char* completion(std::uint8_t code) {
  switch (code) {
    case 0xC0: return "the BMC is busy";
    case 0xC1: return "this BMC does not know DCMI";
    case 0xC3: return "the BMC took too long";
    case 0xC9:
    case 0xCC: return "this BMC does not measure power";
    case 0xD4: return "the BMC forbids it";
    case 0xD5: return "the BMC cannot do that now";
    default: return "the BMC refuses";
  }
}

}  // namespace

Result<Watts> parse_dcmi_power(std::span<const std::uint8_t> answer) {
  constexpr std::size_t kWhole = 19;
  constexpr std::uint8_t kDcmi = 0xDC;
  constexpr std::uint8_t kMeasuring = 1U << 6U;
  if (answer.empty()) return fail("an empty answer", "BMC");
  if (answer[0] != 0) return fail(fmt::format("{} (completion code 0x{:02X})", completion(answer[0]), answer[0]), "BMC");
  if (answer.size() < kWhole || answer[1] != kDcmi) return fail("not an answer to a question about power", "BMC");
  if ((answer[18] & kMeasuring) == 0) return fail("power measurement is switched off", "BMC", "ipmitool dcmi power activate");
  const std::uint32_t now = little_endian(answer.subspan(2, 2));
  // A server that runs this draws something: 0 is a meter that is not connected.
  if (now == 0) return fail("the BMC says 0 W", "BMC");
  return Watts(now);
}

IpmiOpener system_ipmi_opener() {
  return []() -> Result<IpmiTransport> {
    const RaisedCapability any_file(CAP_DAC_READ_SEARCH);
    for (const char* path : kDevices) {
      auto fd = open_read(path);
      if (fd) {
        auto device = std::make_shared<Device>(std::move(*fd), path);
        return IpmiTransport([device](std::uint8_t netfn, std::uint8_t command, std::span<const std::uint8_t> data) {
          return device->exchange(netfn, command, data);
        });
      }
      if (fd.error().kind == Error::Kind::missing) continue;
      Error why = fd.error();
      why.remedy = setcap_command("cap_dac_read_search,cap_perfmon=p");
      return tl::unexpected(std::move(why));
    }
    return fail("the kernel shows a BMC and no device to ask it by", "/dev/ipmi0", "sudo modprobe ipmi_devintf");
  };
}

}  // namespace gramwatt::sense
