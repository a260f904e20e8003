/* The files of ui/assets, put into the program as they are: read-only data. */
#include "ui/page.h"

#define EMBED(sym, file)                                                                           \
    __asm__(".pushsection .rodata\n.globl " #sym "_begin\n" #sym "_begin:\n"                       \
            ".incbin \"ui/assets/" file "\"\n.globl " #sym "_end\n" #sym "_end:\n.popsection\n");  \
    extern const char sym##_begin[] __attribute__((visibility("hidden")));                         \
    extern const char sym##_end[] __attribute__((visibility("hidden")))

EMBED(asset_style, "style.css");
EMBED(asset_app, "app.js");
EMBED(asset_icon, "icon.svg");

static const struct {
    const char *name, *type;
    const char *begin, *end;
} assets[] = {
    {"style.css", "text/css; charset=utf-8", asset_style_begin, asset_style_end},
    {"app.js", "text/javascript; charset=utf-8", asset_app_begin, asset_app_end},
    {"icon.svg", "image/svg+xml", asset_icon_begin, asset_icon_end},
};

bool asset_find(struct str name, struct asset *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(assets); i++) {
        if (!str_is(name, assets[i].name)) continue;
        size_t n = (size_t)(assets[i].end - assets[i].begin);
        *ret = (struct asset){assets[i].type, str_n(assets[i].begin, n)};
        return true;
    }
    return false;
}
