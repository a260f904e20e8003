/* Tests of the exposition parsers: what each format takes and refuses, what is read of it. */
#include "telemetry/exposition.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/num.h"
#include "base/test.h"
#include "telemetry/exposition_int.h"

/* --- events as text --- */

static void show_labels(struct buf *out, const struct label_set *set)
{
    for (u32 i = 0; i < set->n; i++)
        buf_printf(out, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(set->v[i].name),
                   STR_ARG(set->v[i].value));
}

static bool show_exemplar(struct exposition *e, const struct exposition_exemplar *x,
                          struct buf *out)
{
    struct label_set set;

    label_set_init(&set);
    int rc = exposition_exemplar_labels(e, x->labels, &set);
    buf_cstr(out, " #{");
    show_labels(out, &set);
    buf_cstr(out, "}");
    num_f64_g(out, x->value);
    if (x->has_time) buf_printf(out, "@%lld", (long long)x->time);
    label_set_done(&set);
    return rc == 0;
}

static bool show_sample(struct exposition *e, struct buf *out)
{
    struct label_set set;

    label_set_init(&set);
    int rc = exposition_labels(e, &set);
    show_labels(out, &set);
    label_set_done(&set);
    buf_ch(out, ' ');
    num_f64_g(out, sample_value(e->bits));
    if (e->has_time) buf_printf(out, " @%lld", (long long)e->time);
    if (e->exemplar.labels.p && rc == 0 && !show_exemplar(e, &e->exemplar, out)) rc = -EINVAL;
    buf_ch(out, '\n');
    return rc == 0;
}

static void show_histogram(struct exposition *e, struct buf *out)
{
    const struct histogram *h = e->histogram;
    struct exposition_exemplar x;

    e->bits = sample_bits(h->sum);
    show_sample(e, out);
    out->n--;
    buf_printf(out, " native schema=%d count=%llu zero=%llu pos=", h->schema,
               (unsigned long long)h->count.i, (unsigned long long)h->zero_count.i);
    for (u32 i = 0; i < h->n_pos; i++)
        buf_printf(out, "%lld,", (long long)h->pos_deltas[i]);
    while (exposition_histogram_exemplar(e, &x))
        show_exemplar(e, &x, out);
    buf_ch(out, '\n');
}

static void show_about(struct exposition *e, char what, struct buf *out)
{
    buf_printf(out, "%c " STR_FMT " \"" STR_FMT "\"\n", what, STR_ARG(e->family), STR_ARG(e->text));
}

static bool show_event(struct exposition *e, enum exposition_event event, struct buf *out)
{
    switch (event) {
    case EXPOSITION_SAMPLE: return show_sample(e, out);
    case EXPOSITION_HISTOGRAM: show_histogram(e, out); return true;
    case EXPOSITION_TYPE: show_about(e, 'T', out); return true;
    case EXPOSITION_HELP: show_about(e, 'H', out); return true;
    case EXPOSITION_UNIT: show_about(e, 'U', out); return true;
    case EXPOSITION_END:
    case EXPOSITION_ERROR: break;
    }
    return false;
}

static void read_all(const struct exposition_conf *conf, struct buf *out)
{
    struct exposition e;
    enum exposition_event event;

    exposition_init(&e, conf);
    do
        event = exposition_next(&e, 0, 0);
    while (show_event(&e, event, out));
    if (event != EXPOSITION_END) buf_printf(out, "! %s\n", e.error);
    assert_int_equal(exposition_next(&e, 0, 0), EXPOSITION_END);
    exposition_done(&e);
}

/* The body is copied so that a read past its end is seen. */
static void check_bytes(enum exposition_format f, struct str body, const char *want)
{
    char *copy = malloc(body.n ? body.n : 1);
    struct buf out = BUF_INIT(1 << 20);

    memcpy(copy, body.p, body.n);
    read_all(&(struct exposition_conf){.format = f, .body = str_n(copy, body.n)}, &out);
    buf_ch(&out, '\0');
    out.n--;
    assert_text(buf_view(&out), want);
    buf_done(&out);
    free(copy);
}

static void check(enum exposition_format f, const char *body, const char *want)
{
    check_bytes(f, str_of(body), want);
}

