/* wire_forms.c - see wire_forms.h. */

#include "wire_forms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Unit {
    const char *name;
    double      factor;
} Unit;

/* The first is what values are written in. */
static const Unit times[] = { { "us", 1e-6 }, { "ns", 1e-9 }, { "ms", 1e-3 }, { "s", 1.0 } };
static const Unit rates[] = { { "Gbit", 1e9 / 8 }, { "Mbit", 1e6 / 8 }, { "kbit", 1e3 / 8 }, { "GB", 1e9 }, { "MB", 1e6 }, { "kB", 1e3 } };

/* A positive number and one of the units. Returns 0 for anything else. */
static double value_of(const char *text, const Unit *units, size_t count, const char *ending)
{
    char *end;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(units[i].name);
        if (end != text && !strncasecmp(end, units[i].name, length) && (!end[length] || !strcmp(end + length, ending)))
            return isfinite(number) && number > 0.0 ? number * units[i].factor : 0.0;
    }
    return 0.0;
}

static bool time_read(const char *option, const char *text, void *field, Error *error)
{
    const double seconds = value_of(text, times, sizeof times / sizeof *times, "");
    if (seconds <= 0.0 && strcmp(text, "0"))
        return error_set(error, EXIT_usage, "bad value '%.100s': --%s: use a time such as 50us or 1.5ms", text, option);
    *(double *)field = seconds;
    return true;
}

static bool latency_read(const char *text, void *field, Error *error)
{
    return time_read("latency", text, field, error);
}

static bool message_read(const char *text, void *field, Error *error)
{
    return time_read("message", text, field, error);
}

static const char *time_write(const void *field, char *text, size_t size)
{
    const double seconds = *(const double *)field;
    snprintf(text, size, seconds > 0.0 ? "%.6g%s" : "0", seconds / times[0].factor, times[0].name);
    return text;
}

static bool bandwidth_read(const char *text, void *field, Error *error)
{
    const double rate = value_of(text, rates, sizeof rates / sizeof *rates, "/s");
    if (rate <= 0.0)
        return error_set(error, EXIT_usage, "bad value '%.100s': --bandwidth: use a rate such as 10Gbit or 1.2GB", text);
    *(double *)field = rate;
    return true;
}

static const char *bandwidth_write(const void *field, char *text, size_t size)
{
    snprintf(text, size, "%.6g%s", *(const double *)field / rates[0].factor, rates[0].name);
    return text;
}

const SettingForm form_latency = { latency_read, time_write };
const SettingForm form_message = { message_read, time_write };
const SettingForm form_bandwidth = { bandwidth_read, bandwidth_write };
