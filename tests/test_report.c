/* test_report.c - report as a person runs it: what it says where something is damaged or missing, and that the rest is made. tests/test_report.py
 * opens its pages in a browser. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "png_bytes.h"
#include "scratch.h"

#define RUN_TO "train lenet --data shapes --limit 200 --img-size 16 --epochs 2 --threads 1 -b 32 -q --output "
#define REPORT "report run --threads 1 -o page.html"

static int report_setup(void **state)
{
    if (commands_setup(state))
        return 1;
    check(&(Case){ RUN_TO "run", 0, NULL, NULL });
    return 0;
}

/* What the page's data element holds of its first run. */
static json_t *read_run(const char *command, const char *err)
{
    check(&(Case){ command, 0, "page.html", err });
    char *out, *errors;
    static const char before[] = "id=\"data\">";
    assert_int_equal(run("cat page.html", &out, &errors), 0);
    const char *begin = strstr(out, before);
    assert_non_null(begin);
    begin += strlen(before);
    const size_t length = (size_t)(strstr(begin, "</script>") - begin);
    assert_null(memchr(begin, '<', length));
    json_t *data = json_loadb(begin, length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(data);
    json_t *first = json_incref(json_array_get(json_object_get(data, "runs"), 0));
    json_decref(data);
    free(out);
    free(errors);
    return first;
}

static size_t count_of(const json_t *run, const char *key)
{
    return json_array_size(json_object_get(run, key));
}

static void test_whole(void **state)
{
    (void)state;
    json_t *found = read_run(REPORT, "");
    const json_t *results = json_object_get(found, "results");
    assert_int_equal(count_of(found, "notes"), 0);
    assert_int_equal(count_of(found, "log"), 2);
    assert_int_equal(count_of(found, "health"), 2);
    json_int_t images = 0;
    for (size_t i = 0; i < count_of(results, "cells"); i++) {
        const json_t *cell = json_array_get(json_object_get(results, "cells"), i);
        const json_int_t count = json_integer_value(json_array_get(cell, 2));
        images += count;
        assert_int_equal(json_array_size(json_array_get(cell, 3)), count < 8 ? count : 8);
    }
    assert_int_equal(images, json_integer_value(json_object_get(results, "count")));
    json_decref(found);
}

/* Each is told in one line, stands in the page's notes, and what is left is made. */
static void test_damage(void **state)
{
    (void)state;
    static const struct { const char *command, *says; size_t log; bool model, results; } cases[] = {
        { "cp -r run a && echo '{\"epoch\": 3, \"tr' >>a/log.jsonl && report a --threads 1 -o page.html",  "damaged: a/log.jsonl: line 3 is no JSON object", 2, true, true },
        { "cp -r run b && rm b/log.jsonl && printf '1\\n\\n2\\n' >b/health.jsonl && report b --threads 1 -o page.html",
          "damaged: b/health.jsonl: 2 lines are no JSON objects, the first is line 1", 0, true, true },
        { "cp -r run c && echo '{' >c/args.json && report c --threads 1 -o page.html",                    "c/args.json", 2, true, false },
        { "cp -r run d && rm d/best.safetensors && report d --threads 1 -o page.html",                    "best.safetensors", 2, false, false },
        { "cp -r run e && echo x >e/best.safetensors && report e --threads 1 -o page.html",               "e/best.safetensors", 2, false, false },
        { "report run --data nowhere --threads 1 -o page.html",                                           "nowhere", 2, true, false },
        { "report run/best.safetensors --threads 1 -o page.html",                                         "", 2, true, true },
        { "report run --records-only -o page.html",                                                       "", 2, false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *found = read_run(cases[i].command, cases[i].says);
        assert_int_equal(count_of(found, "notes") > 0, *cases[i].says != '\0');
        assert_int_equal(count_of(found, "log"), cases[i].log);
        assert_int_equal(json_object_get(found, "model") != NULL, cases[i].model);
        assert_int_equal(json_object_get(found, "results") != NULL, cases[i].results);
        json_decref(found);
    }
}

/* The list of suspects.csv, each with its picture where the data is the run's own; names with quotes and commas are read as they were written. */
static void test_suspects(void **state)
{
    (void)state;
#define LIST "suspected --threads 1 -o page.html"
    static const struct { const char *command, *says; size_t listed, pictured; json_int_t count; } cases[] = {
        { RUN_TO "suspected --suspects 7 && report " LIST,                                                          "", 7, 7, 7 },
        { "report " LIST " --records-only",                                                                         "", 7, 0, 7 },
        { "report " LIST " --split train --limit 20",                                                               "", 7, 7, 7 },
        { "report " LIST " --seed 7",                                   "other training images: suspects.csv: its labels are not theirs", 7, 0, 7 },
        { "report " LIST " --data nowhere",                                                                         "nowhere", 7, 0, 7 },
        { "sed -i '4s/.*/1,cat/' suspected/suspects.csv && report " LIST, "damaged: suspected/suspects.csv: line 4 is no image with its loss", 2, 2, 2 },
        { "sed -i 1d suspected/suspects.csv && report " LIST,             "damaged: suspected/suspects.csv: line 1", 0, 0, 0 },
        { "(echo index,label,predicted,loss,probability; for i in $(seq 60); do echo $i,'\"a \"\"b\"\", c\",\"d\",2.5,0.5'; done) "
          ">suspected/suspects.csv && report " LIST " --records-only",                                              "", 48, 0, 60 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *found = read_run(cases[i].command, cases[i].says);
        const json_t *suspects = json_object_get(found, "suspects"), *list = json_object_get(suspects, "list");
        size_t pictured = 0;
        for (size_t k = 0; k < json_array_size(list); k++)
            pictured += json_is_string(json_object_get(json_array_get(list, k), "picture"));
        assert_int_equal(json_array_size(list), cases[i].listed);
        assert_int_equal(pictured, cases[i].pictured);
        assert_int_equal(json_integer_value(json_object_get(suspects, "count")), cases[i].count);
        assert_int_equal(count_of(found, "notes"), *cases[i].says != '\0');
        if (cases[i].count == 60)
            assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "label")), "a \"b\", c");
        json_decref(found);
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    static const Case cases[] = {
        { "report",                                          2, "", "no run: command line: usage is" },
        { "report nowhere -o page.html",                     3, "", "no run: nowhere: neither a log nor a checkpoint" },
        { "mkdir -p empty && report empty -o page.html",     3, "", "no run: empty" },
        { "mkdir -p acts && touch acts/sweep.html && report acts", 3, "", "a sweep, not a run: acts: open its sweep.html" },
        { "report run --records-only -o none/page.html",     7, "", "none/" },
        { "report run --records-only -o -",                  2, "", "a page is a file: -: name it" },
        { "report run --split foo",                          2, "", "test val train" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* RFC 4648's letters, against a decoder of this test's own: the bytes are those of the PNG. */
static void test_uri(void **state)
{
    (void)state;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", before[] = "data:image/png;base64,";
    for (int w = 1; w < 8; w++) {
        uint8_t rgb[3 * 3 * 8];
        for (size_t i = 0; i < sizeof rgb; i++)
            rgb[i] = (uint8_t)(i * 37 + (size_t)w);
        size_t size, at = 0;
        uint8_t *bytes = png_bytes(rgb, 3, 3, w, &size);
        char *uri = png_uri(rgb, 3, w);
        assert_non_null(bytes);
        assert_memory_equal(uri, before, strlen(before));
        unsigned bits = 0;
        int held = 0;
        for (const char *c = uri + strlen(before); *c && *c != '='; c++) {
            bits = bits << 6 | (unsigned)(strchr(letters, *c) - letters);
            held += 6;
            if (held >= 8) {
                held -= 8;
                assert_int_equal(bits >> held & 255, bytes[at++]);
            }
        }
        assert_int_equal(at, size);
        assert_int_equal((strlen(uri) - strlen(before)) % 4, 0);
        free(uri);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_suspects),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_uri),
    };
    return cmocka_run_group_tests(tests, report_setup, commands_teardown);
}
