/* The walk over objects. */
#include "components/common/json_fields.h"

#include <errno.h>
#include "base/num.h"

static int mismatch(struct json_in *j)
{
    if (!j->err) j->err = "a value has another type than expected";
    return -EBADMSG;
}

/* After a look at what follows: null leaves the member alone. */
static bool is_null(const struct json_in *j)
{
    struct json_in ahead = *j;

    return json_value(&ahead) == JSON_NULL;
}

static int read_simple(struct json_in *j, const struct json_field *f, char *member)
{
    enum json_type t = json_value(j);

    switch (f->kind) {
    case JSON_FIELD_STR:
        if (t != JSON_STRING) return mismatch(j);
        *(struct str *)member = j->raw;
        return 0;
    case JSON_FIELD_BOOL:
        if (t != JSON_BOOL) return mismatch(j);
        *(bool *)member = str_is(j->raw, "true");
        return 0;
    case JSON_FIELD_I64:
        return t == JSON_NUMBER && num_parse_i64(j->raw, (i64 *)member) == 0 ? 0 : mismatch(j);
    case JSON_FIELD_OBJECT:
    case JSON_FIELD_READ: break;
    }
    return mismatch(j);
}

static int read_field(struct json_in *j, const struct json_field *f, char *out)
{
    if (is_null(j)) return json_skip(j);
    if (f->kind == JSON_FIELD_OBJECT) return json_read_fields(j, f->sub, f->n_sub, out);
    if (f->kind == JSON_FIELD_READ) return f->read(j, out + f->off);
    return read_simple(j, f, out + f->off);
}

int json_read_fields(struct json_in *j, const struct json_field *fields, size_t n, void *out)
{
    bool first = true;
    struct str key;

    if (json_value(j) != JSON_OBJ) return mismatch(j);
    while (json_next_key(j, &key, &first)) {
        size_t i = 0;
        while (i < n && !str_is(key, fields[i].name))
            i++;
        int r = i < n ? read_field(j, &fields[i], out) : json_skip(j);
        if (r != 0) return mismatch(j);
    }
    return j->err ? -EBADMSG : 0;
}
