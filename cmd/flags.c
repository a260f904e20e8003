/* Flag tables: parsing, defaults, notices, help. */
#include "cmd/flags.h"

#include <ctype.h>
#include <errno.h>
#include "base/num.h"
#include "cmd/report.h"
#include "value/schema.h"

/* ---- one value; each returns an owned reason, or NULL when the text is fine ---- */

static char *set_bool(struct str text, void *to)
{
    static const char *const yes[] = {"true", "1", "t", "T", "TRUE", "True"}, *const no[] = {
                                                                                  "false", "0",
                                                                                  "f",     "F",
                                                                                  "FALSE", "False"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_is(text, yes[i])) return *(bool *)to = true, NULL;
        if (str_is(text, no[i])) return *(bool *)to = false, NULL;
    }
    return xprintf("strconv.ParseBool: parsing \"" STR_FMT "\": invalid syntax", STR_ARG(text));
}

static char *set_int(struct str text, void *to)
{
    if (num_parse_i64(text, to) == 0) return NULL;
    return xprintf("strconv.ParseInt: parsing \"" STR_FMT "\": invalid syntax", STR_ARG(text));
}

static char *set_text(struct str text, void *to)
{
    *(const char **)to = text.p; /* ends where argv's string ends */
    return NULL;
}

static char *set_duration(struct str text, void *to)
{
    char *err = NULL;
    return dur_parse(text, to, &err) == 0 ? NULL : err;
}

static char *set_size(struct str text, void *to)
{
    char *err = NULL;
    return bytesize_parse(text, to, &err) == 0 ? NULL : err;
}

static char *set_stability(struct str text, void *to)
{
    if (stability_parse(text, to)) return NULL;
    return xprintf("invalid stability level \"" STR_FMT "\"", STR_ARG(text));
}

static char *(*const setters[])(struct str text, void *to) = {
    [FLAG_BOOL] = set_bool,         [FLAG_INT] = set_int,   [FLAG_TEXT] = set_text,
    [FLAG_DURATION] = set_duration, [FLAG_SIZE] = set_size, [FLAG_STABILITY] = set_stability,
};

static const size_t sizes[] = {
    [FLAG_BOOL] = sizeof(bool),         [FLAG_INT] = sizeof(i64),
    [FLAG_TEXT] = sizeof(const char *), [FLAG_DURATION] = sizeof(i64),
    [FLAG_SIZE] = sizeof(i64),          [FLAG_STABILITY] = sizeof(enum stability),
};

static void *member(const struct flag *f, void *out)
{
    return (char *)out + f->off;
}

static bool is_default(const struct flag *f, const void *out)
{
    union {
        bool b;
        i64 i;
        const char *text;
        enum stability level;
    } def = {0};
    const void *is = (const char *)out + f->off;
    free(setters[f->kind](str_of(f->def), &def)); /* defaults are well formed */
    if (f->kind == FLAG_TEXT) return strcmp(*(const char *const *)is, f->def) == 0;
    return memcmp(is, &def, sizes[f->kind]) == 0;
}

/* ---- the command line ---- */

const struct flag *flags_find(const struct flag_table *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_is(name, t->rows[i].name)) return &t->rows[i];
    return NULL;
}

/* An owned reason when a text is none of the allowed ones. */
static char *check_choice(const struct flag *f, struct str value)
{
    struct buf all = BUF_INIT(4096);
    if (!f->one_of) return NULL;
    for (const char *const *c = f->one_of; *c; c++) {
        if (str_is(value, *c)) return buf_done(&all), NULL;
        buf_printf(&all, "%s%s", all.n ? ", " : "it is one of ", *c);
    }
    return buf_take(&all, NULL);
}

static int set_flag(const struct flag *f, struct str value, void *out)
{
    char *err = setters[f->kind](value, member(f, out));
    if (!err) err = check_choice(f, value);
    if (!err) return 0;
    fail("invalid argument \"" STR_FMT "\" for \"--%s\" flag: %s", STR_ARG(value), f->name, err);
    free(err);
    return -EINVAL;
}

/* Takes one or two words. Returns how many, or -EINVAL. */
static int parse_flag(const struct flag_table *t, const char *word, const char *next, void *out)
{
    struct str value = str_of(word + 2);
    struct str name = str_cut(&value, '=');
    const struct flag *f = flags_find(t, name);
    if (!f) {
        fail("unknown flag: --" STR_FMT, STR_ARG(name));
        return -EINVAL;
    }
    if (f->deprecated)
        fprintf(stderr,
                "Flag --%s has been deprecated, This flag is deprecated and has no effect.\n",
                f->name);
    if (value.p) return set_flag(f, value, out) < 0 ? -EINVAL : 1;
    if (f->kind == FLAG_BOOL) return set_flag(f, STR("true"), out) < 0 ? -EINVAL : 1;
    if (!next) {
        fail("flag needs an argument: --%s", f->name);
        return -EINVAL;
    }
    return set_flag(f, str_of(next), out) < 0 ? -EINVAL : 2;
}

static int set_defaults(const struct flag_table *t, void *out)
{
    for (size_t i = 0; i < t->n; i++)
        if (set_flag(&t->rows[i], str_of(t->rows[i].def), out) < 0) return -EINVAL;
    return 0;
}

