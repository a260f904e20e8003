/* The one place that names the registry. */
#include "cmd/language.h"

#include "runtime/logging.h"
#include "runtime/services.h"
#include "ui/ui.h"

void language_init(struct language *l, struct logging *logging, void *ui, struct taps *taps)
{
    *l = (struct language){0};
    func_env_process(&l->env, l->host, "v" WEIR_VERSION);
    l->stdlib = stdlib_new(&l->env);
    l->foreign = foreign_new();
    l->foreign_aside = foreign_new();
    const struct config_use blocks[LANGUAGE_BLOCKS] = {
        {&logging_def, logging}, {&tracing_def, NULL},       {&http_block_def, ui},
        {&labelstore_def, NULL}, {&livedebugging_def, taps}, {&remotecfg_def, NULL},
        {&cluster_def, NULL},    {&otel_def, NULL},          {&ui_def, NULL},
    };
    memcpy(l->blocks, blocks, sizeof(blocks));
}

void language_done(struct language *l)
{
    stdlib_free(l->stdlib);
    foreign_free(l->foreign);
    foreign_free(l->foreign_aside);
}

struct compile_opts language_opts_aside(const struct language *l, const struct compile_opts *of)
{
    struct compile_opts o = *of;
    o.registry.foreign_arg = l->foreign_aside;
    return o;
}

struct compile_opts language_opts(const struct language *l, enum stability min, bool community,
                                  bool check)
{
    return (struct compile_opts){
        .registry = {registry_all, registry_count, foreign_find, l->foreign, foreign_name},
        .configs = l->blocks,
        .n_configs = LANGUAGE_BLOCKS,
        .stdlib = stdlib_scope(l->stdlib),
        .min_stability = min,
        .community = community,
        .check = check,
        .allow_foreign = check};
}
