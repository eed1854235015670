/* commands.h - the commands of `activations`, one file each. */

#ifndef CONVZOO_COMMANDS_H
#define CONVZOO_COMMANDS_H

#include "activations.h"
#include "command.h"

extern const Command command_list, command_show, command_eval, command_grad, command_compare, command_choose, command_plot,
    command_experiment, command_inspect, command_search, command_explore;

/* All of it as "all", or names and formulas in the arguments from `first` on, which are freed by the caller. NULL and a line: a mistake,
 * none, or native, which is no function. */
Activation *catalogue_parse(const OptionLine *line, int first, int *count, Error *error);

#endif
