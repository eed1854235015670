/* test_search.c - formulas drawn and changed at random, and a search that has hardly any time. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "candidate.h"
#include "expression.h"
#include "score.h"
#include "search.h"

/* Every one is a formula of x, and no longer than it may be; most differ. */
static void test_candidates(void **state)
{
    (void)state;
    Random random = random_stream(1, 0, 0, RANDOM_init);
    char text[CANDIDATE_TEXT], before[CANDIDATE_TEXT] = "";
    int same = 0;
    Candidate c = candidate_random(&random, 5);
    for (int i = 0; i < 3000; i++) {
        c = i % 3 ? candidate_mutate(&random, &c) : candidate_random(&random, 1 + i % CANDIDATE_NODES);
        assert_in_range(c.count, 1, CANDIDATE_NODES);
        Error error;
        Expression *expression = expression_parse(candidate_text(&c, text), &error);
        if (!expression)
            fail_msg("%s: %s", text, error.text);
        assert_true(strchr(text, 'x'));
        expression_free(expression);
        same += !strcmp(text, before);
        memcpy(before, text, sizeof before);
    }
    assert_true(same < 600);      /* x alone and a number put in for itself */
}

static void test_the_same_seed_draws_the_same(void **state)
{
    (void)state;
    char a[CANDIDATE_TEXT], b[CANDIDATE_TEXT];
    for (uint64_t seed = 0; seed < 20; seed++) {
        Random one = random_stream(seed, 0, 0, RANDOM_init), two = one;
        const Candidate first = candidate_random(&one, 9), second = candidate_random(&two, 9);
        const Candidate third = candidate_mutate(&one, &first), fourth = candidate_mutate(&two, &second);
        assert_string_equal(candidate_text(&third, a), candidate_text(&fourth, b));
    }
}

/* What diverges, as a root does when its learned number falls below 0, has a score of 0, and leaves no error behind. */
static void test_a_score_that_diverges(void **state)
{
    (void)state;
    Activation steep;
    Error error = { 0 };
    double top1 = 1;
    assert_true(activation_parse("x*sqrt(p); p=0.0001", &steep, &error));
    error = (Error){ 0 };
    assert_true(score_run(&(ScoreOptions){ .arch = "lenet", .limit = 96, .epochs = 4 }, steep, 1, &top1, &error));
    assert_true(top1 == 0 && error.code == EXIT_ok && !error.text[0]);
}

static int generations, promoted;

static void listen_for_newcomers(void *context, const char *text)
{
    (void)context;
    generations += !strncmp(text, "generation ", 11);
    promoted += generations > 0 && strstr(text, " seed 3: ");
}

/* A formula of a later generation may get as far as one of the first. */
static void test_newcomers(void **state)
{
    (void)state;
    const SearchOptions options = {
        .score = { .arch = "lenet", .limit = 96, .epochs = 1 }, .others = "", .seconds = 600, .generations = 2, .seeds = 2, .seed = 1, .note = listen_for_newcomers,
    };
    SearchResult result;
    Error error;
    if (!search_run(&options, &result, &error))
        fail_msg("%s", error.text);
    assert_int_equal(generations, 2);
    assert_true(promoted > 0);
    table_free(result.finals);
    chart_free(result.chart);
}

static int told_the_end;

static void listen_for_the_end(void *context, const char *text)
{
    (void)context;
    told_the_end += strstr(text, "the time is over after 2 of 9 seeds") != NULL;
}

/* One formula is tried even so, and meets silu and gelu with the two seeds that a test takes; these, of a few images, decide nothing. */
static void test_search(void **state)
{
    (void)state;
    const SearchOptions options = {
        .score = { .arch = "lenet", .limit = 96, .epochs = 1 }, .others = "mlp", .seconds = 1e-3, .seeds = 9, .seed = 3, .note = listen_for_the_end,
    };
    SearchResult result;
    Error error;
    assert_true(search_run(&options, &result, &error));
    assert_true(result.tried >= 1 && result.finals && result.chart && !result.found);
    assert_int_equal(told_the_end, 1);
    assert_int_equal(table_rows(result.finals), 2 * 3);
    assert_string_equal(table_text_at(result.finals, 0, "activation"), "silu");
    assert_string_equal(table_text_at(result.finals, 5, "network"), "mlp");
    assert_string_equal(table_text_at(result.finals, 2, "silu?"), "no more than noise");
    table_free(result.finals);
    chart_free(result.chart);

    const SearchOptions refused = { .score = { .arch = "lenet", .epochs = 1 }, .others = "nosuch", .seconds = 1e-3, .seeds = 1 };
    assert_false(search_run(&refused, &result, &error));
    assert_int_equal(error.code, EXIT_usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates), cmocka_unit_test(test_the_same_seed_draws_the_same), cmocka_unit_test(test_a_score_that_diverges), cmocka_unit_test(test_newcomers), cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
