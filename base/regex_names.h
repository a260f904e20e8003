/* Names that \p{...} takes: general categories with their aliases, and scripts. Spelled without case, blanks, '-' and '_',
 * which do not count; sorted for the binary search of regex_class.c. Included by that file alone. */
#ifndef BASE_REGEX_NAMES_H
#define BASE_REGEX_NAMES_H

struct category_name {
    const char *name, *category;
};

static const struct category_name category_names[] = {
    {"c", "C"}, {"casedletter", "L&"}, {"cc", "Cc"}, {"cf", "Cf"}, {"closepunctuation", "Pe"},
    {"cn", "Cn"}, {"cntrl", "Cc"}, {"co", "Co"}, {"combiningmark", "M"},
    {"connectorpunctuation", "Pc"}, {"control", "Cc"}, {"cs", "Cs"}, {"currencysymbol", "Sc"},
    {"dashpunctuation", "Pd"}, {"decimalnumber", "Nd"}, {"digit", "Nd"}, {"enclosingmark", "Me"},
    {"finalpunctuation", "Pf"}, {"format", "Cf"}, {"initialpunctuation", "Pi"}, {"l", "L"},
    {"lc", "L&"}, {"letter", "L"}, {"letternumber", "Nl"}, {"lineseparator", "Zl"}, {"ll", "Ll"},
    {"lm", "Lm"}, {"lo", "Lo"}, {"lowercaseletter", "Ll"}, {"lt", "Lt"}, {"lu", "Lu"}, {"m", "M"},
    {"mark", "M"}, {"mathsymbol", "Sm"}, {"mc", "Mc"}, {"me", "Me"}, {"mn", "Mn"},
    {"modifierletter", "Lm"}, {"modifiersymbol", "Sk"}, {"n", "N"}, {"nd", "Nd"}, {"nl", "Nl"},
    {"no", "No"}, {"nonspacingmark", "Mn"}, {"number", "N"}, {"openpunctuation", "Ps"},
    {"other", "C"}, {"otherletter", "Lo"}, {"othernumber", "No"}, {"otherpunctuation", "Po"},
    {"othersymbol", "So"}, {"p", "P"}, {"paragraphseparator", "Zp"}, {"pc", "Pc"}, {"pd", "Pd"},
    {"pe", "Pe"}, {"pf", "Pf"}, {"pi", "Pi"}, {"po", "Po"}, {"privateuse", "Co"}, {"ps", "Ps"},
    {"punct", "P"}, {"punctuation", "P"}, {"s", "S"}, {"sc", "Sc"}, {"separator", "Z"},
    {"sk", "Sk"}, {"sm", "Sm"}, {"so", "So"}, {"spaceseparator", "Zs"}, {"spacingmark", "Mc"},
    {"surrogate", "Cs"}, {"symbol", "S"}, {"titlecaseletter", "Lt"}, {"unassigned", "Cn"},
    {"uppercaseletter", "Lu"}, {"z", "Z"}, {"zl", "Zl"}, {"zp", "Zp"}, {"zs", "Zs"},
};

static const char *const script_names[] = {
    "adlam", "ahom", "anatolianhieroglyphs", "arabic", "armenian", "avestan", "balinese", "bamum",
    "bassavah", "batak", "bengali", "bhaiksuki", "bopomofo", "brahmi", "braille", "buginese",
    "buhid", "canadianaboriginal", "carian", "caucasianalbanian", "chakma", "cham", "cherokee",
    "chorasmian", "common", "coptic", "cuneiform", "cypriot", "cyprominoan", "cyrillic", "deseret",
    "devanagari", "divesakuru", "dogra", "duployan", "egyptianhieroglyphs", "elbasan", "elymaic",
    "ethiopic", "georgian", "glagolitic", "gothic", "grantha", "greek", "gujarati", "gunjalagondi",
    "gurmukhi", "han", "hangul", "hanifirohingya", "hanunoo", "hatran", "hebrew", "hiragana",
    "imperialaramaic", "inherited", "inscriptionalpahlavi", "inscriptionalparthian", "javanese",
    "kaithi", "kannada", "katakana", "kawi", "kayahli", "kharoshthi", "khitansmallscript", "khmer",
    "khojki", "khudawadi", "lao", "latin", "lepcha", "limbu", "lineara", "linearb", "lisu",
    "lycian", "lydian", "mahajani", "makasar", "malayalam", "mandaic", "manichaean", "marchen",
    "masaramgondi", "medefaidrin", "meeteimayek", "mendekikakui", "meroiticcursive",
    "meroitichieroglyphs", "miao", "modi", "mongolian", "mro", "multani", "myanmar", "nabataean",
    "nagmundari", "nandinagari", "newa", "newtailue", "nko", "nushu", "nyiakengpuachuehmong",
    "ogham", "olchiki", "oldhungarian", "olditalic", "oldnortharabian", "oldpermic", "oldpersian",
    "oldsogdian", "oldsoutharabian", "oldturkic", "olduyghur", "oriya", "osage", "osmanya",
    "pahawhhmong", "palmyrene", "paucinhau", "phagspa", "phoenician", "psalterpahlavi", "rejang",
    "runic", "samaritan", "saurashtra", "sharada", "shavian", "siddham", "signwriting", "sinhala",
    "sogdian", "sorasompeng", "soyombo", "sundanese", "sylotinagri", "syriac", "tagalog",
    "tagbanwa", "taile", "taitham", "taiviet", "takri", "tamil", "tangsa", "tangut", "telugu",
    "thaana", "thai", "tibetan", "tifinagh", "tirhuta", "toto", "ugaritic", "vai", "vithkuqi",
    "wancho", "warangciti", "yezidi", "yi", "zanabazarsquare",
};

#endif