struct exposition_case {
    const char *body, *want;
};
static void check_all(enum exposition_format f, const struct exposition_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(f, c[i].body, c[i].want);
}

/* --- text --- */

static const struct exposition_case text_good[] = {
    {"", ""},
    {"\n\n  \t\n", ""},
    {"up 1\n", "__name__=up 1\n"},
    {"up 1", "__name__=up 1\n"},
    {"  up\t 1 \t 1500 \t\n", "__name__=up 1 @1500\n"},
    {"a{} 1\n", "__name__=a 1\n"},
    {"a{b=\"c\"} 2.5\n", "__name__=a,b=c 2.5\n"},
    {"a{b=\"c\",} 2.5\n", "__name__=a,b=c 2.5\n"},
    {"a{b=\"c\" d=\"e\"} 1\n", "__name__=a,b=c,d=e 1\n"},
    {"a { b = \"c\" , d = \"e\" } 1\n", "__name__=a,b=c,d=e 1\n"},
    {"a{z=\"1\",b=\"}{\"} 1\n", "__name__=a,b=}{,z=1 1\n"},
    {"a{b=\"x\\\"y\\\\z\\n\\t\"} 1\n", "__name__=a,b=x\"y\\z\n\\t 1\n"},
    {"{\"my.metric\",\"label.x\"=\"v\"} 1\n", "__name__=my.metric,label.x=v 1\n"},
    {"{\"my.metric\"} 1\n", "__name__=my.metric 1\n"},
    {"{a=\"b\"} 1\n", "a=b 1\n"},
    {"a:b:_c9 1\n", "__name__=a:b:_c9 1\n"},
    {"a NaN\na +Inf\na -inf\na Infinity\na 1e3\na -0.5E-2\na .5\na 5.\n",
     "__name__=a NaN\n__name__=a +Inf\n__name__=a -Inf\n__name__=a +Inf\n__name__=a 1000\n"
     "__name__=a -0.005\n__name__=a 0.5\n__name__=a 5\n"},
    {"# just words\n#HELP a b\n# HELPER a\n#\na 1\n", "__name__=a 1\n"},
    {"# HELP a Some \\\\ text\\n.\n#\t TYPE  a\tcounter \na 1\n",
     "H a \"Some \\ text\n.\"\nT a \"counter\"\n__name__=a 1\n"},
    {"# HELP a\n# HELP a \n", "H a \"\"\nH a \"\"\n"},
    {"# UNIT a seconds\n", ""},
    {"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1e6\"} 1\nh_bucket{le=\"+Inf\"} 1\n"
     "# TYPE g gauge\ng{le=\"1\",quantile=\"1\"} 1\n# TYPE s summary\ns{quantile=\"0\"} 1\n",
     "T h \"histogram\"\n__name__=h_bucket,le=1.0 1\n__name__=h_bucket,le=1e+06 1\n"
     "__name__=h_bucket,le=+Inf 1\nT g \"gauge\"\n__name__=g,le=1,quantile=1 1\n"
     "T s \"summary\"\n__name__=s,quantile=0.0 1\n"},
    {"a{b=\"two\nlines\"} 1\nc 2\n", "__name__=a,b=two\nlines 1\n__name__=c 2\n"},
    {"a{b=\"\"} 1\n", "__name__=a,b= 1\n"},
};
static void test_text(void **state)
{
    check_all(EXPOSITION_TEXT, text_good, ARRAY_LEN(text_good));
    check_bytes(EXPOSITION_TEXT, STR("a 1\n\0b 2\n"), "__name__=a 1\n");
}

