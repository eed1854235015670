/* activations.c - the laboratory of activation functions: see, measure and compare them. A file a command in scripts/activations/. */

#include "commands.h"

static const Command *const commands[] = {
    &command_list, &command_show, &command_eval, &command_grad, &command_compare, &command_choose, &command_plot,
    &command_experiment, &command_inspect, &command_search, &command_explore,
};

int main(int argc, char **argv)
{
    return commands_main(commands, sizeof commands / sizeof *commands,
                         "See, measure and compare the activation functions that train --act knows.",
                         "show gelu leaky_relu:0.2\n"
                         "eval gelu -1 0 1\n"
                         "compare relu gelu silu\n"
                         "plot relu gelu silu --derivative -o curves.png\n",
                         argc, argv);
}
