/* sys.env and convert.nonsensitive. */
#include "stdlib/tables.h"

static int env_var(CALL_ARGS)
{
    struct str value = STR("");
    struct str name = value_text(args[0]);
    bool usable = env && env->getenv && name.n > 0 && str_chr(name, '\0') < 0;
    if (usable && !env->getenv(env->arg, name.p, &value)) value = STR("");
    *ret = value_str(value);
    return 0;
}

/* The argument was converted already: the text is all there is to give. */
static int nonsensitive(CALL_ARGS)
{
    *ret = value_ref(args[0]);
    return 0;
}

static const struct func sys_rows[] = {
    {.name = "sys.env",
     .doc = "The value of an environment variable, empty when it is not set.",
     .call = env_var,
     .param_names = "name",
     .returns = "string",
     PARAMS(P_STRING)},
    {.name = "env",
     .doc = "The value of an environment variable, empty when it is not set.",
     .call = env_var,
     .param_names = "name",
     .returns = "string",
     .deprecated = true,
     PARAMS(P_STRING)},
};
const struct func_table funcs_sys = {sys_rows, ARRAY_LEN(sys_rows)};

static const struct func convert_rows[] = {
    {.name = "convert.nonsensitive",
     .doc = "The text of a secret, which then shows wherever it is used.",
     .call = nonsensitive,
     .param_names = "secret",
     .returns = "string",
     PARAMS(P_STRING_OR_SECRET)},
    {.name = "nonsensitive",
     .doc = "The text of a secret, which then shows wherever it is used.",
     .call = nonsensitive,
     .param_names = "secret",
     .returns = "string",
     .deprecated = true,
     PARAMS(P_STRING_OR_SECRET)},
};
const struct func_table funcs_convert = {convert_rows, ARRAY_LEN(convert_rows)};