static const struct exposition_case text_bad[] = {
    {"a\n", "! line 1: expected a value behind the series, got \"\"\n"},
    {"a", "! line 1: expected a value behind the series, got \"\"\n"},
    {"a 1\nb x\n", "__name__=a 1\n! line 2: expected a value behind the series, got \"x\"\n"},
    {"a 0x1p2\n", "! line 1: expected a value behind the series, got \"0x1p2\"\n"},
    {"a 1_0\n", "! line 1: expected a value behind the series, got \"1_0\"\n"},
    {"a 1\r\n", "! line 1: expected a value behind the series, got \"1?\"\n"},
    {"a 1 -5\n", "! line 1: expected a timestamp or the end of the line, got \" -5\"\n"},
    {"a 1 1.5\n", "! line 1: expected a timestamp or the end of the line, got \" 1.5\"\n"},
    {"a 1 99999999999999999999\n",
     "! line 1: expected a timestamp or the end of the line, got \" 99999999999999999999\"\n"},
    {"a 1 2 3\n", "! line 1: expected a timestamp or the end of the line, got \" 2 3\"\n"},
    {"9a 1\n", "! line 1: expected a series, got \"9a 1\"\n"},
    {"a{b=\"c\" 1\n", "! line 1: expected a series, got \"a{b=\"c\" 1\"\n"},
    {"a{b=\"c 1\n", "! line 1: expected a series, got \"a{b=\"c 1\"\n"},
    {"a{b=\"c\\", "! line 1: expected a series, got \"a{b=\"c\\\"\n"},
    {"a{9=\"c\"} 1\n", "! line 1: expected a label name, got \"9=\"c\"}\"\n"},
    {"a{b:c=\"c\"} 1\n", "! line 1: expected = behind a label name"},
    {"# TYPE a counte\n", "! line 1: invalid metric type \"counte\"\n"},
    {"\n# TYPE a info\n", "! line 2: invalid metric type \"info\"\n"},
    {"# TYPE a counter\r\n", "! line 1: invalid metric type \"counter?\"\n"},
    {"# HELP 9 x\n", "! line 1: expected a metric name, got \"9 x\"\n"},
    {"a 1e999\n", "! line 1: expected a value behind the series, got \"1e999\"\n"},
};

/* Faults of labels show where they were asked for: only the sentence is looked at. */
static void check_fault(enum exposition_format f, const char *body, const char *sentence)
{
    struct buf out = BUF_INIT(1 << 20);

    read_all(&(struct exposition_conf){.format = f, .body = str_of(body)}, &out);
    buf_ch(&out, '\0');
    if (!strstr(out.p, sentence)) assert_string_equal(out.p, sentence);
    buf_done(&out);
}

static void test_text_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(text_bad); i++)
        check_fault(EXPOSITION_TEXT, text_bad[i].body, strchr(text_bad[i].want, '!'));
    check_fault(EXPOSITION_TEXT, "a{b=\"\xff\"} 1\n", "invalid UTF-8 label value");
    check_fault(EXPOSITION_TEXT, "a{b=\"1\",b=\"2\"} 1\n", "label name \"b\" is not unique");
    check_fault(EXPOSITION_TEXT, "a{__name__=\"b\"} 1\n", "label name \"__name__\" is not unique");
    check_fault(EXPOSITION_TEXT, "a{b} 1\n", "expected = behind a label name");
    check_fault(EXPOSITION_TEXT, "a{b=c} 1\n", "expected a label value in quotes");
    check_fault(EXPOSITION_TEXT, "{\"a\",\"b\"} 1\n", "expected = behind a label name");
    check_fault(EXPOSITION_TEXT, "# HELP a \xff\n", "is not UTF-8");
}

/* --- OpenMetrics --- */

static const struct exposition_case om_good[] = {
    {"# EOF", ""},
    {"# EOF\n", ""},
    {"a 1\n# EOF\n", "__name__=a 1\n"},
    {"a{b=\"c\",d=\"e\"} 1 1.5\n# EOF\n", "__name__=a,b=c,d=e 1 @1500\n"},
    {"a 1 -1.0015\n# EOF\n", "__name__=a 1 @-1001\n"},
    {"# TYPE a counter\n# HELP a The \\\"text\\\"\n# UNIT a_seconds seconds\n# UNIT b \n# EOF\n",
     "T a \"counter\"\nH a \"The \"text\"\"\nU a_seconds \"seconds\"\nU b \"\"\n"},
    {"# TYPE a stateset\n# TYPE a info\n# TYPE a unknown\n# TYPE a gaugehistogram\n# EOF",
     "T a \"stateset\"\nT a \"info\"\nT a \"unknown\"\nT a \"gaugehistogram\"\n"},
    {"a_total 1 # {trace=\"x\"} 0.5\n# EOF\n", "__name__=a_total 1 #{trace=x}0.5\n"},
    {"a 1 2 # {trace=\"x\",y=\"}\"} 0.5 1.25\n# EOF\n",
     "__name__=a 1 @2000 #{trace=x,y=}}0.5@1250\n"},
    {"a 1 # {} 0.5\n# EOF\n", "__name__=a 1 #{}0.5\n"},
    {"{\"x.y\",a=\"b\",} 1\n# EOF\n", "__name__=x.y,a=b 1\n"},
    {"# HELP \"x.y\" words\n# EOF\n", "H x.y \"words\"\n"},
};
static void test_openmetrics(void **state)
{
    check_all(EXPOSITION_OPENMETRICS, om_good, ARRAY_LEN(om_good));
}

