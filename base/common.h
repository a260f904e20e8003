/* Small macros and the short integer names every file may use. No state. */
#ifndef BASE_COMMON_H
#define BASE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* before the poisoning below; ssize_t too */
#include <string.h>

typedef int64_t i64;
typedef uint64_t u64;
typedef int32_t i32;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint8_t u8;
typedef double f64;

#define ARRAY_LEN(a)                  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                     ((a) < (b) ? (a) : (b))
#define MAX(a, b)                     ((a) > (b) ? (a) : (b))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

#define LIKELY(x)         __builtin_expect(!!(x), 1)
#define UNLIKELY(x)       __builtin_expect(!!(x), 0)
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN          __attribute__((noreturn))
#define UNUSED            __attribute__((unused))
#define WARN_UNUSED       __attribute__((warn_unused_result))

/* Nanoseconds: every duration and time in the program is an i64 of them. */
#define NS_PER_SEC INT64_C(1000000000)
#define NS_PER_MS  INT64_C(1000000)

/* Calls that cut or overrun silently: the compiler refuses them. */
#pragma GCC poison strcpy strcat sprintf vsprintf gets strncpy strncat strtok

#endif
