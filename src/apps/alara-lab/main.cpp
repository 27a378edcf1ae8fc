// SPDX-License-Identifier: Apache-2.0
#include "lab/commands.hpp"

int main(int argc, char** argv) { return alara::lab::run_command_line(argc, argv); }
