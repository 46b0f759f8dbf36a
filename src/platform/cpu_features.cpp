#include "platform/cpu_features.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace weir::platform {
namespace {

constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};

IsaChoice chosen() {
  static const IsaChoice choice = choose_isa(std::getenv("WEIR_ISA"), detect());
  return choice;
}

#if defined(__x86_64__)

// The brand string is 48 bytes in three leaves of cpuid, padded with blanks at either end.
const char* read_name(char (&text)[49]) {
  unsigned registers[12] = {};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned* r = registers + 4 * i;
    if (!__get_cpuid(0x80000002u + i, &r[0], &r[1], &r[2], &r[3])) return "x86_64";
  }
  std::memcpy(text, registers, 48);
  for (size_t n = std::strlen(text); n > 0 && text[n - 1] == ' '; --n)
    text[n - 1] = '\0';
  return text + std::strspn(text, " ");
}

struct Extra {
  bool present;
  const char* name;
};

// AMX: cpuid leaf 7, bits 24 and 22 of edx. Kept apart: compilers differ in naming it.
bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) && (d >> 22 & 1);
}

const char* read_extras(char (&text)[64]) {
  const Extra extras[] = {{__builtin_cpu_supports("avx512vnni") != 0, "avx512_vnni"},
                          {__builtin_cpu_supports("avx512bf16") != 0, "avx512_bf16"},
                          {has_amx(), "amx"}};
  for (const Extra& extra : extras) {
    if (!extra.present) continue;
    if (text[0] != '\0') std::strcat(text, " ");
    std::strcat(text, extra.name);
  }
  return text;
}

#endif

}  // namespace

Isa detect() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("f16c");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2) return avx512 ? Isa::avx512 : Isa::avx2;
#endif
  return Isa::baseline;
}

IsaChoice choose_isa(const char* request, Isa best) {
  if (request == nullptr || *request == '\0') return {best, ""};
  for (int i = 0; i < 3; ++i) {
    if (std::strcmp(request, kNames[i]) != 0) continue;
    if (i > static_cast<int>(best)) return {best, "WEIR_ISA ignored: this machine lacks that set"};
    return {static_cast<Isa>(i), ""};
  }
  return {best, "WEIR_ISA ignored: expected baseline, avx2 or avx512"};
}

Isa isa() {
  return chosen().isa;
}

const char* isa_note() {
  return chosen().note;
}

const char* isa_name(Isa isa) {
  return kNames[static_cast<int>(isa)];
}

const char* cpu_name() {
#if defined(__x86_64__)
  static char text[49] = {};
  static const char* const name = read_name(text);
  return name;
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown processor";
#endif
}

const char* cpu_extras() {
#if defined(__x86_64__)
  static char text[64] = {};
  static const char* const extras = read_extras(text);
  return extras;
#else
  return "";
#endif
}

}  // namespace weir::platform