static const struct exposition_case om_bad[] = {
    {"a 1\n", "data does not end with # EOF"},
    {"a 1", "data does not end with # EOF"},
    {"# EOF\na 1\n", "unexpected data after # EOF"},
    {"# EOF\n\n", "unexpected data after # EOF"},
    {"\na 1\n# EOF\n", "expected a series"},
    {"a  1\n# EOF\n", "expected a value"},
    {"a 1 \n# EOF\n", "expected a timestamp, an exemplar"},
    {"a 1 NaN\n# EOF\n", "expected a timestamp, an exemplar"},
    {"a 1 +Inf\n# EOF\n", "expected a timestamp, an exemplar"},
    {" a 1\n# EOF\n", "expected a series"},
    {"a{b=\"c\"d=\"e\"} 1\n# EOF\n", "expected a comma"},
    {"a{b=\"c\", d=\"e\"} 1\n# EOF\n", "expected a label name"},
    {"# words\n# EOF\n", "line 1: expected # HELP, # TYPE, # UNIT or # EOF"},
    {"#  TYPE a gauge\n# EOF\n", "expected # HELP"},
    {"# TYPE a untyped\n# EOF\n", "invalid metric type \"untyped\""},
    {"# UNIT a seconds\n# EOF\n", "unit \"seconds\" not a suffix of metric \"a\""},
    {"# UNIT seconds seconds\n# EOF\n", "not a suffix"},
    {"# UNIT xseconds seconds\n# EOF\n", "not a suffix"},
    {"a 1 # {b=\"x\ny\"} 1\n# EOF\n", "an exemplar"},
    {"a 1 # {b=\"x\"}\n# EOF\n", "an exemplar"},
    {"a 1 # {b=\"x\"} 1 NaN\n# EOF\n", "an exemplar"},
    {"a 1 # {b=\"x\"} 1 2 3\n# EOF\n", "an exemplar"},
    {"a 1 # {b=x} 1\n# EOF\n", "expected a label value"},
};
static void test_openmetrics_faults(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(om_bad); i++)
        check_fault(EXPOSITION_OPENMETRICS, om_bad[i].body, om_bad[i].want);
}

/* --- values --- */

static void check_value(const char *text)
{
    u64 bits = 0;
    f64 v;

    assert_int_equal(num_parse_f64(str_of(text), &v), 0);
    assert_ptr_equal(exposition_number(text, text + strlen(text), &bits), text + strlen(text));
    assert_true(bits == sample_bits(v));
}

static void test_numbers(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "123456789012345678",
                                        "9007199254740993",
                                        "0.1",
                                        "1.7976931348623157e308",
                                        "5e-324",
                                        "2.2250738585072011e-308",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "123e-25",
                                        "0.30000000000000004",
                                        "100000000000000000000000",
                                        "3.141592653589793238462643383279502884197",
                                        "+5",
                                        "1E+06"};
    u64 bits;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check_value(texts[i]);
    const char *nan = "nAn rest";
    assert_ptr_equal(exposition_number(nan, nan + 8, &bits), nan + 3);
    assert_true(bits == SAMPLE_NAN_BITS);
}

