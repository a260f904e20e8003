/* Which program answers: this one, in the place of an exporter. */
#include "components/common/build_info.h"

#define SERVED_BY "weir"
#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

static const char *text(struct expo *e, const char *before, const char *program, const char *after)
{
    struct buf b = BUF_INIT(1024);

    buf_printf(&b, "%s%s%s", before, program, after);
    const char *kept = expo_keep(e, buf_view(&b));
    buf_done(&b);
    return kept;
}

void build_info_add(struct expo *e, const char *program)
{
    expo_gauge1(e, text(e, "", program, "_build_info"),
                text(e,
                     "A metric with a constant '1' value labeled by version, revision, branch, "
                     "goversion from which ",
                     program, " was built, and the goos and goarch for the build."),
                1, EXPO_L("branch", "main"), EXPO_L("goarch", ARCH), EXPO_L("goos", "linux"),
                EXPO_L("goversion", "none"), EXPO_L("revision", WEIR_REVISION),
                EXPO_L("tags", SERVED_BY), EXPO_L("version", WEIR_VERSION));
}
