/* The agent's id. Found in the storage folder, else in /tmp, else drawn and written to the former.
 */
#include "components/common/agent_seed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/json.h"
#include "base/xalloc.h"

#define NAME "alloy_seed.json"

static bool is_uuid(struct str s)
{
    if (s.n != 36) return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.p[i], low = (char)(c | 0x20);
        bool hex = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

static char *uid_of(struct str text)
{
    struct arena scratch;
    struct json_in j;
    struct str key;
    bool first = true;
    char *uid = NULL;

    arena_init(&scratch, 0);
    json_in_init(&j, text, &scratch);
    bool object = json_value(&j) == JSON_OBJ;
    while (object && !j.err && json_next_key(&j, &key, &first)) {
        if (!str_is(key, "UID") || uid) {
            (void)json_skip(&j);
            continue;
        }
        if (json_value(&j) == JSON_STRING && is_uuid(j.raw)) uid = str_dup(j.raw);
    }
    arena_done(&scratch);
    return uid;
}

static char *read_uid(const char *path)
{
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd >= 0) (void)close(fd);
    return n > 0 ? uid_of(str_n(text, (size_t)n)) : NULL;
}

static char *draw_uid(void)
{
    u8 b[16];

    random_bytes(b, sizeof(b));
    b[6] = (u8)((b[6] & 0x0f) | 0x40); /* version 4, variant 1 */
    b[8] = (u8)((b[8] & 0x3f) | 0x80);
    return xprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

static void write_text(struct buf *out, const struct host *host, const char *uid)
{
    struct json_out j = {.b = out};
    struct buf time = BUF_INIT(64);

    time_rfc3339(&time, clock_real(host->clock), false);
    json_obj(&j);
    json_key(&j, STR("UID"));
    json_str(&j, str_of(uid));
    json_key(&j, STR("created_at"));
    json_str(&j, buf_view(&time));
    json_key(&j, STR("version"));
    json_str(&j, STR("v" WEIR_VERSION));
    json_obj_end(&j);
    buf_done(&time);
}

/* Under another name first: a process that is killed leaves none or a whole one. */
static int write_seed(const char *path, struct str text)
{
    char *temp = xprintf("%s.new", path);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int err = fd < 0 ? errno : 0;

    if (fd >= 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n != (ssize_t)text.n) err = n < 0 ? errno : ENOSPC;
        if (close(fd) != 0 && !err) err = errno;
        if (!err && rename(temp, path) != 0) err = errno;
    }
    free(temp);
    return err;
}

char *agent_seed(const struct host *host, struct logger *log)
{
    char *path = xprintf("%s/" NAME, host->storage_path), *uid = read_uid(path);
    struct buf text = BUF_INIT(4096);
    int err = 0;

    if (!uid) {
        uid = read_uid("/tmp/" NAME);
        if (!uid) uid = draw_uid();
        write_text(&text, host, uid);
        err = write_seed(path, buf_view(&text));
    }
    if (err)
        log_warn(log, "the id of this agent cannot be kept: it has another one after a restart",
                 F_CSTR("file", path), F_CSTR("error", strerror(err)));
    buf_done(&text);
    free(path);
    return uid;
}