static void test_many_numbers(void **state)
{
    u64 seed = 1;

    for (int i = 0; i < 20000; i++) {
        char text[64];
        seed = hash_mix(seed, 7);
        snprintf(text, sizeof(text), i % 2 ? "%.*g" : "%.*f", (int)(seed % 18),
                 (f64)(seed >> 20) / (f64)((seed & 0xffff) + 1));
        check_value(text);
    }
}

/* --- what is expected --- */

static void test_expected(void **state)
{
    struct str body = STR("a{b=\"c\"} 1\na{b=\"c\"} 2\na {b=\"c\"} 3\naa 4\n");
    struct exposition e;

    exposition_init(&e, &(struct exposition_conf){.body = body});
    e.seed = 5;
    assert_int_equal(exposition_next(&e, 1, 8), EXPOSITION_SAMPLE);
    assert_false(e.expected);
    assert_int_equal(e.series.n, 8);
    assert_int_equal(exposition_next(&e, e.hash, 8), EXPOSITION_SAMPLE);
    assert_true(e.expected);
    assert_true(e.bits == sample_bits(2));
    /* the name alone was a series once; here labels follow */
    assert_int_equal(exposition_next(&e, hash_quick("a", 1, 5), 1), EXPOSITION_SAMPLE);
    assert_false(e.expected);
    assert_int_equal(e.series.n, 9);
    assert_int_equal(exposition_next(&e, hash_quick("a", 1, 5), 1), EXPOSITION_SAMPLE);
    assert_false(e.expected);
    assert_int_equal(exposition_next(&e, 0, 0), EXPOSITION_END);
    exposition_done(&e);
}

/* --- protobuf --- */

static void put_message(struct buf *b, u32 num, const struct buf *msg)
{
    pb_add_bytes(b, num, buf_view(msg));
}

static void add_label(struct buf *metric, const char *name, const char *value)
{
    struct buf b = BUF_INIT(1000);
    pb_add_bytes(&b, 1, str_of(name));
    pb_add_bytes(&b, 2, str_of(value));
    put_message(metric, 1, &b);
    buf_done(&b);
}

static void add_exemplar(struct buf *to, u32 num)
{
    struct buf x = BUF_INIT(1000), t = BUF_INIT(100);
    add_label(&x, "trace", "t1");
    pb_add_double(&x, 2, 0.5);
    pb_add_u64(&t, 1, 3);
    pb_add_u64(&t, 2, 500000000);
    put_message(&x, 3, &t);
    put_message(to, num, &x);
    buf_done(&x);
    buf_done(&t);
}

static void add_family(struct buf *body, const char *name, u64 type, u32 field,
                       const struct buf *value)
{
    struct buf family = BUF_INIT(10000), metric = BUF_INIT(10000);
    pb_add_bytes(&family, 1, str_of(name));
    pb_add_bytes(&family, 2, STR("help"));
    pb_add_u64(&family, 3, type);
    add_label(&metric, "a", "x\"y");
    put_message(&metric, field, value);
    pb_add_u64(&metric, 6, 1234);
    put_message(&family, 4, &metric);
    pb_add_varint(body, family.n);
    buf_str(body, buf_view(&family));
    buf_done(&family);
    buf_done(&metric);
}

static void test_pb_simple(void **state)
{
    struct buf body = BUF_INIT(10000), v = BUF_INIT(1000);

    pb_add_double(&v, 1, 7);
    add_exemplar(&v, 2);
    add_family(&body, "c_total", 0, 3, &v);
    buf_reset(&v);
    pb_add_double(&v, 1, -1.5);
    add_family(&body, "g", 1, 2, &v);
    check_bytes(EXPOSITION_PROTOBUF, buf_view(&body),
                "H c_total \"help\"\nT c_total \"counter\"\n"
                "__name__=c_total,a=x\"y 7 @1234 #{trace=t1}0.5@3500\n"
                "H g \"help\"\nT g \"gauge\"\n__name__=g,a=x\"y -1.5 @1234\n");
    body.n--;
    check_fault(EXPOSITION_PROTOBUF, "\x05zz", "a family is cut short");
    buf_done(&body);
    buf_done(&v);
}

