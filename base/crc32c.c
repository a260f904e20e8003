/* CRC-32C: the checksum of snappy frames and of the write-ahead log. */
#include "base/hash.h"

/* Remainders of the 16 half bytes for the reversed polynomial 0x82F63B78: small rather than fast,
 * because it only serves machines without the instruction. */
static const u32 half_byte[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

static u32 by_table(u32 crc, const u8 *p, size_t n)
{
    for (; n; n--, p++) {
        crc = crc >> 4 ^ half_byte[(crc ^ *p) & 15];
        crc = crc >> 4 ^ half_byte[(crc ^ *p >> 4) & 15];
    }
    return crc;
}

#if defined(__x86_64__)
static bool have_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static u32 by_instruction(u32 crc, const u8 *p, size_t n)
{
    u64 wide = crc;

    for (; n >= 8; n -= 8, p += 8) {
        u64 word;

        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (u32)wide;
    for (; n; n--, p++)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return crc;
}
#else
static bool have_instruction(void)
{
    return false;
}

static u32 by_instruction(u32 crc, const u8 *p, size_t n)
{
    return by_table(crc, p, n);
}
#endif

u32 crc32c(u32 crc, const void *p, size_t n)
{
    return ~(have_instruction() ? by_instruction(~crc, p, n) : by_table(~crc, p, n));
}
