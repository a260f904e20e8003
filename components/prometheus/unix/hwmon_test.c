/* Chips and sensors: names, units, what is told of settings. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_hwmon;

static struct unix_test t;

static void names(void **state)
{
    unix_test_file(&t, "sys/devices/platform/coretemp.0/x", "");
    unix_test_file(&t, "sys/class/hwmon/hwmon0/name", "coretemp\n");
    unix_test_symlink(&t, "../../../devices/platform/coretemp.0", "sys/class/hwmon/hwmon0/device");
    unix_test_file(&t, "sys/class/hwmon/hwmon1/name", "NCT 6779-\n");
    unix_test_file(&t, "sys/class/hwmon/hwmon2/temp1_input", "1000\n");
    assert_int_equal(unix_test_run(&t, &collector_hwmon, NULL), 0);
    unix_test_line(&t,
                   "node_hwmon_chip_names{chip=\"platform_coretemp_0\",chip_name=\"coretemp\"} 1");
    unix_test_line(&t, "node_hwmon_chip_names{chip=\"nct_6779\",chip_name=\"nct_6779\"} 1");
    unix_test_line(&t, "node_hwmon_temp_celsius{chip=\"hwmon2\",sensor=\"temp1\"} 1");
    assert_int_equal(expo_count(t.out), 3);
}

/* Two entries of one device. */
static void shared_device(void **state)
{
    unix_test_file(&t, "sys/devices/platform/asus/x", "");
    unix_test_file(&t, "sys/class/hwmon/hwmon0/name", "asus\n");
    unix_test_symlink(&t, "../../../devices/platform/asus", "sys/class/hwmon/hwmon0/device");
    unix_test_file(&t, "sys/class/hwmon/hwmon1/name", "sensors\n");
    unix_test_symlink(&t, "../../../devices/platform/asus", "sys/class/hwmon/hwmon1/device");
    assert_int_equal(unix_test_run(&t, &collector_hwmon, NULL), 0);
    unix_test_line(&t, "node_hwmon_chip_names{chip=\"platform_asus_asus\",chip_name=\"asus\"} 1");
    unix_test_line(&t,
                   "node_hwmon_chip_names{chip=\"platform_asus_sensors\",chip_name=\"sensors\"} 1");
}

static void units(void **state)
{
    static const struct {
        const char *file, *text, *line;
    } cases[] = {
        {"temp1_input", "55000", "node_hwmon_temp_celsius{chip=\"c\",sensor=\"temp1\"} 55"},
        {"temp1_crit_alarm", "0",
         "node_hwmon_temp_crit_alarm_celsius{chip=\"c\",sensor=\"temp1\"} 0"},
        {"temp1_type", "4", "node_hwmon_temp_type{chip=\"c\",sensor=\"temp1\"} 4"},
        {"in0_input", "792", "node_hwmon_in_volts{chip=\"c\",sensor=\"in0\"} 0.792"},
        {"in0_alarm", "1", "node_hwmon_in_alarm{chip=\"c\",sensor=\"in0\"} 1"},
        {"in0_beep", "1", "node_hwmon_in_beep_enabled{chip=\"c\",sensor=\"in0\"} 1"},
        {"curr1_max", "1500", "node_hwmon_curr_max_amps{chip=\"c\",sensor=\"curr1\"} 1.5"},
        {"fan2_input", "1098", "node_hwmon_fan_rpm{chip=\"c\",sensor=\"fan2\"} 1098"},
        {"fan2_pulses", "2", "node_hwmon_fan_pulses{chip=\"c\",sensor=\"fan2\"} 2"},
        {"energy1_input", "2500000",
         "node_hwmon_energy_joule_total{chip=\"c\",sensor=\"energy1\"} 2.5"},
        {"power1_average", "2500000",
         "node_hwmon_power_average_watt{chip=\"c\",sensor=\"power1\"} 2.5"},
        {"power1_average_interval", "1000",
         "node_hwmon_power_average_interval_seconds{chip=\"c\",sensor=\"power1\"} 1"},
        {"power1_accuracy", "500000",
         "node_hwmon_power_accuracy{chip=\"c\",sensor=\"power1\"} 0.5"},
        {"humidity1_input", "500000", "node_hwmon_humidity{chip=\"c\",sensor=\"humidity1\"} 0.5"},
        {"pwm1", "120", "node_hwmon_pwm{chip=\"c\",sensor=\"pwm1\"} 120"},
        {"freq1_input", "214000000", "node_hwmon_freq_freq_mhz{chip=\"c\",sensor=\"sclk\"} 214"},
        {"freq1_label", "sclk",
         "node_hwmon_sensor_label{chip=\"c\",label=\"sclk\",sensor=\"freq1\"} 1"},
        {"update_interval", "1500",
         "node_hwmon_update_interval_seconds{chip=\"c\",sensor=\"update_interval0\"} 1.5"},
        {"beep_enable", "1", "node_hwmon_beep_enabled{chip=\"c\",sensor=\"beep_enable0\"} 1"},
    };
    unix_test_file(&t, "sys/class/hwmon/hwmon0/name", "c\n");
    unix_test_file(&t, "sys/class/hwmon/hwmon0/bogus1_input", "1\n");
    unix_test_file(&t, "sys/class/hwmon/hwmon0/temp2_input", "no number\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *path = xprintf("sys/class/hwmon/hwmon0/%s", cases[i].file);
        unix_test_file(&t, path, cases[i].text);
        free(path);
    }
    assert_int_equal(unix_test_run(&t, &collector_hwmon, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        unix_test_line(&t, cases[i].line);
    assert_int_equal(expo_count(t.out), ARRAY_LEN(cases) + 1);
}

static void filtered(void **state)
{
    struct unix_args args = unix_test_args(&t);

    unix_test_file(&t, "sys/class/hwmon/hwmon0/name", "one\n");
    unix_test_file(&t, "sys/class/hwmon/hwmon1/name", "two\n");
    args.hwmon.chip_exclude = STR("^t");
    assert_int_equal(unix_test_run(&t, &collector_hwmon, &args), 0);
    unix_test_line(&t, "node_hwmon_chip_names{chip=\"one\",chip_name=\"one\"} 1");
    assert_int_equal(expo_count(t.out), 1);
}

static int begin(void **state)
{
    unix_test_begin(&t);
    return 0;
}

static int end(void **state)
{
    unix_test_end(&t);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(names), TEST(shared_device), TEST(units),
                                       TEST(filtered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