static void add_part(struct buf *to, f64 bound, u64 count, f64 value)
{
    struct buf b = BUF_INIT(1000);
    if (count) {
        pb_add_u64(&b, 1, count);
        pb_add_double(&b, 2, bound);
        add_exemplar(&b, 3);
    } else {
        pb_add_double(&b, 1, bound);
        pb_add_double(&b, 2, value);
    }
    put_message(to, 3, &b);
    buf_done(&b);
}

static void test_pb_classic(void **state)
{
    struct buf body = BUF_INIT(10000), v = BUF_INIT(1000);

    pb_add_u64(&v, 1, 9);
    pb_add_double(&v, 2, 4.5);
    add_part(&v, 1, 4, 0);
    add_family(&body, "h", 4, 7, &v);
    buf_reset(&v);
    pb_add_u64(&v, 1, 9);
    pb_add_double(&v, 2, 4.5);
    add_part(&v, 0.5, 0, 8);
    add_family(&body, "s", 2, 4, &v);
    check_bytes(EXPOSITION_PROTOBUF, buf_view(&body),
                "H h \"help\"\nT h \"histogram\"\n__name__=h_count,a=x\"y 9 @1234\n"
                "__name__=h_sum,a=x\"y 4.5 @1234\n"
                "__name__=h_bucket,a=x\"y,le=1.0 4 @1234 #{trace=t1}0.5@3500\n"
                "__name__=h_bucket,a=x\"y,le=+Inf 9 @1234\n"
                "H s \"help\"\nT s \"summary\"\n__name__=s_count,a=x\"y 9 @1234\n"
                "__name__=s_sum,a=x\"y 4.5 @1234\n__name__=s,a=x\"y,quantile=0.5 8 @1234\n");
    buf_done(&body);
    buf_done(&v);
}

static void native_value(struct buf *v, u32 length)
{
    struct buf span = BUF_INIT(100);
    pb_add_u64(v, 1, 3);
    pb_add_double(v, 2, 4.5);
    pb_add_u64(v, 5, 6); /* schema 3 */
    pb_add_double(v, 6, 0.001);
    pb_add_u64(&span, 1, 2);
    pb_add_u64(&span, 2, length);
    put_message(v, 12, &span);
    pb_add_u64(v, 13, 2);                 /* +1 */
    pb_add_bytes(v, 13, STR("\x02\x01")); /* packed: +1, -1 */
    add_exemplar(v, 16);
    buf_done(&span);
}

static void check_native(u32 length, bool classic_too, const char *want)
{
    struct buf body = BUF_INIT(10000), v = BUF_INIT(1000), out = BUF_INIT(10000);

    native_value(&v, length);
    add_part(&v, 1, 3, 0);
    add_family(&body, "h", 4, 7, &v);
    read_all(&(struct exposition_conf){.format = EXPOSITION_PROTOBUF,
                                       .body = buf_view(&body),
                                       .native_histograms = true,
                                       .classic_too = classic_too},
             &out);
    assert_buf(&out, want);
    buf_done(&body);
    buf_done(&v);
    buf_done(&out);
}

static void test_pb_native(void **state)
{
#define NATIVE                                                                                     \
    "H h \"help\"\nT h \"histogram\"\n__name__=h,a=x\"y 4.5 @1234 native schema=3 count=3 "        \
    "zero=0 pos=1,1,-1, #{trace=t1}0.5@3500\n"
    check_native(3, false, NATIVE);
    check_native(3, true,
                 NATIVE "__name__=h_count,a=x\"y 3 @1234\n__name__=h_sum,a=x\"y 4.5 @1234\n"
                        "__name__=h_bucket,a=x\"y,le=1.0 3 @1234 #{trace=t1}0.5@3500\n"
                        "__name__=h_bucket,a=x\"y,le=+Inf 3 @1234\n");
    check_native(4, false,
                 "H h \"help\"\nT h \"histogram\"\n! family \"h\": spans and buckets of a native "
                 "histogram do not fit together\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),        cmocka_unit_test(test_text_faults),
        cmocka_unit_test(test_openmetrics), cmocka_unit_test(test_openmetrics_faults),
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_many_numbers),
        cmocka_unit_test(test_expected),    cmocka_unit_test(test_pb_simple),
        cmocka_unit_test(test_pb_classic),  cmocka_unit_test(test_pb_native),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
