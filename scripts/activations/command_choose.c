/* command_choose.c - activations choose: which one for what, with the reason. */

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "names.h"

typedef struct ChooseFlags {
    const char *task, *network, *norm, *budget;
    int64_t     depth;
    bool        ask;
} ChooseFlags;

#define FIELD(name) .field = offsetof(ChooseFlags, name)

static const Setting options[] = {
    { "net", "arch", 0, SETTING_text, FIELD(network), "KIND", .choices = CHOICE_NETWORKS, .group = "Options", .help = "of network: " CHOICE_NETWORKS },
    { "depth", NULL, 0, SETTING_whole, FIELD(depth), "N", "0", "not said", .least = 0, .most = 100000, .group = "Options", .help = "layers" },
    { "norm", NULL, 0, SETTING_text, FIELD(norm), "KIND", .choices = CHOICE_NORMS, .group = "Options", .help = "of normalisation: " CHOICE_NORMS },
    { "budget", NULL, 0, SETTING_text, FIELD(budget), "SIZE", .choices = CHOICE_BUDGETS, .group = "Options", .help = "of computation: " CHOICE_BUDGETS },
    { "task", NULL, 0, SETTING_text, FIELD(task), "KIND", .choices = CHOICE_TASKS, .group = "Options", .help = "of the output: " CHOICE_TASKS },
    { "ask", NULL, 0, SETTING_switch, FIELD(ask), .group = "Options", .help = "ask for each of these" },
};

static void print_hidden(const HiddenChoice *choice)
{
    printf("hidden layers: %s, weights start as %s's: %s\n", choice->activation, choice->weights, choice->reason);
}

static void print_output(const OutputChoice *choice)
{
    printf("output layer: %s, loss: %s, output: %s: %s\n", choice->activation, choice->loss, choice->range, choice->reason);
}

static const char *word_or_any(const char *words)
{
    return *words ? words : "any";
}

static void print_tables(void)
{
    printf("Hidden layers: the first line that fits\n  %-22s %-6s %-6s %-6s  %-15s %-13s %s\n", "network", "layers", "norm", "budget", "activation",
           "weights", "because");
    for (int i = 0; i < choice_hidden_count(); i++) {
        const HiddenChoice *c = choice_hidden_at(i);
        char depth[16] = "any";
        if (c->depth)
            snprintf(depth, sizeof depth, "%d+", c->depth);
        printf("  %-22s %-6s %-6s %-6s  %-15s %-13s %s\n", word_or_any(c->networks), depth, word_or_any(c->norms), word_or_any(c->budgets), c->activation,
               c->weights, c->reason);
    }
    printf("Output layers, by the task\n  %-12s %-16s %-37s %-40s %s\n", "task", "activation", "loss", "output", "because");
    for (int i = 0; i < choice_output_count(); i++) {
        const OutputChoice *c = choice_output_at(i);
        printf("  %-12s %-16s %-37s %-40s %s\n", c->task, c->activation, c->loss, c->range, c->reason);
    }
}

/* One question on stderr, the answer from stdin; an empty one, or the end of the input, is "" . words NULL: a number. */
static bool ask(const char *question, const char *words, char *answer, size_t size, Error *error)
{
    fprintf(stderr, "%s (%s; nothing if you cannot say): ", question, words ? words : "a number");
    if (!fgets(answer, (int)size, stdin))
        *answer = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    if (!*answer || (words ? names_match(words, answer, strlen(answer)) : answer[strspn(answer, "0123456789")] == '\0'))
        return true;
    return error_set(error, EXIT_usage, "unknown answer '%.60s': %s: answer one of %s", answer, question, words ? words : "the numbers from 0 on");
}

static bool run_ask(ChooseFlags *flags, Error *error)
{
    static char network[32], depth[8], norm[32], budget[32], task[32];
    if (!ask("Which network", CHOICE_NETWORKS, network, sizeof network, error) || !ask("How many layers", NULL, depth, sizeof depth, error) ||
        !ask("Which normalisation", CHOICE_NORMS, norm, sizeof norm, error) || !ask("How much computation", CHOICE_BUDGETS, budget, sizeof budget, error) ||
        !ask("Which task", CHOICE_TASKS, task, sizeof task, error))
        return false;
    *flags = (ChooseFlags){ .network = network, .depth = atoi(depth), .norm = norm, .budget = budget, .task = task };
    return true;
}

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

static bool run(void *data, OptionLine *line, Error *error)
{
    ChooseFlags flags = *(const ChooseFlags *)data;
    const bool asks = flags.ask;
    (void)line;
    if (asks && !run_ask(&flags, error))
        return false;
    const bool hidden = flags.network || flags.norm || flags.budget || flags.depth;
    if (!hidden && !flags.task) {
        print_tables();
        return true;
    }
    if (hidden)
        print_hidden(choice_hidden(or_nothing(flags.network), (int)flags.depth, or_nothing(flags.norm), or_nothing(flags.budget)));
    const OutputChoice *output = choice_output(or_nothing(flags.task));
    if (output)
        print_output(output);
    return true;
}

const Command command_choose = {
    .options = {
        .command = "choose", .usage = "[OPTION...]",
        .about = "Say which activation suits what, and why: for the options given, or as tables.",
        .examples = "\n--net mlp --depth 30 --norm none\n--net cnn --norm batch --task multiclass\n--ask\n",
        .options = options, .count = sizeof options / sizeof *options,
    },
    .brief = "which one for which network, output and loss, with the reason",
    .size = sizeof(ChooseFlags), .run = run,
};
