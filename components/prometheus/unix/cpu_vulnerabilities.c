/* cpu_vulnerabilities: of which flaws the processors have, and what the kernel does about them. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

static void add(struct collect *c, struct str name)
{
    struct str text = unix_text(c, ROOT_SYS, "devices/system/cpu/vulnerabilities/%s", name.p);
    struct str state = STR("unknown"), mitigation = STR("");

    if (str_starts(text, STR("Not affected"))) state = STR("not affected");
    if (str_starts(text, STR("Vulnerable"))) state = STR("vulnerable");
    if (str_starts(text, STR("Mitigation"))) {
        state = STR("mitigation");
        mitigation = text;
        (void)str_cut(&mitigation, ':');
        mitigation = str_trim(mitigation);
    }
    expo_gauge1(c->out, "node_cpu_vulnerabilities_info",
                "Details of each CPU vulnerability reported by sysfs. The value of the series is "
                "an int encoded state of the vulnerability. The same state is stored as a string "
                "in the label",
                1, EXPO_LS("codename", name), EXPO_LS("state", state),
                EXPO_LS("mitigation", mitigation));
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "devices/system/cpu/vulnerabilities");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        add(c, names.v[i]);
    return r;
}

const struct collector_def collector_cpu_vulnerabilities = {.name = "cpu_vulnerabilities",
                                                            .collect = collect};
