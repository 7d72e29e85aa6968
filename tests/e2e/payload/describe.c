/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line per entry of the current directory (tree.h). Run by tests as who may read all of it.
 *
 *         describe [times]   times: of files as well
 */
#include "tree.h"

int
main(int argc, char **argv)
{
	tree_describe(stdout, ".", argc > 1 && strcmp(argv[1], "times") == 0);
	return 0;
}
