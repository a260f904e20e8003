/* The platform as Go names it: version text, metrics, User-Agent. */
#ifndef CMD_PLATFORM_H
#define CMD_PLATFORM_H

#if defined(__x86_64__)
#define WEIR_ARCH "amd64"
#elif defined(__aarch64__)
#define WEIR_ARCH "arm64"
#else
#define WEIR_ARCH "unknown"
#endif
#define WEIR_PLATFORM "linux/" WEIR_ARCH

#endif