static int check_support(const struct flag_table *t, const void *out)
{
    int err = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct flag *f = &t->rows[i];
        if (f->deprecated || (!f->unheeded && !f->refused) || is_default(f, out)) continue;
        if (f->refused) {
            fail("--%s: %s", f->name, f->refused);
            err = -EINVAL;
        } else {
            fprintf(stderr, "Warning: --%s has no effect: %s\n", f->name, f->unheeded);
        }
    }
    return err;
}

/* "-" is standard input; "-1" is a number. */
static bool is_flag(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
}

static const struct flag *find_letter(const struct flag_table *t, char letter)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].letter == letter) return &t->rows[i];
    return NULL;
}

/* -wt: letters of flags that are on or off. */
static int parse_letters(const struct flag_table *t, const char *word, void *out, bool *ret_help)
{
    for (const char *p = word + 1; *p; p++) {
        const struct flag *f = find_letter(t, *p);
        if (f)
            *(bool *)member(f, out) = true;
        else if (*p == 'h')
            *ret_help = true;
        else
            return fail("unknown shorthand flag: '%c' in %s", *p, word), -EINVAL;
    }
    return 0;
}

static int parse_words(const struct flag_table *t, int argc, char **argv, void *out, arg_list *args,
                       bool *ret_help)
{
    bool flags_end = false;
    for (int i = 1; i < argc;) {
        int taken = 1;
        if (flags_end || !is_flag(argv[i]))
            vec_push(args, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            flags_end = true;
        else if (strcmp(argv[i], "--help") == 0)
            *ret_help = true;
        else if (argv[i][1] != '-') {
            if (parse_letters(t, argv[i], out, ret_help) < 0) return -EINVAL;
        } else if ((taken = parse_flag(t, argv[i], argv[i + 1], out)) < 0)
            return -EINVAL;
        i += taken;
    }
    return 0;
}

int flags_parse(const struct flag_table *t, int argc, char **argv, void *out, arg_list *args,
                bool *ret_help)
{
    *ret_help = false;
    if (set_defaults(t, out) < 0 || parse_words(t, argc, argv, out, args, ret_help) < 0)
        return -EINVAL;
    return *ret_help ? 0 : check_support(t, out);
}

const char *const *flag_choices(const struct flag *f)
{
    static const char *const levels[] = {"experimental", "public-preview", "generally-available",
                                         NULL};
    static const char *const truths[] = {"true", "false", NULL};
    if (f->kind == FLAG_STABILITY) return levels;
    return f->kind == FLAG_BOOL ? truths : f->one_of;
}

static void print_flag(const struct flag *f, FILE *to)
{
    fputs("  ", to);
    if (f->letter) fprintf(to, "-%c, ", f->letter);
    fprintf(to, "--%s", f->name);
    if (f->kind != FLAG_BOOL || strcmp(f->def, "false") != 0) fprintf(to, "=%s", f->def);
    fprintf(to, "\n        %s", f->help);
    const char *const *choices = f->kind == FLAG_BOOL ? NULL : flag_choices(f);
    for (size_t i = 0; choices && choices[i]; i++)
        fprintf(to, "%s%s", i ? ", " : " One of: ", choices[i]);
    fprintf(to, "%s%s\n", choices ? "." : "",
            f->refused || f->unheeded ? " (not in this build)" : "");
}

static void write_value(const struct flag *f, const void *in, struct buf *out)
{
    const void *at = (const char *)in + f->off;
    switch (f->kind) {
    case FLAG_BOOL: buf_cstr(out, *(const bool *)at ? "true" : "false"); break;
    case FLAG_INT: buf_printf(out, "%lld", (long long)*(const i64 *)at); break;
    case FLAG_TEXT: buf_cstr(out, *(const char *const *)at); break;
    case FLAG_DURATION: dur_format(out, *(const i64 *)at); break;
    case FLAG_SIZE: bytesize_format(out, *(const i64 *)at); break;
    case FLAG_STABILITY: buf_cstr(out, stability_name(*(const enum stability *)at)); break;
    }
}

static int by_flag_name(const void *a, const void *b)
{
    return strcmp((*(const struct flag *const *)a)->name, (*(const struct flag *const *)b)->name);
}

void flags_write(const struct flag_table *t, const void *in, struct buf *out)
{
    const struct flag **sorted = xcalloc(t->n + 1, sizeof(*sorted));
    for (size_t i = 0; i < t->n; i++)
        sorted[i] = &t->rows[i];
    qsort(sorted, t->n, sizeof(*sorted), by_flag_name);
    for (size_t i = 0; i < t->n; i++) {
        buf_printf(out, "%s%s=", i ? "\n" : "", sorted[i]->name);
        write_value(sorted[i], in, out);
    }
    free(sorted);
}

void flags_print(const struct flag_table *t, FILE *to)
{
    fputs("\nFlags:\n", to);
    for (size_t i = 0; i < t->n; i++)
        if (!t->rows[i].deprecated) print_flag(&t->rows[i], to);
    fputs("  -h, --help\n        This text.\n", to);
}
